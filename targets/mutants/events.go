package mutants

import (
	"bytes"
	"context"
	"strings"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference"
	"github.com/gatecert/gatecert/targets/reference/convert"
)

// eventsFunc replaces the events with which a stream reports a failure.
type eventsFunc = func(c *reference.Call, events []byte) []byte

// event is one server-sent event; a name of "" leaves the field out.
func event(name string, data []byte) []byte { return dialect.Event{Name: name, Data: data}.Bytes() }

func replaceEvents(with string) eventsFunc {
	return func(*reference.Call, []byte) []byte { return []byte(with) }
}

func appendEvents(more string) eventsFunc {
	return func(_ *reference.Call, events []byte) []byte { return append(events, more...) }
}

func prependText(text string) eventsFunc {
	return func(_ *reference.Call, events []byte) []byte { return append([]byte(text), events...) }
}

func replaceInEvents(old, with string) eventsFunc {
	return func(_ *reference.Call, events []byte) []byte {
		return bytes.Replace(events, []byte(old), []byte(with), 1)
	}
}

// closeAfter sends events and closes the connection, without the end of the transfer.
func closeAfter(events string) eventsFunc {
	return func(c *reference.Call, _ []byte) []byte {
		if c.Reply.Events([]byte(events)) != nil {
			return nil
		}
		if conn, err := c.Reply.Hijack(); err == nil {
			_ = conn.Close() // nothing else is left to do
		}
		return nil
	}
}

// finish ends a stream as a complete answer would end.
func finish(c *reference.Call, _ []byte) []byte {
	events, err := c.Stream.Finish(dialect.End{PromptTokens: c.InputTokens(), CompletionTokens: 1})
	if err != nil {
		return nil
	}
	return events
}

// finishEmpty answers a stream with one that has no content and finishes normally.
func finishEmpty(c *reference.Call, a *reference.Answer) {
	a.Write = func(_ context.Context, r *reference.Reply, _ *reference.Answer) error {
		return r.Events(emptyStream(c))
	}
}

func emptyStream(c *reference.Call) []byte {
	stream, err := convert.NewStreamEncoder(c.Surface, convert.Head{ID: c.AnswerID(), Model: c.Model()}, nil)
	if err != nil {
		return nil
	}
	events, err := stream.Finish(dialect.End{})
	if err != nil {
		return nil
	}
	return events
}

// invented is an answer that no upstream gave.
func invented(c *reference.Call) convert.Answer {
	return convert.Answer{ID: c.AnswerID(), Model: c.Model(), Text: "…", Vectors: [][]float64{{0}}}
}

func editErrorEvent(edit func(map[string]any)) eventsFunc {
	return func(_ *reference.Call, events []byte) []byte {
		head, data, found := strings.Cut(strings.TrimRight(string(events), "\n"), "data: ")
		if !found {
			return events
		}
		return append([]byte(head), event("", edited([]byte(data), edit))...)
	}
}
