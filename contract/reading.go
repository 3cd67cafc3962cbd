package contract

import (
	"bytes"
	"encoding/json"
	"errors"

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
		kind := classify(surface, event)
		if r.failed != nil {
			if word, ok := afterError[kind]; ok && r.endAfterError == "" {
				r.endAfterError = word
			}
			continue
		}
		switch kind {
		case eventError:
			r.failed, r.index = &stream.Events[i], i
			continue
		case eventDone:
			r.done = true
		case eventFinish:
			r.finished, r.content = true, true
		case eventContent:
			r.content = true
		case eventOther:
		}
		r.before++
	}
	return r
}

type eventKind int

const (
	eventOther   eventKind = iota // a ping, a start, something foreign
	eventContent                  // a piece of the answer
	eventFinish                   // the dialect's own end
	eventDone                     // OpenAI's [DONE]
	eventError                    // an error in any form a client may meet
)

var afterError = map[eventKind]string{
	eventDone:    "[DONE]",
	eventFinish:  "a finish event",
	eventContent: "more content",
}

// classify says what one event means on a surface. Anything with an error object in it is an error, whatever its form:
// whether the form is right is the judge's business.
func classify(surface dialect.Surface, event Event) eventKind {
	data := bytes.TrimSpace(event.Data)
	if string(data) == "[DONE]" {
		return eventDone
	}
	var body struct {
		Type    string `json:"type"`
		Code    any    `json:"code"`
		Message any    `json:"message"`
		Error   any    `json:"error"`
		Choices []struct {
			Finish *string `json:"finish_reason"`
		} `json:"choices"`
		Candidates []struct {
			Finish string `json:"finishReason"`
		} `json:"candidates"`
		Delta any `json:"delta"`
	}
	// A field of the wrong type must not hide an error object beside it: encoding/json fills the rest all the same.
	var wrongType *json.UnmarshalTypeError
	if err := json.Unmarshal(data, &body); err != nil && !errors.As(err, &wrongType) {
		if event.Name == "error" {
			return eventError
		}
		return eventOther
	}
	if body.Error != nil || event.Name == "error" || body.Type == "error" || body.Type == "response.failed" {
		return eventError
	}
	switch surface.Dialect() {
	case dialect.Anthropic:
		switch body.Type {
		case "message_stop":
			return eventFinish
		case "content_block_delta":
			return eventContent
		}
	case dialect.Gemini:
		switch {
		case len(body.Candidates) == 0:
		case body.Candidates[0].Finish != "":
			return eventFinish
		default:
			return eventContent
		}
	case dialect.OpenAI:
		return classifyOpenAI(surface, body.Type, len(body.Choices) > 0, func() bool {
			for _, c := range body.Choices {
				if c.Finish != nil && *c.Finish != "" {
					return true
				}
			}
			return false
		})
	}
	return eventOther
}

func classifyOpenAI(surface dialect.Surface, typ string, choices bool, finished func() bool) eventKind {
	if surface == dialect.ResponsesStream {
		switch typ {
		case "response.completed", "response.incomplete":
			return eventFinish
		case "response.output_text.delta":
			return eventContent
		}
		return eventOther
	}
	switch {
	case !choices:
		return eventOther
	case finished():
		return eventFinish
	default:
		return eventContent
	}
}
