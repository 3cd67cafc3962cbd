package reference

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

func TestDeviationsAndVariationsHaveNamesOfTheirOwn(t *testing.T) {
	kebab := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	names, sentences := map[string]bool{}, map[string]bool{}
	check := func(name, sentence string) {
		require.Regexp(t, kebab, name)
		require.False(t, names[name], name)
		require.False(t, sentences[sentence], sentence)
		require.LessOrEqual(t, len(name), 33, "%s does not fit beside 32 rows on a hundred columns", name)
		require.True(t, strings.HasSuffix(sentence, "."), sentence)
		names[name], sentences[sentence] = true, true
	}
	for _, d := range Deviations() {
		check(d.Name, d.Sentence)
		require.NotEmpty(t, d.Theme, d.Name)
	}
	for _, v := range Variations() {
		check(v.Name, v.Sentence)
	}
	require.GreaterOrEqual(t, len(Deviations()), 80)
	require.GreaterOrEqual(t, len(Variations()), 15)
}

func TestEveryTurnNamesCasesOfItsOwn(t *testing.T) {
	for _, d := range Deviations() {
		require.NotEmpty(t, d.Turned(), d.Name)
		first := map[*Turn]bool{}
		exempt := map[int]bool{}
		for _, c := range contract.Cases() {
			if turn := d.TurnOf(c); turn != nil {
				first[turn] = true
			}
			i := slices.IndexFunc(d.Turns, func(turn Turn) bool {
				return slices.ContainsFunc(turn.Cases, func(p contract.Pattern) bool { return p.Matches(c.ID()) })
			})
			exempt[i] = true
		}
		for i := range d.Turns {
			turn := &d.Turns[i]
			require.True(t, turn.stays() && exempt[i] || first[turn], "%s: turn %d is hidden by those before it", d.Name, i)
			for _, p := range turn.Cases {
				_, err := contract.ParsePattern(string(p))
				require.NoError(t, err, d.Name)
				require.NotEmpty(t, p.Cases(), "%s: %s", d.Name, p)
			}
		}
	}
}

func TestEveryRowAndObligationIsBrokenByADeviation(t *testing.T) {
	failed, broken := map[contract.RowID]bool{}, map[contract.Requirement]bool{}
	for _, d := range Deviations() {
		for _, c := range d.Turned() {
			turn := d.TurnOf(c)
			failed[c.Row] = failed[c.Row] || turn.Verdict == contract.Fail
			for _, o := range turn.Breaks {
				broken[o] = true
			}
		}
	}
	for _, r := range contract.Rows() {
		require.True(t, failed[r.ID], "no deviation fails %s", r.ID)
	}
	for _, o := range contract.Requirements() {
		require.True(t, broken[o], "no deviation breaks %s", o)
	}
}

func TestAGatewayThatIsAsItShouldBeHasNoBends(t *testing.T) {
	r := newRig(t)
	require.Zero(t, r.gateway.bends)
	r = newRig(t, func(o *Options) { o.Bends = []string{"none"} })
	require.Zero(t, r.gateway.bends)
}

func TestUnknownBendsAreRefused(t *testing.T) {
	_, err := New(t.Context(), Options{Upstream: "http://127.0.0.1:1", Bends: []string{"malformed-body-as-500", "nosuch"}})
	require.ErrorIs(t, err, ErrOptions)
	require.ErrorContains(t, err, `no deviation "nosuch"`)
}

func TestDeviationsCombine(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Bends = []string{"unknown-model-as-503", "unknown-model-called-no-channel"} })
	a := r.ask(dialect.Chat, r.keys.Valid, "no-such-model", "hi")
	r.requireError(a, 503, "get_channel_failed")
}

// bentStage serves a gateway with a bend, and its provider, as the self-test does.
func bentStage(t *testing.T, bend string) *targets.Session {
	t.Helper()
	prepared, err := Driver{Options: Options{Bends: []string{bend}}}.Prepare(t.Context(), profile.Profile{})
	require.NoError(t, err)
	stage := targets.NewSession(prepared, nil)
	t.Cleanup(func() {
		require.NoError(t, stage.Close())
		require.NoError(t, prepared.Close(context.WithoutCancel(t.Context())))
	})
	return stage
}

// A variation that changes nothing would pass whatever the harness does. Those that are not in the answers themselves
// have a test of their own below.
func TestEveryVariationCanBeSeen(t *testing.T) {
	probes := []string{
		"http:404/unknown-model/gemini", "http:404/unknown-path/chat/wrong-method", "http:429/over-rate-limit/chat",
		"code:count_token_failed/uncountable-input/chat", "code:bad_response_status_code/bad-upstream-status/chat-stream/html-502",
		"code:read_response_body_failed/truncated-upstream-response/chat-stream/cut-stream",
		"code:read_response_body_failed/truncated-upstream-response/gemini-stream/cut-stream",
	}
	look := func(t *testing.T, bend string) []string {
		stage := bentStage(t, bend)
		var seen []string
		for _, id := range probes {
			c, err := contract.ParseCase(id)
			require.NoError(t, err)
			o, err := stage.Observe(t.Context(), c)
			require.NoError(t, err)
			require.Nil(t, o.Failure, id)
			seen = append(seen, portrait(t, o))
		}
		return seen
	}
	ordinary := look(t, "none")
	require.Equal(t, ordinary, look(t, "none"), "the portraits are stable")
	elsewhere := []string{"none", "interim-answers", "slow-but-in-time", "refund-booked-late"}
	for _, v := range Variations() {
		if slices.Contains(elsewhere, v.Name) {
			continue
		}
		t.Run(v.Name, func(t *testing.T) { require.NotEqual(t, ordinary, look(t, v.Name)) })
	}
}

// portrait is an observation without what differs from call to call.
func portrait(t *testing.T, o contract.Observation) string {
	t.Helper()
	for _, name := range []string{"Date", "X-Ratelimit-Reset-Requests", "Retry-After"} {
		if len(o.Header[name]) > 0 {
			o.Header[name] = []string{"…"}
		}
	}
	header, err := json.Marshal(o.Header)
	require.NoError(t, err)
	attempts := 0
	if o.Upstream != nil {
		attempts = len(o.Upstream.Attempts)
	}
	text := fmt.Sprintf("%s %d %s\n%s\n%d attempts", o.Proto, o.Status, header, o.Body, attempts)
	return regexp.MustCompile(`[0-9a-f]{32}|"created":\d+|"Content-Length":\["\d+"\]`).ReplaceAllString(text, "…")
}

func TestInterimAnswersCome(t *testing.T) {
	stage := bentStage(t, "interim-answers")
	var interim []int
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
			interim = append(interim, code)
			return nil
		},
	})
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, stage.Profile.BaseURL+"/v1/models", nil)
	require.NoError(t, err)
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusUnauthorized, response.StatusCode)
	require.Equal(t, []int{http.StatusEarlyHints}, interim)
}

func TestTheSlowSurfaceTakesItsTime(t *testing.T) {
	stage := bentStage(t, "slow-but-in-time")
	o, ok, detail, err := stage.Control(t.Context(), dialect.Completions, targets.ControlHealthy)
	require.NoError(t, err)
	require.True(t, ok, detail)
	require.GreaterOrEqual(t, o.Timing.FirstByte, 250*time.Millisecond)
}

func TestTheLateRefundComes(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Bends = []string{"refund-booked-late"} })
	quota := func() int64 { return r.balanceOf(r.keys.Small).Quota }
	before := quota()
	r.ask(dialect.Embeddings, r.keys.Small, r.models.Dead, "hi")
	require.Eventually(t, func() bool { return quota() == before }, eventually, 10*time.Millisecond)
}

func TestASlowProviderIsNotHungUpOn(t *testing.T) {
	r := newRig(t, impatient, func(o *Options) { o.Bends = []string{"slow-provider-not-hung-up-on"} })
	for _, directive := range []string{"hang", "stall"} {
		a := r.ask(dialect.Chat, r.keys.Valid, r.models.Chat, "hi [[gatecert token="+directive+" "+directive+"]]")
		r.requireError(a, 504, "channel:response_time_exceeded")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		seen, err := r.provider.Seen(ctx, directive)
		require.NoError(t, err)
		require.Len(t, seen.Attempts, 1)
		require.True(t, seen.Attempts[0].Open, directive)
	}
}

func TestTheProfileOfABentGatewayIsReachedOverHTTP2(t *testing.T) {
	stage := bentStage(t, "http2")
	require.True(t, strings.HasPrefix(stage.Profile.BaseURL, "https://"))
	o, ok, detail, err := stage.Control(t.Context(), dialect.ChatStream, targets.ControlHealthy)
	require.NoError(t, err)
	require.True(t, ok, detail)
	require.Equal(t, "HTTP/2.0", o.Proto)

	client := exchange.NewClient(exchange.Limits{})
	defer client.Close()
	o, err = client.Do(t.Context(), targets.HealthyCall(stage.Profile, dialect.Chat, "a"))
	require.NoError(t, err)
	require.NotNil(t, o.Failure, "nobody else trusts it")
	require.Contains(t, o.Failure.Detail, "certificate")
}
