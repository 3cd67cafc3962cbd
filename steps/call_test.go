package steps

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/features"
)

func TestAnAnswerThatMayComeFromTheGatewaysState(t *testing.T) {
	const (
		relayed   = "code:bad_response/bad-upstream-response/chat/html"
		noChannel = "code:get_channel_failed/no-channel/chat"
		spent     = "code:insufficient_user_quota/spent-account/chat"
		refused4  = "http:400/malformed-parameter/chat/refused-400"
	)
	asked := func(o contract.Observation, attempts ...contract.Attempt) contract.Observation {
		o.Upstream = &contract.Seen{Attempts: attempts}
		return o
	}
	code := func(status int, code string) contract.Observation {
		return observation(status, `{"error":{"message":"m","type":"t","param":null,"code":"`+code+`"}}`)
	}
	var (
		good    = asked(code(502, "bad_response"), contract.Attempt{Status: 200})
		breaker = asked(observation(503, "breaker open"))
		channel = code(503, "get_channel_failed")
		second  = asked(observation(503, "breaker open"), contract.Attempt{Status: 400})
		refused = asked(code(400, "invalid_request"), contract.Attempt{Status: 400})
		limit   = observation(429, `{}`)
		absent  = code(404, "model_not_found")
		quota   = code(429, "insufficient_user_quota")
	)
	healthy := func() string { return "" }
	failing := func() string { return "503 with breaker open" }
	after := func(waited time.Duration, err error) func() (time.Duration, error) {
		return func() (time.Duration, error) { return waited, err }
	}
	for _, tt := range []struct {
		name      string
		id        string
		answers   []contract.Observation // by try; the last one repeats
		unhealthy func() string
		recover   func() (time.Duration, error)
		verdict   contract.Verdict
		tries     int
		reason    string
	}{
		{"a breaker before the upstream, once", relayed, []contract.Observation{breaker, good}, failing, after(time.Second, nil), contract.Pass, 2, ""},
		{"the upstream was not reached, on a healthy gateway", relayed, []contract.Observation{breaker}, healthy, nil, contract.Untestable, 2, "never called the upstream"},
		{"the upstream was out of service for a moment", relayed, []contract.Observation{breaker, good}, healthy, nil, contract.Pass, 2, ""},
		{"a refusal before the upstream, on a healthy gateway", relayed, []contract.Observation{asked(code(400, "invalid_request"))}, healthy, nil,
			contract.Untestable, 1, "never called the upstream"},
		{"a breaker that stays open", relayed, []contract.Observation{breaker}, failing, after(0, errors.New("still down")), contract.Untestable, 1, "still down"},
		{"a breaker that opens each time", relayed, []contract.Observation{breaker}, failing, after(time.Second, nil), contract.Untestable, 4, "gatecert ran the case 4 times, and each time the next healthy call failed"},
		{"a breaker that the call itself opened, once", refused4, []contract.Observation{second, refused}, failing, after(time.Second, nil), contract.Pass, 2, ""},
		{"a breaker that the call itself opens each time", refused4, []contract.Observation{second}, failing, after(time.Second, nil), contract.Untestable, 4, "each time the next healthy call failed"},
		{"a reached 503 of a gateway that answers healthy calls with something else", relayed,
			[]contract.Observation{asked(code(503, "x"), contract.Attempt{Status: 200})}, failing, nil, contract.Fail, 1, ""},
		{"a reached 503 of a healthy gateway", relayed, []contract.Observation{asked(code(503, "x"), contract.Attempt{Status: 200})}, healthy, nil, contract.Fail, 1, ""},
		{"a 400 that healthy calls get too, once", absentModel, []contract.Observation{observation(400, "breaker open"), absent}, healthy, nil, contract.Pass, 2, ""},
		{"a 400 that healthy calls got too, of a healthy gateway", absentModel, []contract.Observation{observation(400, "breaker open")}, healthy, nil, contract.Fail, 2, ""},
		{"an unexpected 503, once", absentModel, []contract.Observation{breaker, absent}, healthy, nil, contract.Pass, 2, ""},
		{"an unexpected 503 of a healthy gateway", absentModel, []contract.Observation{breaker}, healthy, nil, contract.Fail, 2, ""},
		{"an unexpected 503 of a gateway that is not healthy", absentModel, []contract.Observation{breaker}, failing, after(time.Second, nil), contract.Untestable, 4, "each time the next healthy call failed"},
		{"the row's own 503 of a healthy gateway", noChannel, []contract.Observation{channel}, healthy, nil, contract.Pass, 1, ""},
		{"the row's own 503, and the gateway is not healthy", noChannel, []contract.Observation{channel}, failing, after(0, errors.New("still down")), contract.Untestable, 1, "still down"},
		{"a foreign 429, once", absentModel, []contract.Observation{limit, absent}, healthy, nil, contract.Pass, 2, ""},
		{"a foreign 429 each time is never a failure", absentModel, []contract.Observation{limit}, healthy, nil, contract.Untestable, 2, "refused 2 attempts with 429"},
		{"a 429 for a call that reached the upstream is the gateway's own word", relayed,
			[]contract.Observation{asked(limit, contract.Attempt{Status: 200})}, healthy, nil, contract.Fail, 1, ""},
		{"a 429 with the row's own code is the row's", spent, []contract.Observation{quota}, failing, nil, contract.Warn, 1, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			session := &fakeSession{unhealthy: tt.unhealthy, unhealthyBody: "breaker open", recover: tt.recover, observe: func(try int, _ contract.Case) (contract.Observation, error) {
				return tt.answers[min(try, len(tt.answers))-1], nil
			}}
			o := play(t, Suite{Features: features.FS, Session: session}, tt.id)[tt.id]
			assert.Equal(t, tt.verdict, o.Case.Verdict, o.Case.Reason)
			assert.Equal(t, tt.tries, o.Case.Tries)
			assert.Contains(t, o.Case.Reason, tt.reason)
			assertStepsAgree(t, o.Case)
		})
	}
}

// A refusal that needs no upstream can be had of a gateway that serves nobody; what has to fail the upstream cannot.
func TestAFragileGatewayThatDoesNotRecover(t *testing.T) {
	const relayed = "code:bad_response/bad-upstream-response/chat/html"
	still := func() (time.Duration, error) { return 0, errors.New("still down") }
	breaker := observation(503, "breaker open")
	for _, tt := range []struct {
		name    string
		id      string
		observe func(int, contract.Case) (contract.Observation, error)
		verdict contract.Verdict
		tries   int
	}{
		{"its own refusal", absentModel, notFound, contract.Pass, 1},
		{"the breaker's answer", absentModel, func(int, contract.Case) (contract.Observation, error) { return breaker, nil }, contract.Untestable, 1},
		{"the upstream's failure", relayed, notFound, contract.Untestable, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			session := &fakeSession{observe: tt.observe, recover: still, atOnce: 1, unhealthy: func() string { return "503" }}
			o := play(t, Suite{Features: features.FS, Session: session, Concurrency: 4}, tt.id)[tt.id].Case
			assert.Equal(t, tt.verdict, o.Verdict, o.Reason)
			assert.Equal(t, tt.tries, o.Tries)
		})
	}
}

func TestAPacedRunSlowsDownWhenItIsRefusedAgain(t *testing.T) {
	session := &fakeSession{limited: true, observe: func(try int, c contract.Case) (contract.Observation, error) {
		if try < 3 {
			return observation(429, `{}`), nil
		}
		return notFound(try, c)
	}}
	o := play(t, Suite{Features: features.FS, Session: session}, absentModel)[absentModel].Case
	assert.Equal(t, contract.Pass, o.Verdict)
	assert.Equal(t, 3, o.Tries)
	assert.Equal(t, 1, session.slowed)
}
