//go:build !race

// A hall is made by one goroutine; the race detector makes its tests six times as slow.

package hall

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/runlog"
)

func TestAnswers(t *testing.T) {
	answer := func(status int, media, body string) *contract.Observation {
		o := &contract.Observation{Status: status, Body: contract.Bytes(body), BodySize: int64(len(body))}
		if media != "" {
			o.Header = map[string][]string{"Content-Type": {media}}
		}
		return o
	}
	stream := func(events ...string) *contract.Observation {
		o := answer(200, "text/event-stream", "…")
		o.Stream = new(contract.Stream)
		for _, e := range events {
			o.Stream.Events = append(o.Stream.Events, contract.Event{Data: contract.Bytes(e)})
		}
		return o
	}
	broken := stream(`{"choices":[]}`)
	broken.TransferError = "unexpected EOF"
	for want, c := range map[string]runlog.Case{
		"404 model_not_found":                                                   {Observation: answer(404, "application/json", `{"error":{"message":"m","code":"model_not_found"}}`)},
		"500 bad_response_body":                                                 {Observation: answer(500, "application/json", `{"error":{"message":"m","code":"bad_response_body"}}`)},
		"200 with the code 500":                                                 {Observation: answer(200, "application/json", `{"error":{"message":"m","code":500}}`)},
		"401 with an error object that has no code":                             {Observation: answer(401, "application/json", `{"error":{"message":"m"}}`)},
		"502 without an error object (text/html)":                               {Observation: answer(502, "text/html; charset=utf-8", "<p>")},
		"502 without an error object (no Content-Type)":                         {Observation: answer(502, "", "x")},
		"204 without a body":                                                    {Observation: answer(204, "", "")},
		"200 with a stream that contains no error":                              {Observation: stream(`{"choices":[]}`, "[DONE]")},
		"200 with an error event: bad_response":                                 {Observation: stream(`{"choices":[]}`, `{"error":{"message":"m","code":"bad_response"}}`)},
		"200 with an error event: an error object that has no code":             {Observation: stream(`{"error":{"message":"m"}}`)},
		"200 with a stream that contains no error, and the response is cut off": {Observation: broken},
		"no response: timed-out":                                                {Observation: &contract.Observation{Failure: &contract.Failure{Kind: contract.TimedOut}}},
		"not offered":                                                           {CaseKey: runlog.CaseKey{}, Verdict: contract.NotOffered},
		"it never ran":                                                          {Verdict: contract.Error, Reason: "it never ran"},
		`404 \x1b[31m\u202ex`:                                                   {Observation: answer(404, "application/json", `{"error":{"message":"m","code":"\u001b[31m\u202ex"}}`)},
	} {
		c.Surface = dialect.Chat
		assert.Equal(t, want, answersOf(runlog.Run{Cases: []runlog.Case{c}})[c.ID])
	}
	healthy := `{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1,"total_tokens":2}}`
	c := runlog.Case{CaseKey: runlog.CaseKey{Surface: dialect.Chat}, Observation: answer(200, "application/json", healthy)}
	assert.Equal(t, "200 with an ordinary answer", answerOf(c))
	c.Reason, c.Observation = strings.Repeat("long ", 1000), nil
	assert.Equal(t, maxAnswer, utf8.RuneCountInString(answersOf(runlog.Run{Cases: []runlog.Case{c}})[""]))
}
