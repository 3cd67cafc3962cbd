package watch

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
)

// served are the names of the metrics of a watch that had a run.
func served(t *testing.T) []string {
	t.Helper()
	m := newMetrics("gateway")
	r := both(contract.Pass, contract.Fail)
	s, changes := state{}.next("20261129T120000.000", r)
	m.add(Entry{Outcome: s.Outcome, Changes: changes, Cases: counts(r)}, r, s)
	families, err := m.registry.Gather()
	require.NoError(t, err)
	var names []string
	for _, f := range families {
		names = append(names, f.GetName())
		assert.NotEmpty(t, f.GetHelp())
		assert.NotEmpty(t, f.GetMetric(), f.GetName())
	}
	return names
}

var metricName = regexp.MustCompile(`\bgatecert_[a-z_]+`)

// The dashboard, the alerts and the page about watching name metrics that exist; the page names all of them.
func TestDashboardAlertsAndDocumentNameTheMetrics(t *testing.T) {
	names := served(t)
	named := func(path string) []string {
		content, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(path)))
		require.NoError(t, err)
		var list []string
		for _, name := range metricName.FindAllString(string(content), -1) {
			for _, suffix := range []string{"_bucket", "_sum", "_count"} {
				if base, ok := strings.CutSuffix(name, suffix); ok && slices.Contains(names, base) {
					name = base
				}
			}
			assert.Contains(t, names, name, path)
			list = append(list, name)
		}
		assert.NotEmpty(t, list, path)
		return list
	}
	named("deploy/grafana/gatecert.json")
	named("deploy/prometheus/gatecert.rules.yaml")
	assert.Subset(t, named("docs/watch.md"), names)
}

func TestDeploymentFilesAreValid(t *testing.T) {
	root := filepath.Join("..", "..", "deploy")
	dashboard, err := os.ReadFile(filepath.Join(root, "grafana", "gatecert.json"))
	require.NoError(t, err)
	var panels struct {
		Panels []struct {
			ID      int                     `json:"id"`
			Targets []struct{ Expr string } `json:"targets"`
		} `json:"panels"`
	}
	require.NoError(t, json.Unmarshal(dashboard, &panels))
	ids := make(map[int]bool)
	for _, p := range panels.Panels {
		assert.False(t, ids[p.ID], "panel %d twice", p.ID)
		ids[p.ID] = true
		assert.NotEmpty(t, p.Targets)
	}
	for _, name := range []string{"watch.yaml", "cronjob.yaml"} {
		content, err := os.ReadFile(filepath.Join(root, "kubernetes", name))
		require.NoError(t, err)
		for i, document := range strings.Split(string(content), "\n---\n") {
			var object struct {
				APIVersion string `yaml:"apiVersion"`
				Kind       string
				Metadata   struct{ Name string }
			}
			require.NoError(t, yaml.Unmarshal([]byte(document), &object), "%s, document %d", name, i+1)
			assert.NotEmpty(t, object.APIVersion)
			assert.NotEmpty(t, object.Kind)
			assert.NotEmpty(t, object.Metadata.Name)
		}
		assert.NotContains(t, string(content), ":latest")
	}
	rules := filepath.Join(root, "prometheus", "gatecert.rules.yaml")
	var parsed any
	content, err := os.ReadFile(rules)
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(content, &parsed))
	if _, err := exec.LookPath("promtool"); err != nil {
		t.Log("no promtool in PATH: the expressions of the alerts were not parsed")
		return
	}
	out, err := exec.CommandContext(t.Context(), "promtool", "check", "rules", rules).CombinedOutput()
	assert.NoError(t, err, string(out))
}
