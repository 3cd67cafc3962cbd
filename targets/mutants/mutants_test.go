package mutants

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/reference"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestNamesAndSentencesAreUnique(t *testing.T) {
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
	for _, m := range All() {
		check(m.Name, m.Sentence)
		require.NotEmpty(t, m.Theme, m.Name)
	}
	for _, p := range Permitted() {
		check(p.Name, p.Sentence)
	}
	require.Len(t, All(), 265)
	require.Len(t, Permitted(), 48)
}

func TestEveryRowAndRequirementHasAMutant(t *testing.T) {
	failed, broken := map[contract.RowID]bool{}, map[contract.Requirement]bool{}
	for _, m := range All() {
		for _, c := range m.Cases() {
			e := m.Expected(c)
			failed[c.Row] = failed[c.Row] || e.Verdict == contract.Fail
			for _, r := range e.Breaks {
				broken[r] = true
			}
		}
	}
	for _, r := range contract.Rows() {
		require.True(t, failed[r.ID], "no mutant fails %s: add one to targets/mutants", r.ID)
	}
	for _, r := range contract.Requirements() {
		require.True(t, broken[r], "no mutant breaks %s: add one to targets/mutants", r)
	}
}

func TestInstall(t *testing.T) {
	var o reference.Options
	require.NoError(t, Install(&o, "none"))
	require.Zero(t, o)
	require.NoError(t, Install(&o, "malformed-body-as-500", "http2"))
	require.Len(t, o.Hooks.Failure, 1)
	require.True(t, o.TLS)
	require.ErrorIs(t, Install(&o, "nosuch"), ErrUnknown)
}

// serve serves a gateway with a mutant or a permitted behaviour, and the mock upstream, as the self-test does.
func serve(t *testing.T, o reference.Options, names ...string) *targets.Session {
	t.Helper()
	require.NoError(t, Install(&o, names...))
	prepared, err := reference.Driver{Options: o}.Prepare(t.Context(), profile.Profile{})
	require.NoError(t, err)
	session := targets.NewSession(prepared, targets.Host{})
	t.Cleanup(func() {
		require.NoError(t, session.Close())
		require.NoError(t, prepared.Close(context.WithoutCancel(t.Context())))
	})
	return session
}

func observe(t *testing.T, s *targets.Session, id string) contract.Observation {
	t.Helper()
	c, err := contract.ParseCase(id)
	require.NoError(t, err)
	o, err := s.Observe(t.Context(), c)
	require.NoError(t, err)
	require.Nil(t, o.Failure, id)
	return o
}

func TestMutantsCombine(t *testing.T) {
	s := serve(t, reference.Options{}, "unknown-model-as-503", "unknown-model-called-no-channel")
	o := observe(t, s, "http:404/unknown-model/chat")
	require.Equal(t, 503, o.Status)
	require.Contains(t, string(o.Body), `"code":"get_channel_failed"`)
}

func TestInterimAnswersAreSent(t *testing.T) {
	s := serve(t, reference.Options{}, "interim-answers")
	var interim []int
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(code int, _ textproto.MIMEHeader) error {
			interim = append(interim, code)
			return nil
		},
	})
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Profile.BaseURL+"/v1/models", nil)
	require.NoError(t, err)
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusUnauthorized, response.StatusCode)
	require.Equal(t, []int{http.StatusEarlyHints}, interim)
}

func TestSlowEndpointTakesItsTime(t *testing.T) {
	s := serve(t, reference.Options{}, "slow-but-in-time")
	o, ok, detail, err := s.Control(t.Context(), dialect.Completions, targets.ControlHealthy)
	require.NoError(t, err)
	require.True(t, ok, detail)
	require.GreaterOrEqual(t, o.Timing.FirstByte, 250*time.Millisecond)
}

func TestLateRefundIsMade(t *testing.T) {
	s := serve(t, reference.Options{}, "refund-booked-late")
	o := observe(t, s, "code:bad_response/bad-upstream-response/embeddings/html")
	require.NotNil(t, o.Balance)
	require.Equal(t, o.Balance.Before, o.Balance.After)
}

func TestSlowUpstreamCallIsNotCancelled(t *testing.T) {
	t.Parallel()
	for _, id := range []string{
		"code:channel:response_time_exceeded/slow-upstream/chat/no-answer",
		"code:channel:response_time_exceeded/slow-upstream/chat/stalled-answer",
	} {
		s := serve(t, reference.Options{Timeout: 300 * time.Millisecond}, "slow-upstream-call-not-cancelled")
		o := observe(t, s, id)
		require.Equal(t, 504, o.Status)
		require.Len(t, o.Upstream.Attempts, 1)
		require.True(t, o.Upstream.Attempts[0].Open, id)
	}
}

func TestHTTP2IsServedWithACertificateOfItsOwn(t *testing.T) {
	s := serve(t, reference.Options{}, "http2")
	require.True(t, strings.HasPrefix(s.Profile.BaseURL, "https://"))
	o, ok, detail, err := s.Control(t.Context(), dialect.ChatStream, targets.ControlHealthy)
	require.NoError(t, err)
	require.True(t, ok, detail)
	require.Equal(t, "HTTP/2.0", o.Proto)

	client := exchange.NewClient(exchange.Limits{}, nil)
	defer client.Close()
	o, err = client.Do(t.Context(), targets.HealthyCall(s.Profile, dialect.Chat, "a"))
	require.NoError(t, err)
	require.NotNil(t, o.Failure, "other clients do not trust it")
	require.Contains(t, o.Failure.Detail, "certificate")
}

func TestAnUnknownVersionIsRefused(t *testing.T) {
	s := serve(t, reference.Options{}, "newer-version-refused")
	refused, err := s.TryNewerVersion(t.Context(), dialect.Messages)
	require.NoError(t, err)
	require.Contains(t, refused, "the gateway does not support version 2026-10-21 of the API on messages (400 with")
	refused, err = s.TryNewerVersion(t.Context(), dialect.Chat)
	require.NoError(t, err)
	require.Empty(t, refused, "OpenAI's API has no versions")
}
