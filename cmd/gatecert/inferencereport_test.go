//go:build !race

package main

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An inference that is killed keeps the experiments that it has made.
func TestAnInferenceThatIsInterruptedKeepsItsExperiments(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(&limitedServer{by: func(r *http.Request) string { return r.Header.Get("Authorization") }, limit: 8, used: map[string][]time.Time{}})
	defer server.Close()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for ctx.Err() == nil {
			if m, err := readMeasured(dir); err == nil && len(m.Experiments) > 0 {
				cancel()
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	code, _, stderr := invoke(ctx, "load", "rate-limit", server.URL, "--infer", "--model", "m", "--key", "sk-caller-0123456789", "--out", dir)
	assert.NotEqual(t, exitConformant, code, stderr)
	m, err := readMeasured(dir)
	require.NoError(t, err)
	require.NotEmpty(t, m.Experiments)
	assert.NotEmpty(t, m.Experiments[0].Answers)
	assert.False(t, m.Complete())
	assert.FileExists(t, filepath.Join(dir, "report.html"))
	code, again, _ := invoke(t.Context(), "report", dir)
	assert.Equal(t, exitIncomplete, code)
	assert.Contains(t, again, "result    unclear (stopped early)")
}
