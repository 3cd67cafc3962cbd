package reference

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
)

// fault is something wrong with an upstream's answer, and what the client must get.
type fault struct {
	directive string
	status    int
	code      string
}

func TestFailuresOfTheUpstreamBeforeAnyContent(t *testing.T) {
	r := newRig(t)
	for _, c := range []fault{
		{"close", 502, "do_request_failed"},
		{"reset", 502, "do_request_failed"},
		{"status=500", 502, "bad_response_status_code"},
		{"status=529", 502, "bad_response_status_code"},
		{"status=404", 400, "invalid_request"},
		{"status=404 message=No+such+model.", 502, "bad_response_status_code"},
		{"redirect", 502, "bad_response_status_code"},
		{"status=500 gzip", 502, "bad_response_status_code"},
		{"status=400 gzip", 400, "invalid_request"},
		{"status=402", 502, "bad_response_status_code"},
		{"status=302", 502, "bad_response_status_code"},
		{"status=503 body=html", 502, "bad_response_status_code"},
		{"status=503 body=empty", 502, "bad_response_status_code"},
		{"status=500 body=error truncate=length", 502, "bad_response_status_code"},
		{"status=400 body=foreign", 502, "bad_response_status_code"},
		{"status=429 body=text", 502, "bad_response_status_code"},
		{"status=401", 502, "channel:invalid_key"},
		{"status=403 body=html", 502, "channel:invalid_key"},
		{"status=400", 400, "invalid_request"},
		{"status=422", 400, "invalid_request"},
		{"status=413", 400, "invalid_request"},
		{"status=429 retry-after=7", 429, "rate_limit_exceeded"},
		{"body=html", 502, "bad_response"},
		{"body=text", 502, "bad_response"},
		{"body=null", 502, "bad_response"},
		{"body=foreign", 502, "bad_response"},
		{"body=broken-json", 502, "bad_response"},
		{"body=error", 502, "bad_response"},
		{"body=answer-with-error", 502, "bad_response"},
		{"body=empty", 502, "empty_response"},
		{"status=204", 502, "empty_response"},
		{"no-choices", 502, "empty_response"},
		{"refuse", 400, "prompt_blocked"},
	} {
		t.Run(c.directive, func(t *testing.T) {
			surfaces := relayed()
			switch c.directive {
			case "no-choices", "refuse", "body=answer-with-error":
				surfaces = converted()
			case "body=broken-json":
				surfaces = relayed(dialect.Speech) // half of the audio is audio
			}
			forSurfaces(t, r, surfaces, func(r *rig, s dialect.Surface) {
				a := r.ask(s, r.keys.Valid, r.healthyModel(s), "hi [[gatecert "+c.directive+"]]")
				r.requireError(a, c.status, c.code)
				if c.status == http.StatusTooManyRequests {
					require.Equal(r, "7", a.header.Get("Retry-After"))
				}
			})
		})
	}
	require.Equal(t, balance{Quota: ampleQuota}, r.balanceOf(r.keys.Valid), "no failed call is charged")
}

func TestBodiesThatBreakOff(t *testing.T) {
	r := newRig(t)
	forSurfaces(t, r, relayed(), func(r *rig, s dialect.Surface) {
		for _, how := range []string{"length", "chunk", "gzip"} {
			if s.Streaming() {
				continue
			}
			r.requireError(r.ask(s, r.keys.Valid, r.healthyModel(s), "hi [[gatecert truncate="+how+"]]"), 502, "read_response_body_failed")
		}
	})
}

func TestSlowUpstreamCallsAreCancelled(t *testing.T) {
	t.Parallel()
	r := newRig(t, shortTimeouts)
	whole := slices.DeleteFunc(relayed(), dialect.Surface.Streaming)
	for _, c := range []struct {
		name      string
		directive string
		surfaces  []dialect.Surface
	}{
		{"no head", "hang", relayed()},
		{"a late head", "delay=20s", relayed()},
		{"half a body", "stall", whole},
		{"a stream without an event", "stall-after=0", streams()},
	} {
		t.Run(c.name, func(t *testing.T) {
			token := func(s dialect.Surface) string { return string(s) + "-" + strings.ReplaceAll(c.name, " ", "-") }
			answers := r.askAll(c.surfaces, r.keys.Valid, func(s dialect.Surface) string {
				return "hi [[gatecert token=" + token(s) + " " + c.directive + "]]"
			})
			forSurfaces(t, r, c.surfaces, func(r *rig, s dialect.Surface) {
				r.requireError(answers[s], 504, "channel:response_time_exceeded")
				attempts := r.seen(token(s))
				require.Len(r, attempts, 1)
				require.True(r, attempts[0].Cancelled)
			})
		})
	}
	require.Equal(t, balance{Quota: ampleQuota}, r.balanceOf(r.keys.Valid))
}

func TestUpstreamThatRejectsAGeminiKeyWithItsOwnStatus(t *testing.T) {
	r := newRig(t)
	_, err := r.gateway.store.writes.Exec(`UPDATE channel_keys SET secret = 'stale' WHERE channel_id IN (SELECT id FROM channels WHERE protocol = 'gemini')`)
	require.NoError(t, err)
	r.requireError(r.ask(dialect.GenerateContent, r.keys.Valid, r.models.Gemini, "hi"), 502, "channel:invalid_key")
}

func TestFailedRoutesAreTriedAgainWithinTheBound(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Retries = 2 })
	for _, c := range []struct {
		directive string
		status    int
		code      string
		attempts  int
	}{
		{"status=500", 502, "bad_response_status_code", 3},
		{"close", 502, "do_request_failed", 3},
		{"status=400", 400, "invalid_request", 1},
		{"body=html", 502, "bad_response", 1},
	} {
		t.Run(c.directive, func(t *testing.T) {
			token := "again-" + c.code
			r.requireError(r.ask(dialect.Chat, r.keys.Valid, r.models.Chat, "hi [[gatecert token="+token+" "+c.directive+"]]"), c.status, c.code)
			require.Len(t, r.seen(token), c.attempts)
		})
	}
}

func TestNextRouteIsTakenWhenOneFails(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Retries = 1 })
	// The model of the dead channel gets a second, healthy one.
	_, err := r.gateway.store.writes.Exec(`INSERT INTO channel_models (model, channel_id) VALUES (?, (SELECT channel_id FROM channel_models WHERE model = ?))`,
		r.models.BadKey, r.models.Chat)
	require.NoError(t, err)
	_, err = r.gateway.store.writes.Exec(`UPDATE channels SET priority = -1 WHERE id = (SELECT max(channel_id) FROM channel_models WHERE model = ?)`, r.models.BadKey)
	require.NoError(t, err)
	a := r.ask(dialect.Chat, r.keys.Valid, r.models.BadKey, "hi [[gatecert token=next]]")
	r.requireHealthy(a)
	require.Len(t, r.seen("next"), 2)
}

func TestEndlessAnswersAreBounded(t *testing.T) {
	var sent atomic.Int64
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusInternalServerError)
		for chunk := make([]byte, 64<<10); r.Context().Err() == nil; sent.Add(int64(len(chunk))) {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}))
	defer endless.Close()
	r := newRig(t, func(o *Options) { o.DeadUpstream = endless.URL })
	r.requireError(r.ask(dialect.Chat, r.keys.Valid, r.models.Dead, "hi"), 502, "bad_response_status_code")
}

func TestRetryAfterIsKeptInSeconds(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range []struct{ name, said, kept string }{
		{"a number of seconds", "7", "7"},
		{"a date", "Fri, 02 Jan 2026 03:04:35 GMT", "30"},
		{"a date in the past", "Fri, 02 Jan 2026 03:04:00 GMT", "1"},
		{"nothing", "", "1"},
		{"a fraction", "1.5", "1"},
		{"a negative number", "-3", "1"},
		{"a number beyond reason", "99999999999999999999", "1"},
		{"an attempt at another header", "5\r\nX: y", "1"},
	} {
		t.Run(c.name, func(t *testing.T) { require.Equal(t, c.kept, retryAfter(c.said, now)) })
	}
}
