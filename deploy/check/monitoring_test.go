package check

import (
	"bufio"
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// serviceMonitor and prometheusRule contain the fields of the Prometheus operator's types that the chart uses.
type serviceMonitor struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              struct {
		Selector  metav1.LabelSelector `json:"selector"`
		Endpoints []struct {
			Port     string `json:"port"`
			Path     string `json:"path"`
			Interval string `json:"interval"`
		} `json:"endpoints"`
	} `json:"spec"`
}

type prometheusRule struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              ruleGroups `json:"spec"`
}

type ruleGroups struct {
	Groups []struct {
		Name  string `json:"name"`
		Rules []struct {
			Alert       string            `json:"alert"`
			Expr        string            `json:"expr"`
			For         string            `json:"for"`
			Labels      map[string]string `json:"labels"`
			Annotations map[string]string `json:"annotations"`
		} `json:"rules"`
	} `json:"groups"`
}

// The operator gets the alerts in deploy/prometheus. Helm does not change the variables of Prometheus in them.
func TestPrometheusRuleHoldsTheAlerts(t *testing.T) {
	content, err := os.ReadFile("../prometheus/gatecert.rules.yaml")
	require.NoError(t, err)
	var alerts ruleGroups
	require.NoError(t, yaml.UnmarshalStrict(content, &alerts))
	objects, err := render(t, values{"watch": values{"prometheusRule": values{"enabled": true}}})
	require.NoError(t, err)
	assert.Equal(t, alerts, objects["PrometheusRule"].(*prometheusRule).Spec)
	assert.Contains(t, alerts.Groups[0].Rules[0].Annotations["summary"], "{{ $labels.target }}")
}

func newReader(content []byte) *bufio.Reader { return bufio.NewReader(bytes.NewReader(content)) }
