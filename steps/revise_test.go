package steps

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/features"
	"github.com/gatecert/gatecert/reports/runlog"
)

func TestCallsThatReachTheUpstreamLateReviseACase(t *testing.T) {
	once := contract.Seen{Attempts: []contract.Attempt{{Late: true}}}
	for _, tt := range []struct {
		name, id string
		status   int
		code     string
		seen     contract.Seen
		verdict  contract.Verdict
		step     runlog.StepStatus // of the sentence about the upstream
	}{
		{"a refused request", "http:401/missing-key/chat", 401, "access_denied", once, contract.Warn, runlog.StepWarned},
		{"retries within bounds", "code:bad_response_status_code/bad-upstream-status/chat/html-502", 502, "bad_response_status_code",
			contract.Seen{Attempts: []contract.Attempt{{}, {Late: true}}}, contract.Pass, runlog.StepPassed},
		{"retries without end", "code:bad_response_status_code/bad-upstream-status/chat/html-502", 502, "bad_response_status_code",
			contract.Seen{Attempts: []contract.Attempt{{}, {}, {}, {Late: true}}}, contract.Warn, runlog.StepWarned},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := observation(tt.status, `{"error":{"message":"m","type":"t","param":null,"code":"`+tt.code+`"}}`)
			o.Upstream = &contract.Seen{}
			if tt.seen.Attempts[0] == (contract.Attempt{}) {
				o.Upstream = &contract.Seen{Attempts: []contract.Attempt{{}}}
			}
			observe := func(int, contract.Case) (contract.Observation, error) { return o, nil }
			before := play(t, Suite{Features: features.FS, Session: &fakeSession{observe: observe}}, tt.id)[tt.id].Case
			require.Equal(t, contract.Pass, before.Verdict, before.Findings)
			c, err := contract.ParseCase(tt.id)
			require.NoError(t, err)
			after, changed := Revise(c, before, tt.seen)
			assert.Equal(t, tt.verdict != contract.Pass, changed)
			assert.Equal(t, tt.verdict, after.Verdict)
			sentence := func(s runlog.Step) bool { return strings.Contains(s.Text, "the upstream is") }
			at := slices.IndexFunc(after.Scenario.Steps, sentence)
			assert.Equal(t, tt.step, after.Scenario.Steps[at].Status)
			assert.Equal(t, runlog.StepPassed, before.Scenario.Steps[at].Status, "the earlier outcome stays as it was")
			assertStepsAgree(t, after)
		})
	}
	c, err := contract.ParseCase(absentModel)
	require.NoError(t, err)
	_, changed := Revise(c, runlog.Case{Verdict: contract.Untestable, Observation: &contract.Observation{}, Scenario: &runlog.Scenario{}}, once)
	assert.False(t, changed, "what could not be judged is not judged now")
}
