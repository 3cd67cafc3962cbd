//go:build !race

// With the race detector the largest of these files take most of a minute.

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/reports/certificate"
)

// bombs are files that ask for far more time or memory than they have bytes.
func bombs() map[string]string {
	repeat := strings.Repeat
	aliases := "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
	stairs, keys := "", ""
	for i := range 12 {
		aliases += fmt.Sprintf("a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(repeat(fmt.Sprintf("*a%d, ", i), 10), ", "))
	}
	for i := range 1200 {
		stairs += repeat(" ", i) + "a:\n"
	}
	for i := range 13_000 {
		keys += fmt.Sprintf("k%d: 1\n", i)
	}
	const header = `{"type":"header","schema":"gatecert.run/2","run_id":"x","tool":"x",`
	return map[string]string{
		"20,000 brackets": repeat("[", 20_000), "100,000 brackets": repeat("[", 100_000), "a million brackets": repeat("[", 1_000_000),
		"braces": repeat("{a: ", 20_000), "dashes": repeat("- ", 20_000), "question marks": repeat("? ", 20_000), "anchors": repeat("&a ", 20_000),
		"aliases": aliases, "an alias of itself": "a: &a {<<: *a}\n", "stairs": stairs, "keys in one mapping": keys,
		"keys in one flow mapping": "{" + strings.ReplaceAll(keys, "\n", ", ") + "}",
		"blank lines in a block":   "a: |\n" + repeat(" \n", 200_000), "comments": repeat("# c\n", 200_000), "documents": repeat("--- a\n", 100_000),
		"one long string": `a: "` + repeat("x", 4<<20) + `"`, "ten megabytes": repeat("a: b\n", 2<<20),
		"a log of brackets":    header + `"expected":` + repeat("[", 100_000) + "\n",
		"a log of objects":     header + `"x":` + repeat(`{"a":`, 100_000) + "\n",
		"a log of empty texts": header + `"expected":[""` + repeat(`,""`, 5_000_000) + "]}\n",
		"a log of events":      header + `"expected":[]}` + "\n" + repeat(`{"type":"control"}`+"\n", 500_000),
		"a log without lines":  repeat("x", 40<<20),
		"a log of one header":  header + `"command":["` + repeat("x", 40<<20) + `"],"expected":[]}` + "\n",
		"a profile of zeros":   "base_url: https://gateway.test\nkeys: {valid: sk}\nmodels: {default: m}\ntls: {ca: /dev/zero}\n",
	}
}

// A stranger's file is refused before it takes a second of work or 50 MB.
func TestAStrangersFileIsBounded(t *testing.T) {
	dir := t.TempDir()
	key, sound := filepath.Join(dir, "key"), filepath.Join(dir, "sound")
	code, _, stderr := invoke(t.Context(), "keygen", key)
	require.Equal(t, exitConformant, code, stderr)
	code, _, stderr = invoke(t.Context(), append(shortRun, "--out", sound)...)
	require.Equal(t, exitConformant, code, stderr)
	for name, content := range bombs() {
		folder := filepath.Join(dir, "folder")
		file := filepath.Join(folder, "bomb")
		require.NoError(t, os.MkdirAll(folder, 0o700))
		for _, part := range []string{"bomb", certificate.ReportFile, certificate.EnvelopeFile, certificate.LogFile} {
			require.NoError(t, os.WriteFile(filepath.Join(folder, part), []byte(content), 0o600))
		}
		for _, args := range [][]string{
			{"explain", "http:404", "--target", file}, {"report", file}, {"run", "--rows", "http:404", "--baseline", file, "--out", filepath.Join(dir, "out")},
			{"run", "--target", file, "--out", filepath.Join(dir, "out")},
			{"verify", file, "--key", file}, {"certify", file, "--key", key + ".pem", "--out", filepath.Join(dir, "out")},
			{"verify", sound, "--key", key + ".pub.pem", "--certificate", folder}, {"diff", file, sound}, {"hall", folder, "--out", filepath.Join(dir, "site")}, {"replay", "http:404/unknown-model/chat", "--from", file},
		} {
			var worked time.Duration
			peak := heapPeak(t, func() {
				began := processorTime(t)
				code, _, stderr := invoke(t.Context(), args...)
				worked = processorTime(t) - began
				assert.NotEqual(t, exitConformant, code, "%s: %v", name, args)
				assert.Less(t, len(stderr), 2000, name)
			})
			// Work, and not time: other processes may have the machine.
			assert.Less(t, worked, time.Second, "%s: %v", name, args)
			assert.Less(t, peak, uint64(50_000_000), "%s: %v", name, args)
		}
	}
}

// processorTime is how long the processors have worked for this process.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// heapPeak is how far the memory in use grows while f runs.
func heapPeak(t *testing.T, f func()) uint64 {
	t.Helper()
	runtime.GC()
	var start runtime.MemStats
	runtime.ReadMemStats(&start)
	done, peak := make(chan struct{}), make(chan uint64)
	go func() {
		most := uint64(0)
		for {
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			if now.HeapAlloc > start.HeapAlloc {
				most = max(most, now.HeapAlloc-start.HeapAlloc)
			}
			select {
			case <-done:
				peak <- most
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	f()
	close(done)
	return <-peak
}

func TestAKeyIsNotSentToTheGatewayOfAStrangersLog(t *testing.T) {
	var keys []string
	stranger := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { keys = append(keys, r.Header.Get("Authorization")) }))
	defer stranger.Close()
	log := filepath.Join(t.TempDir(), "run.ndjson")
	header := map[string]any{
		"type": "header", "schema": "gatecert.run/2", "run_id": "x", "tool": "x", "expected": []string{"http:401/missing-key/chat"},
		"target": map[string]any{"name": "x", "base_url": stranger.URL, "driver": "static", "profile": "base_url: " + stranger.URL + "\nsurfaces: [chat]\nmodels: {default: m}\n"},
	}
	line, err := json.Marshal(header)
	require.NoError(t, err)
	one := `{"type":"case","id":"http:401/missing-key/chat","row":"http:401","circumstance":"missing-key","surface":"chat","level":"edge","verdict":"pass"}`
	require.NoError(t, os.WriteFile(log, []byte(string(line)+"\n"+one+"\n"), 0o600))
	t.Setenv("GATEWAY_KEY", "sk-mine-0123456789")
	code, _, stderr := invoke(t.Context(), "replay", "http:401/missing-key/chat", "--from", log)
	assert.Equal(t, exitUsage, code, stderr)
	assert.Contains(t, stderr, "the key in $GATEWAY_KEY would be sent to "+stranger.URL+", an address that comes only from the log: specify the gateway with a URL or --target")
	assert.Empty(t, keys)
	_, _, stderr = invoke(t.Context(), "replay", "http:401/missing-key/chat", "--from", log, "--yes")
	assert.NotContains(t, stderr, "would be sent")
	assert.NotEmpty(t, keys)
}

func TestAReportOnATerminalHasNothingThatItWouldObey(t *testing.T) {
	const hostile = "{\"a\": \"\u009b2J\u202egnp.\u2066x\u200b\U000e0001é\"}\n"
	var out bytes.Buffer
	c := &console{out: &out, shown: true}
	require.NoError(t, c.print(func(w io.Writer) error { _, err := io.WriteString(w, hostile); return err }))
	assert.Equal(t, `{"a": "\u009b2J\u202egnp.\u2066x\u200b\udb40\udc01é"}`+"\n", out.String())
	var before, after map[string]string
	require.NoError(t, json.Unmarshal([]byte(hostile), &before))
	require.NoError(t, json.Unmarshal(out.Bytes(), &after))
	assert.Equal(t, before, after, "it is the same JSON")
	out.Reset()
	c.shown = false
	require.NoError(t, c.print(func(w io.Writer) error { _, err := io.WriteString(w, hostile); return err }))
	assert.Equal(t, hostile, out.String(), "a file gets it as it is")
}

func TestAByteOrderMarkBeforeAProfileIsSkipped(t *testing.T) {
	file := filepath.Join(t.TempDir(), "p.yaml")
	require.NoError(t, os.WriteFile(file, []byte("\uFEFFbase_url: http://gateway.test\n"), 0o600))
	code, _, stderr := invoke(t.Context(), "explain", "http:404", "--target", file)
	assert.Equal(t, exitConformant, code, stderr)
}
