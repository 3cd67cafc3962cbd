package contract

import (
	"encoding/json"
	"fmt"
	"mime"
	"strings"

	"github.com/gatecert/gatecert/dialect"
)

// IsSuccess reports whether an observation is a success on its surface and, if it is not, the reason. Control calls use this test. IsSuccess checks
// only the shape of the response, because a reasoning model may use up its few tokens without producing any text.
func IsSuccess(surface dialect.Surface, o Observation) (ok bool, reason string) {
	switch {
	case o.Failure != nil:
		return false, fmt.Sprintf("no response (%s: %s)", o.Failure.Kind, o.Failure.Detail)
	case o.Status != 200:
		return false, answerWords(o)
	case o.TransferError != "":
		return false, "the transfer was cut off: " + o.TransferError
	case o.Cut != "":
		return false, "gatecert stopped reading: " + o.Cut
	case !looksSuccessful(surface, o):
		return false, "200, but not " + shapeWords(surface) + ": " + faultWords(surface, o)
	}
	return true, ""
}

// looksSuccessful recognises a whole success answer by its dialect's own shape.
func looksSuccessful(surface dialect.Surface, o Observation) bool {
	if surface.Streaming() {
		if o.Stream == nil {
			return false
		}
		r := readStream(surface, *o.Stream)
		return r.failed == nil && (r.finished || r.done && r.content)
	}
	if surface.Binary() {
		return isMedia(surface, o) && o.BodyDigest != ""
	}
	media, _, err := mime.ParseMediaType(header(o, "Content-Type"))
	if err != nil || media != "application/json" {
		return false
	}
	var body map[string]json.RawMessage
	if json.Unmarshal(o.Body, &body) != nil {
		// The capture may have cut a long answer short: its beginning then has to do.
		return o.BodySize > int64(len(o.Body)) && strings.HasPrefix(strings.TrimSpace(string(o.Body)), "{") &&
			!strings.Contains(string(o.Body), `"error"`)
	}
	if raw, has := body["error"]; has && string(raw) != "null" {
		return false
	}
	e, _ := surface.Details()
	return e.Answered(body)
}

// isMedia reports whether an answer has a media type in which those of the surface come that are not text.
func isMedia(surface dialect.Surface, o Observation) bool {
	e, _ := surface.Details()
	media, _, err := mime.ParseMediaType(header(o, "Content-Type"))
	return err == nil && (strings.HasPrefix(media, e.Media+"/") || media == "application/octet-stream")
}

// faultWords quotes what is wrong with an answer that is not a success: in a stream that may stand behind any number of
// events.
func faultWords(surface dialect.Surface, o Observation) string {
	if !surface.Streaming() || o.Stream == nil || len(o.Stream.Events) == 0 {
		return bodyWords(o)
	}
	switch r := readStream(surface, *o.Stream); {
	case r.failed != nil:
		return fmt.Sprintf("event %d is an error: %s", r.index+1, dialect.Excerpt(r.failed.Data))
	case r.notJSON != nil:
		return "an event that is not JSON: " + dialect.Excerpt(r.notJSON.Data)
	default:
		return "no finish event; the last event is " + dialect.Excerpt(o.Stream.Events[len(o.Stream.Events)-1].Data)
	}
}

func shapeWords(surface dialect.Surface) string {
	if surface.Streaming() {
		return "a complete event stream"
	}
	e, _ := surface.Details()
	switch {
	case e.Media != "":
		return e.Media
	case e.Holds == dialect.ShapeList:
		return "JSON with a non-empty \"" + e.Answers + "\""
	default:
		return "JSON with " + e.Holds.String() + " in \"" + e.Answers + "\""
	}
}
