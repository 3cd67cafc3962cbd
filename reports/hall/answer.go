package hall

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// maxAnswer is the maximum length of a response text, in characters, and maxCode is that of a code in it.
const (
	maxAnswer = 160
	maxCode   = 60
)

// answersOf are what a gateway answered in the cases of a run, in a few words each. They are safe to show.
func answersOf(run runlog.Run) map[string]string {
	answers := make(map[string]string, len(run.Cases))
	for _, c := range run.Cases {
		answers[c.ID] = plain.Text(answerOf(c), maxAnswer)
	}
	return answers
}

// answerOf is what a gateway answered in a case: "404 model_not_found", "500 without an error object (text/html)".
func answerOf(c runlog.Case) string {
	o := c.Observation
	switch {
	case c.Verdict == contract.NotOffered:
		return "not offered"
	case c.Load != nil:
		return reports.LoadText(*c.Load)[0]
	case o == nil:
		return cmp.Or(c.Reason, string(c.Verdict))
	case o.Failure != nil:
		return "no response: " + string(o.Failure.Kind)
	case !c.Surface.Valid():
		return strconv.Itoa(o.Status)
	}
	text := fmt.Sprintf("%d %s", o.Status, saidBy(c.Surface, *o))
	if o.TransferError != "" {
		text += ", and the response is cut off"
	}
	return text
}

// saidBy is what an answer says apart from its status.
func saidBy(s dialect.Surface, o contract.Observation) string {
	if o.Stream != nil {
		for _, e := range o.Stream.Events {
			if object, _, err := s.DecodeErrorEvent(e.Name, e.Data, contract.IsCode); err == nil {
				return "with an error event: " + strings.TrimPrefix(codeOf(object), "with ")
			}
		}
		return "with a stream that contains no error"
	}
	if object, err := dialect.DecodeError(s.Dialect(), o.Body, contract.IsCode); err == nil {
		return codeOf(object)
	}
	if healthy, _ := contract.IsSuccess(s, o); healthy {
		return "with an ordinary answer"
	}
	media := "no Content-Type"
	if values := o.Header["Content-Type"]; len(values) > 0 {
		media, _, _ = strings.Cut(values[0], ";")
	}
	if o.BodySize == 0 {
		return "without a body"
	}
	return "without an error object (" + plain.Text(media, maxCode) + ")"
}

// codeOf is the business code of an error object, or what it has in the place of one.
func codeOf(e dialect.ErrorObject) string {
	code, isText := e.Code.(string)
	switch {
	case e.Business != "":
		return plain.Text(e.Business, maxCode)
	case isText && code != "":
		return plain.Text(code, maxCode)
	case !isText && e.Code != nil:
		return plain.Text(fmt.Sprintf("with the code %v", e.Code), maxCode)
	default:
		return "with an error object that has no code"
	}
}
