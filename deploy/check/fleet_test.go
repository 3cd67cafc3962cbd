package check

import (
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
)

// What gatecert fleet yaml prints is decoded strictly with the types of Kubernetes. The file is what a test of package launcher compares
// its output with.
func TestFleetManifestsAreObjectsOfKubernetes(t *testing.T) {
	content, err := os.ReadFile("../../internal/launcher/testdata/kubernetes.yaml")
	require.NoError(t, err)
	objects := decode(t, content)
	job, ok := objects["Job"].(*batchv1.Job)
	require.True(t, ok)
	require.NotNil(t, job.Spec.CompletionMode)
	assert.Equal(t, batchv1.IndexedCompletion, *job.Spec.CompletionMode)
	assert.Equal(t, int32(20), *job.Spec.Completions)
	assert.Equal(t, int32(20), *job.Spec.Parallelism)
	pod := job.Spec.Template.Spec
	assert.Equal(t, corev1.RestartPolicyNever, pod.RestartPolicy, "a job needs Never or OnFailure")
	worker := pod.Containers[0]
	assert.Contains(t, worker.Args, "--allow-target=https://gateway.example/base")
	assert.Contains(t, worker.Args, "--once")

	// The worker's volume, the service and the server fit together.
	mounted := worker.VolumeMounts[0].Name
	assert.True(t, slices.ContainsFunc(pod.Volumes, func(v corev1.Volume) bool {
		return v.Name == mounted && v.Secret != nil && v.Secret.SecretName == "gatecert-load"
	}))
	service := objects["Service"].(*corev1.Service)
	assert.Contains(t, worker.Args, "--join=nats://"+service.Name+":4222")
	nats := objects["Deployment"].(*appsv1.Deployment)
	for key, value := range service.Spec.Selector {
		assert.Equal(t, value, nats.Spec.Template.Labels[key])
	}
	for key, value := range nats.Spec.Selector.MatchLabels {
		assert.Equal(t, value, nats.Spec.Template.Labels[key])
	}
	for _, p := range []corev1.PodSpec{pod, nats.Spec.Template.Spec} {
		require.NotNil(t, p.SecurityContext.RunAsNonRoot)
		assert.True(t, *p.SecurityContext.RunAsNonRoot)
		assert.True(t, *p.Containers[0].SecurityContext.ReadOnlyRootFilesystem)
	}
	for _, o := range []string{job.Namespace, service.Namespace, nats.Namespace} {
		assert.Equal(t, "tests", o)
	}
}
