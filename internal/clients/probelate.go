package clients

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/wait"
)

// lateProbes are ordinary answers that come late: a client that gives up first, or sends the request again, shows its own time limit.
func lateProbes() []probe {
	late := func(name string, on func(dialect.Surface) bool, sentence string, pause time.Duration, serve func(context.Context, http.ResponseWriter, dialect.Surface, time.Duration)) probe {
		return probe{
			name: fmt.Sprintf("%s-%.0f", name, pause.Seconds()), sentence: fmt.Sprintf(sentence, pause), on: on, whole: true, slow: pause > 10*time.Second,
			serve: func(ctx context.Context, w http.ResponseWriter, s dialect.Surface) { serve(ctx, w, s, pause) },
		}
	}
	header := func(ctx context.Context, w http.ResponseWriter, s dialect.Surface, pause time.Duration) {
		waitOrHangUp(ctx, pause)
		jsonType, _ := s.Dialect().Format().ContentTypes()
		w.Header().Set("Content-Type", jsonType)
		_, _ = w.Write(dialect.Encode(s.Operation().Body(probeAnswer())))
	}
	const lateHeader, stalled = "an ordinary answer whose header comes after %s", "a stream that stalls for %s after some text and then continues to its end"
	return []probe{
		late("slow-headers", nil, lateHeader, 3*time.Second, header),
		late("slow-headers", nil, lateHeader, 65*time.Second, header),
		late("slow-headers", nil, lateHeader, 310*time.Second, header),
		late("stalled-stream", streamed, stalled, 3*time.Second, stall),
		late("stalled-stream", streamed, stalled, 65*time.Second, stall),
		late("stalled-stream", streamed, stalled, 310*time.Second, stall),
	}
}

// probeAnswer is an ordinary answer.
func probeAnswer() dialect.Answer {
	return dialect.Answer{Model: "probe", ID: "probe", Created: 1, Pieces: dialect.HealthyText(2)}
}

// stall streams an ordinary answer with a pause after its first text.
func stall(ctx context.Context, w http.ResponseWriter, s dialect.Surface, pause time.Duration) {
	streaming, ok := s.Operation().(dialect.StreamingOperation)
	if !ok {
		return
	}
	_, mediaType := s.Dialect().Format().ContentTypes()
	w.Header().Set("Content-Type", mediaType)
	stream := streaming.Stream(probeAnswer())
	for i, e := range stream.Events {
		if i == stream.Content+1 {
			_ = http.NewResponseController(w).Flush()
			waitOrHangUp(ctx, pause)
		}
		_, _ = w.Write(e.Bytes())
	}
}

// waitOrHangUp waits, or closes the connection when the client or the call has gone.
func waitOrHangUp(ctx context.Context, pause time.Duration) {
	if wait.For(ctx, pause) != nil {
		hangUp()
	}
}
