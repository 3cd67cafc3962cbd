// Package check tests the Helm chart and the manifests in deploy with Helm's own code and the types of Kubernetes. It is a separate
// module, so that gatecert does not depend on Helm or Kubernetes.
package check

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	yamlreader "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

const chartFolder = "../helm/gatecert"

// values are the values that a user sets in addition to the chart's defaults.
type values = map[string]any

func TestHelmLintsTheChart(t *testing.T) {
	result := lint.All(chartFolder, values{"cronJob": values{"enabled": true}}, "default", true)
	for _, message := range result.Messages {
		if strings.Contains(message.Error(), "icon is recommended") {
			continue
		}
		assert.Less(t, message.Severity, support.WarningSev, message.Error())
	}
}

func TestChartRendersObjectsOfKubernetes(t *testing.T) {
	for name, c := range map[string]struct {
		set   values
		kinds []string
	}{
		"defaults": {nil, []string{"ConfigMap", "Deployment", "PersistentVolumeClaim", "Secret", "Service"}},
		"nightly only": {
			values{"watch": values{"enabled": false}, "cronJob": values{"enabled": true, "extraArgs": []any{"--quiet"}}, "podAnnotations": values{"a": "b"}},
			[]string{"ConfigMap", "CronJob", "Secret"},
		},
		"everything": {
			values{
				"existingSecret": "mine", "rows": []any{"http:404", "code:channel:no_available_key"}, "permitChanges": true, "allowActions": true,
				"imagePullSecrets": []any{values{"name": "registry"}}, "nodeSelector": values{"disk": "ssd"},
				"tolerations": []any{values{"key": "load", "operator": "Exists"}},
				"affinity":    values{"nodeAffinity": values{}},
				"image":       values{"digest": "sha256:" + strings.Repeat("a", 64)},
				"cronJob":     values{"enabled": true},
				"watch": values{
					"webhook": "https://hooks.example/x?a=1&b=\"2\"", "extraArgs": []any{"--surfaces=chat"},
					"persistence":    values{"storageClass": "fast"},
					"serviceMonitor": values{"enabled": true}, "prometheusRule": values{"enabled": true},
				},
			},
			[]string{"ConfigMap", "CronJob", "Deployment", "PersistentVolumeClaim", "PrometheusRule", "Service", "ServiceMonitor"},
		},
		"no volume":      {values{"watch": values{"persistence": values{"enabled": false}}}, []string{"ConfigMap", "Deployment", "Secret", "Service"}},
		"another volume": {values{"watch": values{"persistence": values{"existingClaim": "old"}}}, []string{"ConfigMap", "Deployment", "Secret", "Service"}},
	} {
		t.Run(name, func(t *testing.T) {
			objects, err := render(t, c.set)
			require.NoError(t, err)
			assert.Equal(t, c.kinds, slices.Sorted(maps.Keys(objects)))
			for _, pod := range pods(objects) {
				checkPod(t, pod)
			}
		})
	}
}

// If the digest of an image is set, the pod runs that digest and not a tag. If an existing claim is named, the pod mounts it.
func TestChartTakesItsValues(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0", 64)
	objects, err := render(t, values{
		"image": values{"digest": digest, "tag": "v9"}, "existingSecret": "mine", "rows": []any{"http:404", "http:429"},
		"watch": values{"every": "1h", "webhook": "https://hooks.example/a b", "persistence": values{"existingClaim": "old"}},
	})
	require.NoError(t, err)
	pod := objects["Deployment"].(*appsv1.Deployment).Spec.Template.Spec
	container := pod.Containers[0]
	assert.Equal(t, "ghcr.io/gatecert/gatecert@"+digest, container.Image)
	assert.Equal(t, "mine", container.EnvFrom[0].SecretRef.Name)
	assert.Subset(t, container.Args, []string{"--rows=http:404,http:429", "--every=1h", "--webhook=https://hooks.example/a b", "--level=edge"})
	assert.NotContains(t, container.Args, "--yes")
	assert.NotContains(t, container.Args, "--allow-actions")
	assert.Equal(t, "old", pod.Volumes[1].PersistentVolumeClaim.ClaimName)
}

// A value that is misspelt or out of bounds is refused before anything is installed.
func TestChartRefusesWrongValues(t *testing.T) {
	for name, set := range map[string]values{
		"a misspelt value":    {"wach": values{"enabled": true}},
		"a misspelt setting":  {"watch": values{"evry": "15m"}},
		"an unknown level":    {"level": "edgy"},
		"load as a level":     {"level": "load"},
		"no unit":             {"watch": values{"every": "15"}},
		"a row with a comma":  {"rows": []any{"http:404,http:429"}},
		"keep nothing":        {"watch": values{"keep": 0}},
		"a short digest":      {"image": values{"digest": "sha256:12"}},
		"an empty profile":    {"profile": ""},
		"a secret's bad name": {"secret": values{"GATEWAY-KEY": "x"}},
		"a word for a switch": {"yes": "true"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := render(t, set)
			assert.Error(t, err)
		})
	}
}

// The manifests that do not use Helm can be decoded too, and give the pod the same rights, volumes and probe as the chart.
func TestManifestsAgreeWithTheChart(t *testing.T) {
	chart, err := render(t, values{"cronJob": values{"enabled": true}})
	require.NoError(t, err)
	for file, kind := range map[string]string{"watch.yaml": "Deployment", "cronjob.yaml": "CronJob"} {
		content, err := os.ReadFile(filepath.Join("..", "kubernetes", file))
		require.NoError(t, err)
		plain := decode(t, content)
		for _, pair := range [][2]corev1.PodSpec{{pods(plain)[0], pods(map[string]any{kind: chart[kind]})[0]}} {
			manifest, charted := pair[0], pair[1]
			checkPod(t, manifest)
			assert.Equal(t, charted.Containers[0].SecurityContext, manifest.Containers[0].SecurityContext)
			assert.Equal(t, charted.Containers[0].VolumeMounts, manifest.Containers[0].VolumeMounts)
			assert.Equal(t, charted.Containers[0].LivenessProbe, manifest.Containers[0].LivenessProbe)
			assert.Equal(t, charted.Containers[0].Image, manifest.Containers[0].Image)
		}
	}
}

// checkPod checks that a pod has none of the rights that no pod of gatecert may have.
func checkPod(t *testing.T, pod corev1.PodSpec) {
	t.Helper()
	assert.False(t, *pod.AutomountServiceAccountToken)
	assert.True(t, *pod.SecurityContext.RunAsNonRoot)
	assert.EqualValues(t, 65532, *pod.SecurityContext.RunAsUser, "the user of the image")
	require.Len(t, pod.Containers, 1)
	container := pod.Containers[0]
	assert.True(t, *container.SecurityContext.ReadOnlyRootFilesystem)
	assert.False(t, *container.SecurityContext.AllowPrivilegeEscalation)
	assert.NotContains(t, container.Image, ":latest")
	assert.NotEmpty(t, container.Resources.Limits.Memory().Value())
	volumes := make(map[string]bool)
	for _, v := range pod.Volumes {
		volumes[v.Name] = true
	}
	for _, mount := range container.VolumeMounts {
		assert.True(t, volumes[mount.Name], "no volume %s", mount.Name)
	}
}

// render returns the chart's objects by kind, as `helm template` renders them.
func render(t *testing.T, set values) (map[string]any, error) {
	t.Helper()
	chart, err := loader.Load(chartFolder)
	require.NoError(t, err)
	release := chartutil.ReleaseOptions{Name: "release", Namespace: "default", Revision: 1, IsInstall: true}
	all, err := chartutil.ToRenderValues(chart, set, release, chartutil.DefaultCapabilities)
	if err != nil {
		return nil, err
	}
	files, err := engine.Render(chart, all)
	if err != nil {
		return nil, err
	}
	objects := make(map[string]any)
	for name, content := range files {
		if strings.HasSuffix(name, ".yaml") {
			maps.Copy(objects, decode(t, []byte(content)))
		}
	}
	return objects, nil
}

// decode decodes each document as the type that it names. A field that the type does not have is an error.
func decode(t *testing.T, content []byte) map[string]any {
	t.Helper()
	objects := make(map[string]any)
	reader := yamlreader.NewYAMLReader(newReader(content))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return objects
		}
		require.NoError(t, err)
		if len(bytes.TrimSpace(document)) == 0 {
			continue
		}
		var kind metav1.TypeMeta
		require.NoError(t, yaml.Unmarshal(document, &kind))
		if kind.Kind == "" {
			continue // a document that contains only comments
		}
		object := map[string]any{
			"v1/ConfigMap": &corev1.ConfigMap{}, "v1/Secret": &corev1.Secret{}, "v1/Service": &corev1.Service{},
			"v1/PersistentVolumeClaim": &corev1.PersistentVolumeClaim{}, "apps/v1/Deployment": &appsv1.Deployment{}, "batch/v1/CronJob": &batchv1.CronJob{}, "batch/v1/Job": &batchv1.Job{},
			"monitoring.coreos.com/v1/ServiceMonitor": &serviceMonitor{}, "monitoring.coreos.com/v1/PrometheusRule": &prometheusRule{},
		}[kind.APIVersion+"/"+kind.Kind]
		require.NotNil(t, object, "%s/%s", kind.APIVersion, kind.Kind)
		require.NoError(t, yaml.UnmarshalStrict(document, object), string(document))
		objects[kind.Kind] = object
	}
}

// pods returns the pods that the objects create.
func pods(objects map[string]any) []corev1.PodSpec {
	var list []corev1.PodSpec
	for _, object := range objects {
		switch o := object.(type) {
		case *appsv1.Deployment:
			list = append(list, o.Spec.Template.Spec)
		case *batchv1.CronJob:
			list = append(list, o.Spec.JobTemplate.Spec.Template.Spec)
		}
	}
	return list
}
