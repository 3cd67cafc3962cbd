package contract

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/dialect"
)

// judgeStream judges a 2xx event stream: right only when it had begun before things went wrong. Its status was sent by
// then, so that the requirements of the status remain untested.
func (j *judge) judgeStream(stream Stream) {
	r := readStream(j.c.Surface, stream)
	j.check(Answered)
	if r.failed == nil {
		j.judgeStreamWithoutError(stream, r)
		return
	}
	// A comment is a stream byte too: a gateway that keeps the caller waiting with ": ping" has begun.
	begun := j.variant.MidStream || r.before > 0 || strings.HasPrefix(string(j.o.Body), ":")
	j.check(NotSuccess, StreamEnd)
	if !begun {
		j.add(NotSuccess, Must, j.row.Status.String()+" as JSON, before any stream byte",
			fmt.Sprintf("%d text/event-stream whose first event is the error", j.o.Status))
	}
	env, ok := j.judgeEnvelope(r.failed.Data)
	if ok {
		j.judgeErrorEvent(env, *r.failed)
	}
	if r.endAfterError != "" {
		j.add(StreamEnd, Must, "nothing after the error event", r.endAfterError)
	}
	if j.o.Cut != "" {
		j.add(StreamEnd, Must, "the stream to end after the error event", "reading stopped: "+j.o.Cut)
	}
	j.judgeStreamFormat(stream)
	if begun {
		j.judgeRequestID()
	}
}

// judgeErrorEvent judges the event's form: the forms of other dialects are invisible to this one's clients.
func (j *judge) judgeErrorEvent(env dialect.ErrorObject, event Event) {
	j.check(StreamError)
	switch j.c.Surface.Dialect() {
	case dialect.Anthropic:
		if event.Name != "error" {
			j.add(StreamError, Must, "event: error", "event: "+strconv.Quote(event.Name))
		}
	case dialect.OpenAI, dialect.Gemini:
		if env.FirstKey != "error" || env.Keys != 1 {
			level := Must
			if j.c.Surface.Dialect() == dialect.Gemini {
				level = Should
			}
			j.add(StreamError, level, `data with "error" as first and only key`,
				fmt.Sprintf("%d keys, %q first", env.Keys, env.FirstKey))
		}
		if event.Name != "" {
			j.add(StreamError, Should, "a data event without a name", "event: "+strconv.Quote(event.Name))
		}
	}
}

func (j *judge) judgeStreamWithoutError(stream Stream, r reading) {
	want := "an error event, or a visibly broken transfer"
	switch {
	case len(stream.Events) == 0 && j.o.TransferError == "" && j.o.Cut == "":
		j.add(NotSuccess, Must, j.row.Status.String(), fmt.Sprintf("%d with an empty event stream", j.o.Status))
	case j.o.Cut != "":
		j.add(Answered, Must, want, "a stream that goes on: "+j.o.Cut)
	case j.o.TransferError != "" && (r.done || r.finished):
		j.add(StreamEnd, Must, want, "a finish before the transfer broke: "+j.o.TransferError)
	case j.o.TransferError != "":
		// The contract lets a broken transfer stand in for the event; what it cannot carry is the reason.
		j.check(NotSuccess, StreamEnd)
		j.add(StreamError, Should, "the API format's own error event", "a broken transfer: "+j.o.TransferError)
	case !j.variant.MidStream && r.finished:
		j.add(NotSuccess, Must, j.row.Status.String(), fmt.Sprintf("%d with an ordinary stream", j.o.Status))
	case r.done:
		j.add(StreamEnd, Must, want, "a clean end with [DONE]")
	case r.finished:
		j.add(StreamEnd, Must, want, "a clean end with the API format's own finish")
	default:
		j.add(StreamEnd, Must, want, "the stream ended cleanly without an error")
	}
	j.judgeStreamFormat(stream)
}

func (j *judge) judgeStreamFormat(stream Stream) {
	j.check(StreamFormat)
	for _, violation := range stream.Violations {
		j.add(StreamFormat, Should, "an event stream (WHATWG HTML 9.2.6)", violation)
	}
}

// reading is an event stream as its API format reads it.
type reading struct {
	// before counts the events that stood before the error event, or all when there is none.
	before int
	// content says a content event stood among them.
	content bool
	// failed is the error event, nil when there is none, and index its place.
	failed *Event
	index  int
	// finished says the format's own end (finish_reason, message_stop, response.completed, finishReason) came.
	finished bool
	// done says [DONE] came.
	done bool
	// endAfterError names what followed the error event although nothing may: "[DONE]", "a finish", "content".
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
