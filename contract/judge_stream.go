package contract

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/dialect"
)

// judgeStream judges a 2xx event stream: right only when it had begun before things went wrong, and went wrong where the
// gateway could not know it before it asked the upstream. Its status was sent by then, so that the requirements of the
// status remain untested.
func (j *judge) judgeStream(stream Stream) {
	r := readStream(j.c.Surface, stream)
	j.check(Answered)
	switch {
	case r.failed == nil:
		j.judgeStreamWithoutError(stream, r)
	case !j.mayFailInStream():
		j.add(NotSuccess, Must, j.wantJSON(),
			fmt.Sprintf("%d text/event-stream that contains the error", j.o.Status))
		j.judgeErrorInStream(r)
	case j.variant.MidStream || r.before > 0 || begunBeforeFirstEvent(j.o.Body):
		j.check(NotSuccess)
		j.judgeErrorInStream(r)
		j.judgeRequestID()
	default:
		j.add(NotSuccess, Must, j.row.Status.String()+" as JSON, before any byte of the stream",
			fmt.Sprintf("%d text/event-stream that begins with the error", j.o.Status))
		j.judgeErrorInStream(r)
	}
	j.judgeStreamFormat(stream, r)
}

// wantJSON is what a failure owes that the gateway can know by itself, whatever was sent first.
func (j *judge) wantJSON() string {
	return j.row.Status.String() + " as JSON, because the gateway can detect this error before it calls the upstream"
}

// mayFailInStream reports whether the error may be told in a stream that has begun: only what the gateway cannot know
// before it has asked the upstream. Where it may leave the check to the upstream, the call has to have reached it.
func (j *judge) mayFailInStream() bool {
	circumstance, _, _ := j.c.resolve()
	switch circumstance.Reach {
	case ReachMust:
		return true
	case ReachMay:
		return j.o.Upstream != nil && len(j.o.Upstream.Attempts) > 0
	default:
		return false
	}
}

// begunBeforeFirstEvent reports whether anything was sent before the first event that has data: a comment, a blank line,
// a byte order mark, a retry or id field, an event without data. A client has the status by then.
func begunBeforeFirstEvent(body []byte) bool {
	text := strings.ReplaceAll(strings.ReplaceAll(string(body), "\r\n", "\n"), "\r", "\n")
	first := true
	for line := range strings.SplitSeq(text, "\n") {
		switch field, _, _ := strings.Cut(line, ":"); {
		case field == "data":
			return false
		case field != "event" || !first:
			return true
		}
		first = false
	}
	return false
}

// judgeErrorInStream judges the error event, and what stands before and after it.
func (j *judge) judgeErrorInStream(r reading) {
	j.check(StreamEnd)
	spoken := j.c.Surface.Dialect()
	env, form, err := j.c.Surface.DecodeErrorEvent(r.failed.Name, r.failed.Data, j.codes.known)
	if j.judgeErrorObject(spoken, env, err, form != "") {
		j.judgeErrorEvent(env, form, *r.failed)
	}
	if r.finish != "" {
		j.add(StreamEnd, Must, "no finish event before the error event", r.finish)
	}
	if r.afterError != "" {
		j.add(StreamEnd, Must, "nothing after the error event", r.afterError)
	}
	if j.o.Cut != "" {
		j.add(StreamEnd, Must, "the stream to end after the error event", "a stream that does not end: "+j.o.Cut)
	}
}

// judgeErrorEvent judges the event's form: the forms of other dialects are invisible to this one's clients. A form of the
// protocol's own is a warning, because of the official clients some raise it and some do not.
func (j *judge) judgeErrorEvent(env dialect.ErrorObject, form string, event Event) {
	j.check(StreamError)
	spoken := j.c.Surface.Dialect()
	unnamed := event.Name == "" || event.Name == "message" // EventSource's default name
	switch {
	case form != "":
		j.add(StreamError, Should, `data: {"error":{…}}, which every official client raises as an error`, form+", which some clients do not raise as an error")
	case spoken == dialect.Anthropic:
		if event.Name != "error" {
			j.add(StreamError, Must, "event: error", "event: "+strconv.Quote(event.Name))
		}
	default:
		if env.FirstKey != "error" || env.Keys != 1 {
			level := Must
			if spoken == dialect.Gemini {
				level = Should
			}
			j.add(StreamError, level, `data with "error" as its first and only key`,
				fmt.Sprintf("%d keys, %q first", env.Keys, env.FirstKey))
		}
		if !unnamed {
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
		j.add(Answered, Must, want, "a stream that does not end: "+j.o.Cut)
	case j.o.TransferError != "" && r.finish != "":
		j.add(StreamEnd, Must, want, "a finish event before the stream was cut off: "+j.o.TransferError)
	case j.o.TransferError != "" && !j.mayFailInStream():
		j.add(NotSuccess, Must, j.wantJSON(),
			fmt.Sprintf("%d text/event-stream that broke off: %s", j.o.Status, j.o.TransferError))
	case j.o.TransferError != "":
		// The contract lets a broken transfer stand in for the event; what it cannot carry is the reason.
		j.check(NotSuccess, StreamEnd)
		j.add(StreamError, Should, "the API format's own error event", "a broken transfer: "+j.o.TransferError)
	case !j.variant.MidStream && r.finished:
		j.add(NotSuccess, Must, j.row.Status.String(), fmt.Sprintf("%d with an ordinary stream%s", j.o.Status, j.doubtMeans()))
	case r.notJSON != nil:
		j.add(StreamEnd, Must, want, "an event that no client can read because it is not JSON: "+dialect.Excerpt(r.notJSON.Data))
	case r.finish != "":
		j.add(StreamEnd, Must, want, "a clean end with "+r.finish)
	default:
		j.add(StreamEnd, Must, want, "a clean end without an error")
	}
}

func (j *judge) judgeStreamFormat(stream Stream, r reading) {
	j.check(StreamFormat)
	for _, violation := range stream.Violations {
		j.add(StreamFormat, Should, "a well-formed event stream (WHATWG HTML 9.2.6)", violation)
	}
	if r.notJSON != nil && r.failed != nil {
		j.add(StreamFormat, Should, "events that each contain one JSON value", "an event that is not JSON: "+dialect.Excerpt(r.notJSON.Data))
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
	// finished says the format's own end (finish_reason, message_stop, response.completed, finishReason) came, and done
	// that [DONE] came, before any error. finish names the last of them, "" for none.
	finished, done bool
	finish         string
	// notJSON is the first event whose data is not JSON, nil when there is none.
	notJSON *Event
	// afterError names what of an answer followed the error event, "" for nothing.
	afterError string
}

func readStream(surface dialect.Surface, stream Stream) reading {
	var r reading
	for i, event := range stream.Events {
		kind := surface.Classify(event.Name, event.Data)
		if kind == dialect.EventNotJSON && r.notJSON == nil {
			r.notJSON = &stream.Events[i]
		}
		if r.failed != nil {
			if r.afterError == "" {
				r.afterError = answerAfterError(surface, kind)
			}
			continue
		}
		switch kind {
		case dialect.EventError:
			r.failed, r.index = &stream.Events[i], i
			continue
		case dialect.EventDone:
			r.done, r.finish = true, "[DONE]"
		case dialect.EventFinish:
			r.finished, r.content = true, true
			if r.finish == "" {
				r.finish = "a finish event"
			}
		case dialect.EventContent:
			r.content = true
		case dialect.EventOther, dialect.EventLifecycle, dialect.EventItemEnd, dialect.EventNotJSON:
		}
		r.before++
	}
	return r
}

// answerAfterError names an event that must not follow the error event, and returns "" for one that may. The protocol of
// responses ends with response.failed, and gateways end it with [DONE] as they end every stream.
func answerAfterError(surface dialect.Surface, kind dialect.EventKind) string {
	switch kind {
	case dialect.EventDone:
		if surface == dialect.ResponsesStream {
			return ""
		}
		return "[DONE]"
	case dialect.EventFinish:
		return "a finish event"
	case dialect.EventContent:
		return "more content"
	case dialect.EventItemEnd:
		return "an event that marks the end of part of the answer"
	case dialect.EventLifecycle:
		return "an event that marks the start of part of the answer"
	default:
		return ""
	}
}
