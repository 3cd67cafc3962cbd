//go:build !race

// The tests of this package do without the race detector, see secondgateway_test.go.

package secondgateway_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/secondgateway"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets/profile"
)

// Each mutant must be found out, and what is permitted must stay quiet. What the gateway without a change is blamed for does not count.
func TestMutantsThatNobodyWroteForTheJudge(t *testing.T) {
	if os.Getenv("GATECERT_ACCEPTANCE") == "" {
		t.Skip("set GATECERT_ACCEPTANCE=1 to certify 39 changed gateways: minutes")
	}
	for _, m := range secondgateway.Mutants() {
		t.Run("mutant/"+m.Name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, m.Missed == "", len(blamed(t, m)) > 0, "%s: %s", m.Sentence, m.Change)
		})
	}
	for _, m := range secondgateway.Permitted() {
		t.Run("permitted/"+m.Name, func(t *testing.T) {
			t.Parallel()
			assert.Empty(t, blamed(t, m), "%s: %s", m.Sentence, m.Change)
		})
	}
}

// blamed certifies a changed gateway. It returns the findings that count, one a line, and logs them.
func blamed(t *testing.T, m secondgateway.Mutant) []string {
	t.Helper()
	target := serve(t, "openai", secondgateway.Options{}, m.Handler)
	target.Balance = profile.Balance{}
	cfg := gatecert.Config{Target: target, Rows: []string{m.Where}}
	if m.On != "" {
		cfg.Surfaces = []string{m.On}
	}
	var lines []string
	for _, c := range certify(t, cfg).Cases {
		lines = append(lines, against(c)...)
	}
	slices.Sort(lines)
	t.Log(len(lines), "findings\n"+strings.Join(lines, "\n"))
	return lines
}

// against are the findings of a case that change its verdict.
func against(c runlog.Case) []string {
	var lines []string
	for _, f := range c.Findings {
		if f.Level != contract.Note {
			lines = append(lines, fmt.Sprintf("%s %s: %s", c.ID, c.Verdict, f))
		}
	}
	if len(lines) == 0 && c.Verdict != contract.Pass {
		lines = append(lines, fmt.Sprintf("%s %s: %s", c.ID, c.Verdict, c.Reason))
	}
	return lines
}
