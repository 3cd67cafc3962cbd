package reference

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
)

func streams() []dialect.Surface {
	return []dialect.Surface{dialect.ChatStream, dialect.ResponsesStream, dialect.MessagesStream, dialect.GenerateStream}
}

func TestStreamsThatBreakAfterTheirFirstContent(t *testing.T) {
	r := newRig(t)
	// Anthropic's first content is its fourth event, after message_start, content_block_start and ping.
	for _, c := range []fault{
		{"chunks=8 cut-after=5", 502, "read_response_body_failed"},
		{"chunks=8 end-after=5", 502, "read_response_body_failed"},
		{"chunks=8 error-after=5", 502, "bad_response"},
		{"chunks=8 broken-event=5", 502, "bad_response"},
		{"chunks=8 crlf comments end-after=5", 502, "read_response_body_failed"},
	} {
		t.Run(c.directive, func(t *testing.T) {
			forSurfaces(t, r, streams(), func(r *rig, s dialect.Surface) {
				r.requireBrokenStream(r.ask(s, r.keys.Valid, r.healthyModel(s), "hi [[gatecert "+c.directive+"]]"), c.status, c.code)
			})
		})
	}
	require.Equal(t, balance{Quota: ampleQuota}, r.balanceOf(r.keys.Valid), "no broken stream is charged")
}

func TestStreamsThatBreakBeforeTheirFirstContent(t *testing.T) {
	r := newRig(t)
	for _, c := range []fault{
		{"empty-stream", 502, "empty_response"},
		{"cut-after=0", 502, "read_response_body_failed"},
		{"error-after=0", 502, "bad_response"},
		{"broken-event=1", 502, "bad_response"},
	} {
		t.Run(c.directive, func(t *testing.T) {
			forSurfaces(t, r, streams(), func(r *rig, s dialect.Surface) {
				r.requireError(r.ask(s, r.keys.Valid, r.healthyModel(s), "hi [[gatecert "+c.directive+"]]"), c.status, c.code)
			})
		})
	}
}

func TestStreamThatFallsSilentEndsWithATimeout(t *testing.T) {
	r := newRig(t, shortTimeouts)
	answers := r.askAll(streams(), r.keys.Valid, func(s dialect.Surface) string {
		return "hi [[gatecert token=silent-" + string(s) + " chunks=8 stall-after=5]]"
	})
	forSurfaces(t, r, streams(), func(r *rig, s dialect.Surface) {
		r.requireBrokenStream(answers[s], 504, "channel:response_time_exceeded")
		attempts := r.seen("silent-" + string(s))
		require.Len(r, attempts, 1)
		require.True(r, attempts[0].Cancelled)
	})
}

func TestStreamMayTakeLongerThanTheTimeoutWhenItNeverFallsSilent(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(o *Options) { o.Timeout, o.IdleTimeout = 2*time.Second, 2*time.Second })
	r.requireHealthy(r.ask(dialect.ChatStream, r.keys.Valid, r.models.Chat, "hi [[gatecert chunks=15 gap=200ms]]"))
}

func TestContentIsPassedOnBeforeTheUpstreamIsDone(t *testing.T) {
	r := newRig(t)
	forSurfaces(t, r, streams(), func(r *rig, s dialect.Surface) {
		token := "flush-" + string(s)
		response, leave := r.open(s, r.keys.Valid, "hi [[gatecert token="+token+" chunks=8 stall-after=5]]")
		defer leave()
		// The head and the first event arrive although the upstream will never go on.
		require.Equal(r, http.StatusOK, response.StatusCode)
		first := make([]byte, 16)
		n, err := response.Body.Read(first)
		require.NoError(r, err)
		require.NotZero(r, n)
		leave()
		attempts := r.seen(token)
		require.Len(r, attempts, 1)
		require.True(r, attempts[0].Cancelled, "the upstream's call ends when the caller leaves")
	})
}

func TestCallerWhoLeavesBeforeAnAnswerPaysNothing(t *testing.T) {
	r := newRig(t)
	for _, s := range []dialect.Surface{dialect.Chat, dialect.ChatStream} {
		token := "gone-" + string(s)
		ctx, leave := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = r.client.Do(r.request(ctx, s, r.keys.Small, "hi [[gatecert token="+token+" hang]]"))
		}()
		require.Eventually(t, func() bool {
			now, cancel := context.WithCancel(t.Context())
			cancel()
			seen, err := r.mock.Seen(now, token)
			return err == nil && len(seen.Attempts) == 1
		}, 10*time.Second, 5*time.Millisecond)
		leave()
		<-done
		require.True(t, r.seen(token)[0].Cancelled)
	}
	require.Eventually(t, func() bool { return r.balanceOf(r.keys.Small).Quota == smallQuota }, 10*time.Second, 5*time.Millisecond)
}

func TestCallerWhoLeavesAStreamPaysForWhatWasSent(t *testing.T) {
	r := newRig(t)
	response, leave := r.open(dialect.ChatStream, r.keys.Small, "hi [[gatecert token=half chunks=8 stall-after=5]]")
	defer leave()
	_, err := response.Body.Read(make([]byte, 1))
	require.NoError(t, err)
	require.Less(t, r.balanceOf(r.keys.Small).Quota, int64(smallQuota-32), "input and the greatest output are held")
	leave()
	require.True(t, r.seen("half")[0].Cancelled)
	require.Eventually(t, func() bool {
		quota := r.balanceOf(r.keys.Small).Quota
		return quota < smallQuota && quota > smallQuota-32-100 && r.states()["held"] == 0
	}, 10*time.Second, 5*time.Millisecond)
	require.Equal(t, map[string]int{"settled": 1}, r.states())
}

func (r *rig) request(ctx context.Context, s dialect.Surface, key, prompt string) *http.Request {
	r.Helper()
	model := r.healthyModel(s)
	raw, err := json.Marshal(requestBody(s, model, prompt))
	require.NoError(r, err)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url+requestPath(s, model), bytes.NewReader(raw))
	require.NoError(r, err)
	present(request, s, key)
	return request
}

// open makes a call and leaves its body unread.
func (r *rig) open(s dialect.Surface, key, prompt string) (response *http.Response, leave func()) {
	r.Helper()
	ctx, cancel := context.WithCancel(r.Context())
	response, err := r.client.Do(r.request(ctx, s, key, prompt))
	if err != nil {
		cancel()
	}
	require.NoError(r, err)
	return response, func() {
		cancel()
		_ = response.Body.Close()
	}
}
