package contract

import (
	"github.com/gatecert/gatecert/dialect"
)

// reading is an event stream understood in its dialect.
type reading struct {
	// before counts the events that stood before the error event, or all when there is none.
	before int
	// content says a content event stood among them.
	content bool
	// failed is the error event, nil when there is none, and index its place.
	failed *Event
	index  int
	// finished says the dialect's own end (finish_reason, message_stop, response.completed, finishReason) came.
	finished bool
	// done says [DONE] came.
	done bool
	// endAfterError names what followed the error event as if all were well: "[DONE]", "a finish", "content".
	endAfterError string
}

func readStream(surface dialect.Surface, stream Stream) reading {
	var r reading
	for i, event := range stream.Events {
		kind := surface.Classify(event.Name, event.Data)
		if r.failed != nil {
			if word, ok := afterError[kind]; ok && r.endAfterError == "" {
				r.endAfterError = word
			}
			continue
		}
		switch kind {
		case dialect.EventError:
			r.failed, r.index = &stream.Events[i], i
			continue
		case dialect.EventDone:
			r.done = true
		case dialect.EventFinish:
			r.finished, r.content = true, true
		case dialect.EventContent:
			r.content = true
		case dialect.EventOther:
		}
		r.before++
	}
	return r
}

var afterError = map[dialect.EventKind]string{
	dialect.EventDone:    "[DONE]",
	dialect.EventFinish:  "a finish event",
	dialect.EventContent: "more content",
}
