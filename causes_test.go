//go:build !race

// Eleven runs of the whole contract, one after the other; the race detector has those of other tests.

package gatecert_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/freeport"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/targets/profile"
)

// Whoever mends the first cause of each run, and nothing else, has a conformant gateway in the end: a gateway with ten flaws has ten
// causes, and each mend removes its cause and changes no other.
func TestFixTheseFirst(t *testing.T) {
	t.Parallel()
	listen := freeport.Address(t)
	toy := &toyGateway{upstream: "http://" + listen, flaws: make(map[string]bool)}
	server := httptest.NewServer(toy)
	defer server.Close()
	target := profile.Profile{
		Name: "toy", BaseURL: server.URL, Surfaces: []dialect.Surface{dialect.Chat, dialect.ChatStream},
		Keys: profile.Keys{Valid: toyKey}, Models: profile.Models{Default: "toy"},
		Upstream: profile.Upstream{Listen: listen}, Limits: profile.Limits{Timeout: 5 * time.Second},
	}
	causes := func() []string {
		r := run(t, gatecert.Config{Target: target, Level: contract.Relay, Rows: []string{
			"http:400", "http:401", "http:404", "code:invalid_request", "code:bad_request_body", "code:read_request_body_failed",
			"code:model_not_found", "code:read_response_body_failed",
		}})
		var titles []string
		for _, c := range reports.Causes(r) {
			titles = append(titles, c.Title)
		}
		if len(titles) == 0 {
			assert.True(t, r.Verdict().Conformant(), failures(r))
		}
		return titles
	}
	require.Empty(t, causes(), "without a flaw the gateway is conformant")
	mends := []struct{ title, flaw string }{
		{"400 responses show a stack trace", stackShown},
		{"401 responses show the caller key", keyEchoed},
		{"200 with an error object instead of 400", errorIn200},
		{"A failed stream looks complete: a clean end without an error", silentEnd},
		{"500 instead of 404", unknownIs500},
		{"400 responses have no Content-Type", noContentType},
		{`400 responses are not valid error envelopes: "error" is a string, not an object`, errorIsString},
		{"404 responses have an HTML page instead of JSON", htmlPage},
		{`401 responses have the code "invalid_api_key"`, wrongCode},
		{"Responses have no param", noParam},
	}
	var want []string
	for _, m := range mends {
		toy.flaws[m.flaw] = true
		want = append(want, m.title)
	}
	for round, m := range mends {
		got := causes()
		require.Equal(t, want[round:], got, "round %d", round+1)
		t.Logf("round %2d: %2d causes, mended: %s", round+1, len(got), m.flaw)
		toy.mend(m.flaw)
	}
	assert.Empty(t, causes(), "after the last round")
}
