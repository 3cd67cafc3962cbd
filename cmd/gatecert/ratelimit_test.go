package main

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/load/limits"
)

func TestALimitThatNobodyDeclaresIsInferred(t *testing.T) {
	t.Parallel()
	url, key := baseURL(t, serveGateway(t))
	dir := t.TempDir()
	code, stdout, stderr := invoke(t.Context(), "load", "rate-limit", url, "--key", key, "--model", "gc-chat", "--calls", "300", "--for", "45s", "--out", dir)
	assert.Equal(t, exitConformant, code, stdout+stderr)
	assert.Contains(t, stderr, "plan: at most 300 calls in 45s, to "+url)
	assert.Contains(t, stdout, "limiter   none", "the valid key has no limit")
	assert.Contains(t, stdout, "reports: "+filepath.Join(dir, "report.html"))
	code, again, stderr := invoke(t.Context(), "report", dir)
	assert.Equal(t, exitConformant, code, stderr)
	assert.Contains(t, again, "limiter   none\n")
	assert.Contains(t, again, "result    clear\n")
}

func TestALoadIsNotSentElsewhereWithoutAYes(t *testing.T) {
	code, _, stderr := invoke(t.Context(), "load", "rate-limit", "http://gateway.invalid", "--key", "k", "--model", "m")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "if the gateway's operator agrees, add --yes")

	code, _, stderr = invoke(t.Context(), "load", "rate-limit", "http://gateway.invalid", "--key", "k", "--model", "m", "--workers", "2")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "if the gateway's operator agrees, add --yes")
	assert.NotContains(t, stderr, "has joined", "nobody is asked before")
}

func TestALimiterThatMakesNoSense(t *testing.T) {
	for _, flags := range [][]string{{"--burst", "3"}, {"--limiter", "leaky"}, {"--rate", "0", "--window", "1s"}, {"--window", "1h"}} {
		code, _, stderr := invoke(t.Context(), append([]string{"gateway", "--listen", "127.0.0.1:0"}, flags...)...)
		assert.Equal(t, exitUsage, code, "%v: %s", flags, stderr)
	}
}

func TestAnInferredLimitAsJSON(t *testing.T) {
	model := limits.LimiterModel{
		Kind: contract.SlidingLog, Limit: 20, Window: 2 * time.Second, Evidence: []string{"drain: 20"},
		Intervals: limits.Intervals{Limit: limits.Interval[int]{From: 20, To: 20}, Window: limits.Interval[time.Duration]{From: 1990 * time.Millisecond, To: 2010 * time.Millisecond}},
	}
	text := func(m limits.LimiterModel, err error) string {
		out, marshalErr := json.Marshal(newInferredLimit(m, limits.Scope{}, []limits.Experiment{{Name: "drain", Sentence: "20", Calls: 31, Took: 1500 * time.Millisecond}}, err))
		require.NoError(t, marshalErr)
		return string(out)
	}
	assert.JSONEq(t, `{"kind": "sliding-log", "limit": 20, "window": 2, "evidence": ["drain: 20"],
		"intervals": {"limit": {"from": 20, "to": 20}, "window": {"from": 1.99, "to": 2.01}, "refill": null},
		"experiments": [{"name": "drain", "sentence": "20", "calls": 31, "took": 1.5}]}`, text(model, nil))
	model.Intervals = limits.Intervals{}
	assert.JSONEq(t, `{"kind": "", "unclear": "inconclusive", "limit": 20, "window": 2, "evidence": ["drain: 20"],
		"experiments": [{"name": "drain", "sentence": "20", "calls": 31, "took": 1.5}]}`, text(model, limits.ErrInconclusive))
}
