package targets

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
)

// Both manners of sending have to occur, and a case is always sent in the same one.
func TestCasesAreSentAsClientsSendThem(t *testing.T) {
	s := &Session{Profile: relayProfile()}
	s.newer.Store(dialect.Messages, true)
	kept, versions := map[bool]int{}, map[string]int{}
	for _, c := range contract.Cases() {
		first, err := s.request(c, "tok")
		if err != nil {
			continue
		}
		again, err := s.request(c, "tok")
		require.NoError(t, err)
		require.Equal(t, first, again, c.ID())
		onKept := s.onKeptConnection(c, first)
		kept[onKept]++
		if onKept {
			assert.Equal(t, contract.ReachNever, c.Reach(), c.ID())
			assert.Equal(t, exchange.NoFault, first.Call.Fault, c.ID())
		}
		field, _ := dialect.Anthropic.Version()
		versions[string(c.Surface.Dialect())+" "+first.Call.Header[field]]++
	}
	assert.Greater(t, kept[true], 5)
	assert.Greater(t, kept[false], kept[true])
	assert.Greater(t, versions["anthropic 2026-10-21"], 5)
	assert.Greater(t, versions["anthropic "], versions["anthropic 2026-10-21"], "messages-stream does not serve it")
	assert.Zero(t, versions["openai 2026-10-21"]+versions["gemini 2026-10-21"])

	s.health.slowDown(1)
	for _, c := range contract.Cases() {
		if pr, err := s.request(c, "tok"); err == nil {
			require.False(t, s.onKeptConnection(c, pr), "calls that are not judged would use up the limit")
		}
	}
}

func TestAProfileMaySetItsOwnVersion(t *testing.T) {
	var sent []string
	gateway := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { sent = r.Header["Anthropic-Version"] }))
	defer gateway.Close()
	p := relayProfile()
	p.BaseURL, p.Headers = gateway.URL, map[string]string{"anthropic-version": "2024-01-01"}
	s := NewSession(Prepared{Profile: p}, Host{})
	defer s.Close()
	refused, err := s.TryNewerVersion(t.Context(), dialect.Messages)
	require.NoError(t, err)
	assert.Empty(t, refused)
	assert.Nil(t, sent, "nothing is tried")
}
