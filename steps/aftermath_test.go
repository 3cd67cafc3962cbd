package steps

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/features"
	"github.com/gatecert/gatecert/reports/runlog"
)

func TestOthersAreServedAfterACase(t *testing.T) {
	const channel = "code:get_channel_failed/no-channel/chat" // an expected 5xx, which a breaker answers too
	unavailable := observation(503, `{"error":{"message":"m","type":"t","param":null,"code":"get_channel_failed"}}`)
	down := &contract.Aftermath{After: 75 * time.Second, Detail: "503"}
	for _, tt := range []struct {
		name      string
		id        string
		after     *contract.Aftermath
		unhealthy []bool // each healthy call, in turn; the others succeed
		verdict   contract.Verdict
		found     contract.Result
	}{
		{"others are served", absentModel, &contract.Aftermath{Served: true}, nil, contract.Pass, contract.Held},
		{"others are served after a while", absentModel, &contract.Aftermath{Served: true, After: time.Second}, nil, contract.Pass, contract.Held},
		{"others are not served", absentModel, down, nil, contract.Warn, contract.Violated},
		{"nothing can be said", absentModel, nil, nil, contract.Pass, ""},
		{"an answer like a breaker's that began the outage", channel, down, []bool{false, true}, contract.Warn, contract.Violated},
		{"an answer that everybody gets now", "code:bad_response/bad-upstream-response/chat/broken-json", down, nil, contract.Untestable, contract.Violated},
		{"an answer in an outage that had begun", channel, down, []bool{true, true}, contract.Untestable, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			calls := 0
			s := &fakeSession{observe: notFound, after: tt.after}
			if tt.id == channel {
				s.observe = func(int, contract.Case) (contract.Observation, error) { return unavailable, nil }
			}
			if strings.HasPrefix(tt.id, "code:bad_response/") {
				s.unhealthyBody = `{"error":{"message":"closed"}}`
				s.observe = func(int, contract.Case) (contract.Observation, error) { return observation(503, s.unhealthyBody), nil }
			}
			s.unhealthy = func() string {
				if calls++; calls <= len(tt.unhealthy) && tt.unhealthy[calls-1] {
					return "503"
				}
				return ""
			}
			s.recover = func() (time.Duration, error) { return 0, assert.AnError }
			c := play(t, Suite{Features: features.FS, Session: s, Witnesses: map[string]bool{tt.id: true}}, tt.id)[tt.id].Case
			assert.Equal(t, tt.verdict, c.Verdict, "%s %v", c.Reason, c.Findings)
			known, err := contract.ParseCase(tt.id)
			assert.NoError(t, err)
			if tt.verdict != contract.Untestable {
				assert.Equal(t, tt.found, contract.Judge(known, *c.Observation).Results[contract.NoCollateral])
				assertStepsAgree(t, c)
			} else {
				assert.Equal(t, tt.found == contract.Violated, c.Observation.Aftermath != nil)
			}
			for _, step := range c.Scenario.Steps {
				if strings.Contains(step.Text, "no other caller is affected") && tt.found == contract.Violated {
					assert.Equal(t, runlog.StepWarned, step.Status)
				}
			}
		})
	}
}
