package gatecerttest_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/gatecerttest"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/reference"
)

// gatewayURL is the environment variable that turns this test binary into that of a gateway, with the URL to certify.
const gatewayURL = "GATECERTTEST_URL"

// embedded are the cases of the tests below, on one surface.
var embedded = []string{"http:404", "code:model_not_found", "code:bad_request_body", "code:get_channel_failed"}

func certify(t *testing.T, rows ...string) {
	t.Helper()
	url := os.Getenv(gatewayURL)
	if url == "" {
		t.Skip("only run by the other tests of this package")
	}
	target := profile.FromURL(url, "sk-test", "gpt-test")
	target.Surfaces, target.Settle.Recovery = []dialect.Surface{dialect.Chat}, time.Millisecond
	gatecerttest.Test(t, gatecert.Config{Target: target, Rows: rows})
}

func TestEmbedded(t *testing.T) { certify(t, embedded...) }

func TestEmbeddedInParallel(t *testing.T) {
	for _, row := range embedded[:3] {
		t.Run(row, func(t *testing.T) {
			t.Parallel()
			certify(t, row)
		})
	}
}

// outcome is what one go test printed: the verdict of each test by its name, and whether all passed.
type outcome struct {
	tests  map[string]string
	passed bool
	text   string
}

var verdictLine = regexp.MustCompile(`(?m)^ *--- (PASS|FAIL|SKIP): (\S+) `)

// goTest runs this binary's tests as go test would, against a gateway.
func goTest(t *testing.T, url string, flags ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, os.Args[0], append([]string{"-test.v"}, flags...)...)
	command.Env = append(os.Environ(), gatewayURL+"="+url)
	text, err := command.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	o := outcome{tests: map[string]string{}, passed: err == nil, text: string(text)}
	for _, m := range verdictLine.FindAllStringSubmatch(o.text, -1) {
		o.tests[m[2]] = m[1]
	}
	return o
}

// with returns the names of the subtests with a verdict.
func (o outcome) with(verdict string) []string {
	var names []string
	for name, v := range o.tests {
		if v == verdict && strings.Contains(name, "/") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// counted is a small gateway that counts its requests: GET, POST or DELETE, and the kind of the body.
type counted struct {
	mu       sync.Mutex
	requests []string
	// code is that of an unknown model.
	code string
}

func (g *counted) serve(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(g)
	t.Cleanup(server.Close)
	return server.URL
}

func (g *counted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	kind, status, answer := "healthy", http.StatusOK, `{"choices":[{"message":{"content":"hi"}}]}`
	fail := func(k string, s int, code string) {
		kind, status, answer = k, s, `{"error":{"message":"m","type":"t","param":null,"code":"`+code+`"}}`
	}
	switch {
	case r.URL.Path != "/v1/chat/completions" || r.Method != http.MethodPost:
		fail("no path", http.StatusNotFound, "invalid_request")
	case !bytes.HasPrefix(body, []byte("{")) || !bytes.HasSuffix(bytes.TrimSpace(body), []byte("}")):
		fail("no JSON", http.StatusBadRequest, "bad_request_body")
	case !bytes.Contains(body, []byte(`"gpt-test"`)):
		fail("no model", http.StatusNotFound, g.code)
	}
	g.mu.Lock()
	g.requests = append(g.requests, kind)
	g.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, answer)
}

func (g *counted) count(kind string) (n int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, k := range g.requests {
		if k == kind {
			n++
		}
	}
	return n
}

const (
	absentModel  = "code:model_not_found/absent-model/chat"
	unknownModel = "http:404/unknown-model/chat"
)

func TestOnlyTheSelectedCasesAreSent(t *testing.T) {
	for _, tt := range []struct {
		name   string
		flags  []string
		passed []string
		// sent are the requests by kind; the control calls are two healthy ones and one with an unknown model.
		// A healthy call is made before and after the first case of a circumstance.
		sent map[string]int
	}{
		{"one row", []string{"-test.run=^TestEmbedded$/code:model_not_found"}, []string{absentModel}, map[string]int{"healthy": 4, "no model": 2}},
		{"one circumstance", []string{"-test.run=^TestEmbedded$/.*/unknown-path"}, []string{
			"http:404/unknown-path/chat/get", "http:404/unknown-path/chat/no-such-path", "http:404/unknown-path/chat/wrong-method",
		}, map[string]int{"healthy": 4, "no model": 1, "no path": 3}},
		{"all but the rows that are skipped", []string{"-test.run=^TestEmbedded$", "-test.skip=TestEmbedded/(code:bad_request_body|http)"}, []string{absentModel},
			map[string]int{"healthy": 4, "no model": 2}},
		{"no case", []string{"-test.run=^TestEmbedded$/code:no_such_code"}, nil, map[string]int{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			g := &counted{code: "model_not_found"}
			o := goTest(t, g.serve(t), tt.flags...)
			assert.True(t, o.passed, o.text)
			assert.Empty(t, o.with("FAIL"))
			var passed []string
			for _, id := range tt.passed {
				passed = append(passed, "TestEmbedded/"+id)
			}
			assert.Equal(t, passed, o.with("PASS"), o.text)
			sent := map[string]int{}
			for _, kind := range []string{"healthy", "no model", "no JSON", "no path"} {
				if n := g.count(kind); n > 0 {
					sent[kind] = n
				}
			}
			assert.Equal(t, tt.sent, sent)
		})
	}
}

func TestAGatewayFailsInItsOwnSubtests(t *testing.T) {
	g := &counted{code: "not_found"}
	o := goTest(t, g.serve(t), "-test.run=^TestEmbedded$")
	assert.False(t, o.passed)
	assert.Equal(t, []string{"TestEmbedded/" + absentModel}, o.with("FAIL"), o.text)
	assert.Contains(t, o.text, `MUST code: got "not_found", want "model_not_found" in error.code`)
	assert.Contains(t, o.with("PASS"), "TestEmbedded/"+unknownModel, "a warning does not fail")
	assert.Contains(t, o.text, `SHOULD code-known: got "not_found"`)
	assert.Equal(t, []string{"TestEmbedded/code:get_channel_failed/no-channel/chat"}, o.with("SKIP"), "the target does not offer it")
}

func TestTestsMayRunInParallel(t *testing.T) {
	g := &counted{code: "model_not_found"}
	o := goTest(t, g.serve(t), "-test.run=^TestEmbeddedInParallel$", "-test.parallel=3")
	assert.True(t, o.passed, o.text)
	assert.Subset(t, o.with("PASS"), []string{
		"TestEmbeddedInParallel/http:404/" + unknownModel, "TestEmbeddedInParallel/code:model_not_found/" + absentModel,
	})
	assert.Equal(t, 13, g.count("healthy"), "four for each of three runs, and one more after the second circumstance of one")
}

func TestARunWithoutAVerdictFails(t *testing.T) {
	o := goTest(t, "http://127.0.0.1:1", "-test.run=^TestEmbedded$")
	assert.False(t, o.passed)
	assert.Equal(t, "FAIL", o.tests["TestEmbedded"])
	assert.Contains(t, o.text, "INCONCLUSIVE: nothing is listening at http://127.0.0.1:1 (connection refused)")
	assert.Empty(t, o.with("FAIL"), "no case has failed")
	assert.Contains(t, o.with("SKIP"), "TestEmbedded/"+absentModel)
}

func TestASelectedCaseThatIsNotOfferedIsSkipped(t *testing.T) {
	g := &counted{code: "model_not_found"}
	o := goTest(t, g.serve(t), "-test.run=^TestEmbedded$/code:get_channel_failed")
	assert.True(t, o.passed, o.text)
	assert.Equal(t, []string{"TestEmbedded/code:get_channel_failed/no-channel/chat"}, o.with("SKIP"))
	assert.Contains(t, o.text, "nothing to run: the target does not offer the selected case")
}

// A run whose cases all pass, and that leaves the gateway unhealthy, is in doubt.
func TestARunInDoubtFails(t *testing.T) {
	g := &counted{code: "model_not_found"}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.count("healthy") > 0 && g.count("no model") > 1 {
			http.Error(w, "worn out", http.StatusServiceUnavailable)
			return
		}
		g.ServeHTTP(w, r)
	}))
	defer server.Close()
	o := goTest(t, server.URL, "-test.run=^TestEmbedded$/code:model_not_found")
	assert.False(t, o.passed)
	assert.Equal(t, []string{"TestEmbedded/" + absentModel}, o.with("PASS"), o.text)
	assert.Contains(t, o.text, "every case is conformant, but the run is inconclusive: the endpoint chat was not healthy after the run (503")
}

// The run ends before go test gives up, with an error.
func TestARunEndsBeforeTheDeadline(t *testing.T) {
	block := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-block }))
	defer server.Close()
	defer close(block)
	o := goTest(t, server.URL, "-test.run=^TestEmbedded$", "-test.timeout=4s")
	assert.False(t, o.passed)
	assert.Equal(t, "FAIL", o.tests["TestEmbedded"], o.text)
	assert.NotContains(t, o.text, "panic: test timed out")
}

// newGateway is the reference gateway with the key of the example; its model for chat is that of the example.
func newGateway(t *testing.T, upstream string) http.Handler {
	t.Helper()
	gateway, err := reference.New(t.Context(), reference.Options{Upstream: upstream})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, gateway.Close()) })
	key := gateway.Fixtures().Keys.Valid
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer sk-test" {
			r.Header.Set("Authorization", "Bearer "+key)
		}
		gateway.ServeHTTP(w, r)
	})
}

func TestContractOfTheExample(t *testing.T) { testContract(t) }

// The page on embedding shows the example.
func TestThePageShowsTheExample(t *testing.T) {
	source, err := os.ReadFile("example_test.go")
	require.NoError(t, err)
	page, err := os.ReadFile("../docs/embedding.md")
	require.NoError(t, err)
	_, function, found := strings.Cut(string(source), "\nfunc testContract(")
	require.True(t, found)
	body, _, found := strings.Cut(function, "\n}\n")
	require.True(t, found)
	assert.Contains(t, string(page), "```go\nfunc TestContract("+body+"\n}\n```")
}
