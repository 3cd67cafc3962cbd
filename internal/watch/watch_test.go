package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// played is a complete run in which these cases have these verdicts.
func played(verdicts map[string]contract.Verdict) Round {
	header := runlog.Header{Type: "header", Schema: runlog.Schema, Started: time.Now()}
	var cases []runlog.Case
	for id, verdict := range verdicts {
		key := runlog.KeyOf(contract.SplitID(id))
		key.ID = id
		header.Expected = append(header.Expected, id)
		cases = append(cases, runlog.Case{Type: "case", CaseKey: key, Verdict: verdict, Duration: 20 * time.Millisecond})
	}
	footer := runlog.Conclude(header, cases, time.Now())
	return Round{Run: &runlog.Run{Header: header, Cases: cases, Footer: &footer}}
}

const unknownModel, wrongKey = "http:404/unknown-model/chat", "http:401/wrong-key/messages"

func both(first, second contract.Verdict) Round {
	return played(map[string]contract.Verdict{unknownModel: first, wrongKey: second})
}

// script plays rounds one after the other, and then the last one again.
func script(rounds ...Round) func(context.Context, string) Round {
	n := 0
	return func(_ context.Context, dir string) Round {
		r := rounds[min(n, len(rounds)-1)]
		n++
		if r.Run != nil {
			_ = os.WriteFile(filepath.Join(dir, "report.html"), []byte("<!doctype html><title>round "+fmt.Sprint(n)+"</title>"), 0o600)
		}
		return r
	}
}

// watched plays a watch to its end, in a minute of virtual time a round, and returns its entries, oldest first.
func watched(t *testing.T, dir string, rounds ...Round) (w *Watcher, entries []Entry) {
	t.Helper()
	w, err := New(Config{
		Target: "gateway", Every: time.Minute, Rounds: len(rounds), Dir: dir, Keep: 100, Random: func() float64 { return 0.5 },
		Play: script(rounds...), Ended: func(e Entry) { entries = append(entries, e) },
	})
	require.NoError(t, err)
	require.NoError(t, w.Run(t.Context()))
	return w, entries
}

func changes(entries []Entry) []string {
	var list []string
	for _, e := range entries {
		var texts []string
		for _, c := range e.Changes {
			texts = append(texts, c.String())
		}
		list = append(list, strings.Join(texts, "; "))
	}
	return list
}

func TestEachChangeIsReportedOnce(t *testing.T) {
	pass, fail, untestable := contract.Pass, contract.Fail, contract.Untestable
	for _, row := range []struct {
		name   string
		rounds []Round
		want   []string
	}{
		{"nothing changes", []Round{both(pass, pass), both(pass, pass)}, []string{"", ""}},
		{"a failure that stays", []Round{both(pass, pass), both(fail, pass), both(fail, pass)},
			[]string{"", "conformant -> not-conformant; http:404/chat: pass -> fail", ""}},
		{"a failure from the start does not count as a change", []Round{both(fail, pass), both(fail, pass)}, []string{"", ""}},
		{"worse before better", []Round{both(fail, pass), both(pass, fail)},
			[]string{"", "http:401/messages: pass -> fail; http:404/chat: fail -> pass"}},
		{"what could not be judged did not change", []Round{both(pass, pass), both(untestable, pass), both(pass, pass), both(fail, pass)},
			[]string{"", "conformant -> inconclusive", "inconclusive -> conformant", "conformant -> not-conformant; http:404/chat: pass -> fail"}},
		{"a gateway that is gone and comes back as it was", []Round{both(fail, pass), {Outcome: Unreachable, Reason: "nothing listens"}, {Outcome: Unreachable, Reason: "nothing listens"}, both(fail, pass)},
			[]string{"", "not-conformant -> unreachable", "", "unreachable -> not-conformant"}},
		{"one that comes back worse", []Round{both(pass, pass), {Outcome: Unreachable}, both(pass, fail)},
			[]string{"", "conformant -> unreachable", "unreachable -> not-conformant; http:401/messages: pass -> fail"}},
		{"a profile that is wrong now", []Round{both(pass, pass), {Outcome: Fault, Reason: "gatecert.yaml:3:1: unknown key"}}, []string{"", "conformant -> fault"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, entries := watched(t, t.TempDir(), row.rounds...)
				assert.Equal(t, row.want, changes(entries))
			})
		})
	}
}

// A watch that is started again goes on where the last one ended, also where that one was killed between two writes.
func TestAWatchGoesOnInItsFolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		watched(t, dir, both(contract.Pass, contract.Pass))
		before, err := os.ReadFile(filepath.Join(dir, stateName))
		require.NoError(t, err)
		time.Sleep(time.Minute)
		_, entries := watched(t, dir, both(contract.Fail, contract.Pass))
		assert.Equal(t, []string{"conformant -> not-conformant; http:404/chat: pass -> fail"}, changes(entries))

		require.NoError(t, os.WriteFile(filepath.Join(dir, stateName), before, 0o600)) // killed before the state was written
		history, err := os.OpenFile(filepath.Join(dir, historyName), os.O_APPEND|os.O_WRONLY, 0o600)
		require.NoError(t, err)
		_, err = history.WriteString(`{"id":"2026`) // and while the next line was
		require.NoError(t, err)
		require.NoError(t, history.Close())
		time.Sleep(time.Minute)
		w, entries := watched(t, dir, both(contract.Fail, contract.Pass))
		assert.Equal(t, []string{""}, changes(entries), "it was reported before")
		assert.Len(t, w.History(10), 3)
		again, err := folder{dir}.history()
		require.NoError(t, err)
		assert.Len(t, again, 3, "the cut line did not swallow the next one")
	})
}

func TestAFolderOfSomethingElse(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, stateName), []byte("[]"), 0o600))
	_, err := New(Config{Target: "g", Every: time.Minute, Dir: dir, Keep: 1})
	assert.ErrorContains(t, err, "is not a state file of gatecert watch")
	for _, bad := range []Config{{Every: time.Second, Keep: 1}, {Every: time.Minute}, {Every: time.Minute, Keep: 1, Rounds: -1}} {
		bad.Dir = dir
		_, err := New(bad)
		assert.ErrorContains(t, err, "must be at least 5s, the number of runs to keep (")
	}
}

func TestRoundsAreApart(t *testing.T) {
	for _, row := range []struct {
		name   string
		random float64
		takes  time.Duration
		want   []time.Duration
	}{
		{"at the interval", 0.5, 0, []time.Duration{0, time.Minute, 2 * time.Minute}},
		{"a tenth earlier", 0, 0, []time.Duration{0, 54 * time.Second, 108 * time.Second}},
		{"a tenth later", 1, 0, []time.Duration{0, 66 * time.Second, 132 * time.Second}},
		{"the time that a run takes counts", 0.5, 20 * time.Second, []time.Duration{0, time.Minute, 2 * time.Minute}},
		{"a run that takes too long delays the next", 0.5, 90 * time.Second, []time.Duration{0, 91 * time.Second, 182 * time.Second}},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				var at []time.Duration
				w, err := New(Config{Every: time.Minute, Rounds: 3, Dir: t.TempDir(), Keep: 1, Random: func() float64 { return row.random },
					Play: func(context.Context, string) Round {
						at = append(at, time.Since(begin))
						time.Sleep(row.takes)
						return Round{Outcome: Unreachable}
					}})
				require.NoError(t, err)
				require.NoError(t, w.Run(t.Context()))
				assert.Equal(t, row.want, at)
			})
		})
	}
}

// A run that is ended with its watch leaves no entry: it says nothing about the gateway.
func TestAWatchEndsInTheMiddleOfARun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		w, err := New(Config{Every: time.Minute, Dir: t.TempDir(), Keep: 1, Random: func() float64 { return 0.5 },
			Play: func(ctx context.Context, _ string) Round {
				<-ctx.Done()
				return Round{Outcome: Fault, Reason: ctx.Err().Error()}
			}})
		require.NoError(t, err)
		time.AfterFunc(10*time.Second, cancel)
		require.NoError(t, w.Run(ctx))
		assert.Empty(t, w.History(10))
	})
}

func TestOldRunsAreRemovedAndNothingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		other := filepath.Join(dir, runsName, "notes")
		require.NoError(t, os.MkdirAll(other, 0o750))
		var rounds []Round
		for range 5 {
			rounds = append(rounds, both(contract.Pass, contract.Pass))
		}
		w, err := New(Config{Every: time.Minute, Rounds: 5, Dir: dir, Keep: 2, Random: func() float64 { return 0.5 }, Play: script(rounds...)})
		require.NoError(t, err)
		require.NoError(t, w.Run(t.Context()))
		left, err := os.ReadDir(filepath.Join(dir, runsName))
		require.NoError(t, err)
		history := w.History(10)
		require.Len(t, history, 5)
		var names []string
		for _, e := range left {
			names = append(names, e.Name())
		}
		assert.Equal(t, []string{history[1].ID, history[0].ID, "notes"}, names)
	})
}

func TestTheHistoryIsBounded(t *testing.T) {
	dir := t.TempDir()
	f := folder{dir}
	var entries []Entry
	for i := range maxEntries + 1 {
		entries = append(entries, Entry{ID: time.Unix(int64(i), 0).UTC().Format(idTime), Outcome: Conformant})
	}
	require.NoError(t, f.save(entries, state{}))
	kept, err := f.history()
	require.NoError(t, err)
	assert.Len(t, kept, maxEntries/2)
	assert.Equal(t, entries[maxEntries].ID, kept[len(kept)-1].ID, "the newest are kept")
}

func get(t *testing.T, h http.Handler, path string) (int, string) {
	t.Helper()
	out := httptest.NewRecorder()
	h.ServeHTTP(out, httptest.NewRequest(http.MethodGet, path, nil))
	return out.Code, out.Body.String()
}

// value is that of a metric with no labels but the target.
func value(t *testing.T, metrics, name string) float64 {
	t.Helper()
	_, rest, found := strings.Cut(metrics, "\n"+name+`{target="gateway"} `)
	require.True(t, found, name)
	text, _, _ := strings.Cut(rest, "\n")
	v, err := strconv.ParseFloat(text, 64)
	require.NoError(t, err)
	return v
}

func TestWhatAWatchServes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		w, entries := watched(t, dir, both(contract.Pass, contract.Warn), both(contract.Fail, contract.Warn),
			Round{Outcome: Unreachable, Reason: "http://gateway/<script>alert(1)</script>: nothing listens"})
		h, err := w.Handler()
		require.NoError(t, err)

		_, metrics := get(t, h, "/metrics")
		for _, line := range []string{
			`gatecert_row_verdict{row="http:404",surface="chat",target="gateway"} 6`,
			`gatecert_row_verdict{row="http:401",surface="messages",target="gateway"} 1`,
			`gatecert_outcome{outcome="unreachable",target="gateway"} 1`, `gatecert_outcome{outcome="conformant",target="gateway"} 0`,
			`gatecert_rounds_total{outcome="not-conformant",target="gateway"} 1`, `gatecert_changes_total{target="gateway"} 3`,
			`gatecert_case_duration_seconds_count{surface="chat",target="gateway"} 2`,
		} {
			assert.Contains(t, metrics, line+"\n")
		}
		last, judged := value(t, metrics, "gatecert_last_round_timestamp_seconds"), value(t, metrics, "gatecert_last_verdict_timestamp_seconds")
		assert.InDelta(t, 60, last-judged, 1, "the last round gave no verdict")

		code, index := get(t, h, "/")
		assert.Equal(t, http.StatusOK, code)
		assert.Contains(t, index, "http:404/chat: pass -&gt; fail")
		assert.NotContains(t, index, "<script>")
		assert.Contains(t, index, `<a href="/runs/`+entries[1].ID+`/">Latest report</a>`)

		code, report := get(t, h, "/runs/"+entries[1].ID+"/")
		assert.Equal(t, http.StatusOK, code)
		assert.Contains(t, report, "<title>round 2</title>")
		for _, path := range []string{"/runs/" + entries[2].ID + "/", "/runs/..%2f/", "/runs/x/", "/runs/" + entries[1].ID + "/run.ndjson", "/state.json", "/nothing"} {
			code, _ := get(t, h, path)
			assert.Equal(t, http.StatusNotFound, code, path)
		}
		code, _ = get(t, h, "/report")
		assert.Equal(t, http.StatusFound, code)
		code, _ = get(t, h, "/healthz")
		assert.Equal(t, http.StatusOK, code)

		again, err := New(Config{Target: "gateway", Every: time.Minute, Dir: dir, Keep: 100})
		require.NoError(t, err)
		h, err = again.Handler()
		require.NoError(t, err)
		_, metrics = get(t, h, "/metrics")
		assert.Contains(t, metrics, `gatecert_row_verdict{row="http:404",surface="chat",target="gateway"} 6`, "what was last known is there before the first round")
		assert.Contains(t, metrics, `gatecert_rounds_total{outcome="not-conformant",target="gateway"} 0`)
		assert.InDelta(t, judged, value(t, metrics, "gatecert_last_verdict_timestamp_seconds"), 0.001, "the last round gave no verdict, but an earlier one did")
	})
}

// hook is a server that fails the first requests.
type hook struct {
	failures int
	bodies   []string
	signed   []string
}

func (h *hook) RoundTrip(request *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	answer := &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody, Header: http.Header{}, Request: request}
	switch {
	case h.failures > 1:
		h.failures--
		return nil, errors.New("connection refused")
	case h.failures > 0:
		h.failures--
		answer.StatusCode = http.StatusBadGateway
		return answer, nil
	}
	h.bodies, h.signed = append(h.bodies, string(body)), append(h.signed, request.Header.Get(SignatureHeader))
	return answer, nil
}

func TestAWebhookGetsEachMessageOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &hook{failures: 3}
		s := newSender(Webhook{URL: "http://hooks.example/x?token=hidden", Secret: "s3cret"}, func(err error) { t.Error(err) })
		s.client.Transport = server
		begin := time.Now()
		s.send(newMessage("gateway", Entry{ID: "20261129T120000.000", Outcome: Unreachable, Changes: []Change{{From: "conformant", To: "unreachable"}}}))
		time.Sleep(time.Minute)
		s.close()
		require.Len(t, server.bodies, 1)
		assert.Less(t, time.Since(begin), 61*time.Second)
		var m Message
		require.NoError(t, json.Unmarshal([]byte(server.bodies[0]), &m))
		assert.Equal(t, MessageSchema, m.Schema)
		assert.Equal(t, "conformant -> unreachable", m.Changes[0].String())
		assert.Equal(t, Signature("s3cret", []byte(server.bodies[0])), server.signed[0])
		assert.Equal(t, "sha256=", server.signed[0][:7])
	})
}

func TestAWebhookThatNeverAnswersIsNamedWithoutItsURL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var all []string
		s := newSender(Webhook{URL: "http://hooks.example/x?token=hidden"}, func(err error) {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, err.Error())
		})
		problems := func() []string {
			mu.Lock()
			defer mu.Unlock()
			return slices.Clone(all)
		}
		s.client.Transport = &hook{failures: 1000}
		s.send(newMessage("gateway", Entry{ID: "20261129T120000.000"}))
		time.Sleep(5 * time.Minute)
		assert.Equal(t, []string{"webhook: the message about round 20261129T120000.000 was not delivered in 6 attempts: connection refused"}, problems())

		for range queue + 2 {
			s.send(newMessage("gateway", Entry{ID: "20261129T120001.000"}))
		}
		begin := time.Now()
		s.close()
		assert.LessOrEqual(t, time.Since(begin), goodbye, "the end of the watch does not wait for it")
		for _, p := range problems() {
			assert.NotContains(t, p, "hidden")
		}
		assert.Contains(t, problems()[1], "100 messages are already waiting")
	})
}
