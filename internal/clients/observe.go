package clients

import (
	"fmt"
	"io"
	"log"
	"maps"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/exchange/redact"
	"github.com/gatecert/gatecert/reports/clientlog"
)

// The maximum lengths, in bytes, of recorded text from a client.
const (
	maxField   = 200
	maxMessage = 500
	maxFields  = 40
)

func silent() *log.Logger { return log.New(io.Discard, "", 0) }

// clip bounds a text.
func clip(s string, limit int) string {
	if len(s) > limit {
		return strings.ToValidUTF8(s[:limit], "") + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// codeIn is the business code in the gateway's last answer, or in a probe's. It is "" where there is none of table 2.
func codeIn(o contract.Observation) string {
	var body string
	if o.Stream != nil {
		for _, e := range o.Stream.Events {
			body += string(e.Data) + "\n"
		}
	} else {
		body = string(o.Body)
	}
	found := ""
	for _, row := range contract.Rows() {
		if code := row.Code(); code != "" && strings.Contains(body, `"`+code+`"`) && len(code) > len(found) {
			found = code
		}
	}
	return found
}

// observed joins what the adapter said with what the recorder saw.
func observed(call clientlog.Call, said answer, last contract.Observation, redactor *redact.Redactor) clientlog.Call {
	final, _ := call.Last()
	call.Class, call.Status = redactor.Text(clip(said.Class, maxField)), said.Status
	call.Message = redactor.Text(clip(said.Message, maxMessage))
	call.Text = redactor.Text(clip(said.Text, maxMessage))
	switch {
	case said.OK && final.Success:
		call.Outcome = clientlog.Answered
	case said.OK:
		call.Outcome = clientlog.Accepted
	case said.Typed:
		call.Outcome = clientlog.Typed
	default:
		call.Outcome = clientlog.Untyped
	}
	if call.Code = codeIn(last); call.Code != "" && !said.OK {
		call.Shown, call.CodeAt = placement(call.Code, said)
	}
	call.Doubts = doubts(call, said)
	return call
}

// placement is the best place in which the client shows the code.
func placement(code string, said answer) (clientlog.Placement, string) {
	for _, place := range []struct {
		fields map[string]string
		as     clientlog.Placement
	}{{said.Fields, clientlog.InField}, {said.Raw, clientlog.InRaw}} {
		names := slices.Sorted(maps.Keys(place.fields))
		for _, name := range names[:min(len(names), maxFields)] {
			if place.fields[name] == code {
				return place.as, clip(name, maxField)
			}
		}
	}
	if strings.Contains(said.Message, code) {
		return clientlog.InMessage, ""
	}
	return clientlog.Nowhere, ""
}

// doubts are contradictions between the adapter and the recorder.
func doubts(call clientlog.Call, said answer) []string {
	var found []string
	final, called := call.Last()
	switch {
	case !called && said.OK:
		found = append(found, "the adapter reports an answer, but the recorder received no request from it")
	case !called:
		found = append(found, "the recorder received no request from the adapter")
	case said.OK && final.Status >= 400 && said.Text != "":
		found = append(found, fmt.Sprintf("the adapter reports a text answer, but the gateway returned status %d", final.Status))
	case said.Status >= 400 && final.Status >= 400 && said.Status != final.Status:
		found = append(found, fmt.Sprintf("the adapter reports status %d, but the gateway returned status %d", said.Status, final.Status))
	}
	return found
}
