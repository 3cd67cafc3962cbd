package upstream

import (
	"cmp"
	"encoding/json"
	"maps"
	"net/http"
	"slices"

	"github.com/gatecert/gatecert/dialect"
)

// answerWithError is half an answer and an error object in one body, as some upstreams send it when a model fails.
func answerWithError(op dialect.Operation, c dialect.Answer, d Directive) reply {
	if len(c.Pieces) > 1 {
		c.Pieces = c.Pieces[:len(c.Pieces)/2]
	}
	body := objectOf(dialect.Encode(op.Body(c)))
	maps.Copy(body, op.ErrorBody(op.Describe(d.Error.problem(http.StatusInternalServerError))))
	markFailed(body)
	return reply{status: cmp.Or(d.Status, http.StatusOK), header: contentType(jsonOf(op)), body: dialect.Encode(body)}
}

// eventsWithError are n events, one that is a piece of the answer and an error at once, and the end marker. Where the events
// have types, an event has one only: there it is the error event, with an empty answer in it.
func eventsWithError(op dialect.StreamingOperation, s dialect.Stream, d Directive) []dialect.Event {
	problem := op.Describe(d.Error.problem(http.StatusInternalServerError))
	failed := op.ErrorEvent(problem, d.After)
	if failed.Name == "" {
		body := objectOf(s.Events[s.Content].Data)
		maps.Copy(body, op.ErrorBody(problem))
		markFailed(body)
		failed.Data = dialect.Encode(body)
	} else {
		body := objectOf(failed.Data)
		body["choices"] = dialect.List{}
		failed.Data = dialect.Encode(body)
	}
	marker := s.Events[len(s.Events)-1]
	events := append(slices.Clone(s.Events[:d.After]), failed)
	if s.EndMarker && failed.Name == "" {
		events = append(events, marker)
	}
	return events
}

// markFailed sets what the protocols have to say that an answer did not end well.
func markFailed(body dialect.Object) {
	choices, _ := body["choices"].(dialect.List)
	for _, choice := range choices {
		if choice, ok := choice.(dialect.Object); ok {
			choice["finish_reason"] = "error"
		}
	}
	candidates, _ := body["candidates"].(dialect.List)
	for _, candidate := range candidates {
		if candidate, ok := candidate.(dialect.Object); ok {
			candidate["finishReason"] = "OTHER"
		}
	}
	if body["object"] == "response" {
		body["status"] = "failed"
	}
}

// objectOf reads what [dialect.Encode] wrote of an object.
func objectOf(encoded []byte) (body dialect.Object) {
	_ = json.Unmarshal(encoded, &body)
	return body
}
