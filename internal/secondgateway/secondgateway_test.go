//go:build !race

// With the race detector these take five times as long, and the tests of the root package run all cases with it.

package secondgateway_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/freeport"
	"github.com/gatecert/gatecert/internal/secondgateway"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets/profile"
)

// timeLimit is how long the gateway waits for its upstream.
const timeLimit = 3 * time.Second

// bodyKey is the key under which hooks find what was read of the request's body, a [*bytes.Buffer].
type bodyKey struct{}

// start starts a gateway whose upstream is called in the given format, and returns the profile of it.
func start(t *testing.T, format string, o secondgateway.Options) profile.Profile {
	t.Helper()
	return serve(t, format, o, plain)
}

func plain(o secondgateway.Options) (http.Handler, error) { return secondgateway.New(o) }

// serve starts what a function makes of the options of a gateway.
func serve(t *testing.T, format string, o secondgateway.Options, gatewayOf func(secondgateway.Options) (http.Handler, error)) profile.Profile {
	t.Helper()
	upstream, dead := freeport.Address(t), freeport.Address(t)
	o.Dir, o.Prefix, o.Timeout = t.TempDir(), "/llm", timeLimit
	require.NoError(t, secondgateway.WriteStore(o.Dir, secondgateway.Fixtures{Upstream: "http://" + upstream, Dead: "http://" + dead, Format: format}))
	gateway, err := gatewayOf(o)
	require.NoError(t, err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		r.Body = struct {
			io.Reader
			io.Closer
		}{io.TeeReader(r.Body, &body), r.Body}
		gateway.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), bodyKey{}, &body)))
	}))
	t.Cleanup(server.Close)
	text := secondgateway.Profile(o.Dir, server.URL, upstream, dead, timeLimit.Milliseconds())
	p, err := profile.Parse("profile.yaml", []byte(text), os.LookupEnv)
	require.NoError(t, err)
	return p
}

// certify runs gatecert on a gateway.
func certify(t *testing.T, cfg gatecert.Config) runlog.Run {
	t.Helper()
	cfg.AllowActions = true
	certification, err := gatecert.New(cfg)
	require.NoError(t, err)
	run, err := certification.Run(t.Context())
	require.NoError(t, err)
	require.True(t, run.Complete(), run.Incomplete())
	return run
}

// explained says why cases did not pass.
func explained(run runlog.Run) string {
	var lines []string
	for _, c := range run.Cases {
		if c.Verdict == contract.Pass {
			continue
		}
		lines = append(lines, fmt.Sprintf("%s %s %s", c.ID, c.Verdict, c.Reason))
		for _, f := range c.Findings {
			if f.Level != contract.Note {
				lines = append(lines, "  "+f.String())
			}
		}
	}
	return strings.Join(append(lines, run.Footer.Notes...), "\n")
}

// The load cases take a quiet machine.
func TestASecondConformantGatewayPassesTheLoadCases(t *testing.T) {
	if os.Getenv("GATECERT_ACCEPTANCE") == "" {
		t.Skip("set GATECERT_ACCEPTANCE=1 to run the load cases on one endpoint: a minute")
	}
	target := start(t, "openai", secondgateway.Options{})
	target.Balance = profile.Balance{}
	passesAll32Rows(t, certify(t, gatecert.Config{Target: target, Level: contract.Full}))
}

func passesAll32Rows(t *testing.T, run runlog.Run) {
	t.Helper()
	assert.Equal(t, contract.Pass, run.Verdict(), explained(run))
	rows := map[contract.RowID]bool{}
	for _, c := range run.Cases {
		assert.Equal(t, contract.Pass, c.Verdict, c.ID)
		rows[c.Row] = true
	}
	assert.Len(t, rows, 32)
}
