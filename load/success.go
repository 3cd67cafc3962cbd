package load

import (
	"bytes"
	"mime"
	"net/http"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
)

// isCertainSuccess reports whether a response is certainly a success. It may reject what [contract.IsSuccess] accepts, and the
// response is then classified in full; it never accepts what that rejects. It takes half the time of a full classification,
// which parses streams strictly and redacts.
func isCertainSuccess(s dialect.Surface, r response) bool {
	if _, encoded := field(r.header, "Content-Encoding"); encoded {
		return false
	}
	contentType, _ := field(r.header, "Content-Type")
	if s.Streaming() {
		return isStream(contentType) && isCompleteStream(s, r.body)
	}
	if string(contentType) == "application/json" && !s.Binary() { // as nearly all say it
		if e, _ := s.Details(); e.CertainlyAnswered(r.body) {
			return true
		}
	}
	o := contract.Observation{
		Status: r.status, Header: http.Header{"Content-Type": {string(contentType)}}, Body: r.body, BodySize: int64(len(r.body)),
	}
	if s.Binary() && exchange.IsMedia(string(contentType), r.body) {
		o.Body, o.BodyDigest = nil, "not computed" // nobody reads it, and minutes of audio take milliseconds
	}
	ok, _ := contract.IsSuccess(s, o)
	return ok
}

func isStream(contentType []byte) bool {
	media, _, err := mime.ParseMediaType(string(contentType))
	return err == nil && media == "text/event-stream"
}

// isCompleteStream recognises a complete event stream without an error in it, as the original APIs write it.
func isCompleteStream(s dialect.Surface, body []byte) bool {
	end, known := s.FinishMarks()
	if !known || !bytes.HasSuffix(body, []byte("\n\n")) {
		return false
	}
	if dialect.MayFail(body) {
		return false
	}
	ended := false
	for line := range bytes.SplitSeq(body, []byte("\n")) {
		data, isData := bytes.CutPrefix(line, []byte("data: "))
		switch {
		case isData && dialect.IsCertainJSON(data):
			ended = ended || end.In(data)
		case isData && string(data) == "[DONE]":
		case !isData && (len(line) == 0 || bytes.HasPrefix(line, []byte("event: "))):
		default:
			return false
		}
	}
	return ended
}
