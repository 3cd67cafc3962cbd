package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/gatecert/gatecert/dialect"
)

// choices reads decisions from fuzzed bytes. When they are used up every decision is the first.
type choices struct{ data []byte }

func (c *choices) pick(n int) int {
	if len(c.data) == 0 {
		return 0
	}
	b := c.data[0]
	c.data = c.data[1:]
	return int(b) % n
}

func choose[T any](c *choices, options ...T) T { return options[c.pick(len(options))] }

// errorParts are the parts of a conformant error, before they are encoded.
type errorParts struct {
	status                  int
	code, kind, message, at string // at is Gemini's or Anthropic's place of the code
}

// permittedParts chooses an error that the contract permits for a case.
func permittedParts(c Case, ch *choices) errorParts {
	j := &judge{c: c}
	j.row, _ = rowOf(c.Row)
	p := errorParts{message: innocent[ch.pick(len(innocent))]}
	if rule := j.row.Status; len(rule.Exact) > 0 && (len(rule.Classes) == 1 || ch.pick(2) == 0) {
		p.status = rule.Exact[0]
	} else {
		p.status = choose(ch, 500, 502, 503, 504, 507, 529)
	}
	switch codes := j.fittingCodes(); {
	case j.row.Code() != "":
		p.code = j.row.Code()
	case len(codes) > 0:
		p.code = codes[ch.pick(len(codes))]
	}
	if p.status/100 == 4 {
		p.kind = choose(ch, "invalid_request_error", "new_api_error", "not_found_error", "gateway_error")
	} else {
		p.kind = choose(ch, "api_error", "upstream_error", "server_error", "new_api_error")
	}
	p.at = choose(ch, "first", "second")
	return p
}

// object is the error in the envelope of a dialect, as a value that can still be edited.
func (p errorParts) object(d dialect.Dialect, ch *choices) map[string]any {
	var code any = p.code
	if p.code == "" {
		code = nil
	}
	switch d {
	case dialect.Anthropic:
		inner := map[string]any{"type": p.kind, "message": p.message}
		if p.at == "first" {
			inner["code"] = code
		} else {
			inner["details"] = map[string]any{"error_code": code}
		}
		return map[string]any{"type": "error", "error": inner}
	case dialect.Gemini:
		inner := map[string]any{"code": p.status, "message": p.message, "status": "SOME_STATUS"}
		if p.at == "first" || p.code == "" {
			inner["details"] = []any{map[string]any{"@type": "x", "reason": p.code}}
		} else {
			inner["status"] = p.code
		}
		return map[string]any{"error": inner}
	default:
		inner := map[string]any{"message": p.message, "type": choose[any](ch, p.kind, nil), "param": choose[any](ch, nil, "model"), "code": code}
		return map[string]any{"error": inner}
	}
}

// encoded writes a JSON value in one of the ways that mean the same.
func encoded(value any, ch *choices) []byte {
	raw, _ := json.Marshal(value) // strings, numbers, lists and maps
	switch ch.pick(4) {
	case 1:
		var out bytes.Buffer
		_ = json.Indent(&out, raw, "", "\t")
		raw = append(out.Bytes(), '\n')
	case 2:
		raw = []byte(strings.ReplaceAll(string(raw), "e", `\u0065`))
		if !json.Valid(raw) { // an escape in "true" or a number
			raw, _ = json.Marshal(value)
		}
	case 3:
		raw = append([]byte(" \r\n"), raw...)
	}
	return raw
}

// permittedAnswer builds an answer that the contract permits for a case. It returns the value of its error object's envelope
// and what encodes an edited one into the same kind of answer.
func permittedAnswer(c Case, ch *choices) (o Observation, parts errorParts, envelope map[string]any, with func(map[string]any) Observation) {
	parts = permittedParts(c, ch)
	envelope = parts.object(c.Surface.Dialect(), ch)
	circumstance, variant, _ := c.resolve()
	inStream := c.Surface.Streaming() && circumstance.Reach == ReachMust && (variant.MidStream || ch.pick(2) == 1)
	header := map[string][]string{"X-Request-Id": {"r"}, "Www-Authenticate": {"Bearer"}, "Allow": {"POST"}, "Retry-After": {"3"}}
	tail := append([]byte(nil), ch.data...)
	with = func(envelope map[string]any) Observation {
		ch := &choices{tail}
		if !inStream {
			body := encoded(envelope, ch)
			header["Content-Type"] = []string{choose(ch, "application/json", "application/json; charset=utf-8", "Application/JSON")}
			return Observation{Status: parts.status, Header: header, Body: body, BodySize: int64(len(body))}
		}
		header["Content-Type"] = []string{"text/event-stream"}
		data := encoded(envelope, &choices{}) // an event's lines are joined by the decoder
		name := choose(ch, "", "message")
		if c.Surface.Dialect() == dialect.Anthropic {
			name = "error"
		}
		list := []Event{{Name: name, Data: data}}
		before := choose(ch, ": wait\n\n", "retry: 3000\n\n", "\n", "id: 1\n", "event: ping\n\n", "\uFEFF")
		if ch.pick(2) == 1 {
			list = append(list, Event{Name: choose(ch, "ping", ""), Data: Bytes(`{"type":"ping"}`)})
		}
		return Observation{Status: 200, Header: header, Body: Bytes(before + "data: x"), Stream: &Stream{Events: list}}
	}
	return with(envelope), parts, envelope, with
}

func serious(findings []Finding) []Finding {
	var out []Finding
	for _, f := range findings {
		if f.Level != Note {
			out = append(out, f)
		}
	}
	return out
}

// FuzzPermittedAnswers builds answers from a grammar of permitted forms, in which the judge must find nothing, and breaks one
// thing, of which the judge must find the requirement and no other.
func FuzzPermittedAnswers(f *testing.F) {
	cases := Cases()
	for i := range 64 {
		f.Add(uint(i*9), []byte{byte(i), byte(i * 7), byte(i * 3), 1, byte(i), 2, 0, 3, 1, byte(i)}, uint(i))
	}
	f.Fuzz(func(t *testing.T, pick uint, data []byte, breakage uint) {
		c := cases[pick%uint(len(cases))]
		o, parts, envelope, with := permittedAnswer(c, &choices{data})
		assert.Empty(t, serious(Judge(c, o).Findings), "%s\n%s", c.ID(), describe(o))

		inner, _ := envelope["error"].(map[string]any)
		var broken Observation
		var want Requirement
		switch breakage % 8 {
		case 0:
			inner["message"] = "  "
			broken, want = with(envelope), Message
		case 1:
			inner["message"] = "at com.acme.Relay.call(Relay.java:88)"
			broken, want = with(envelope), Secrecy
		case 2:
			broken, want = with(envelope), ContentType
			if broken.Stream != nil {
				return
			}
			broken.Header["Content-Type"] = []string{"text/plain"}
		case 3:
			broken, want = with(envelope), StreamEnd
			if broken.Stream == nil {
				return
			}
			finish := map[dialect.Dialect]string{dialect.OpenAI: `{"choices":[{"finish_reason":"stop"}]}`, dialect.Anthropic: `{"type":"message_stop"}`,
				dialect.Gemini: `{"candidates":[{"finishReason":"STOP"}]}`}[c.Surface.Dialect()]
			if c.Surface == dialect.ResponsesStream {
				finish = `{"type":"response.completed"}`
			}
			broken.Stream.Events = append([]Event{{Data: Bytes(finish)}}, broken.Stream.Events...)
		case 4:
			broken = with(envelope)
			if broken.Stream != nil || parts.code == "" {
				return
			}
			broken.Body = append(broken.Body, "}"...)
			assert.Contains(t, violatedIn(Judge(c, broken).Findings), Envelope)
			return
		case 5:
			delete(envelope, "error")
			envelope["fault"] = inner
			broken = with(envelope)
			assert.Equal(t, Fail, VerdictOf(Judge(c, broken).Findings), "%s\n%s", c.ID(), describe(broken))
			return
		case 6:
			broken, want = with(envelope), Secrecy
			broken.Leaks = []Leak{{"upstream key", "body"}}
		default:
			broken = with(envelope)
			if broken.Stream != nil {
				return
			}
			broken.Status = 200
			assert.Equal(t, Fail, VerdictOf(Judge(c, broken).Findings))
			return
		}
		assert.Equal(t, []Requirement{want}, violatedIn(serious(Judge(c, broken).Findings)), "%s\n%s", c.ID(), describe(broken))
	})
}

func violatedIn(findings []Finding) []Requirement {
	var out []Requirement
	seen := map[Requirement]bool{}
	for _, f := range findings {
		if !seen[f.Requirement] {
			out = append(out, f.Requirement)
		}
		seen[f.Requirement] = true
	}
	return out
}

func describe(o Observation) string {
	text := fmt.Sprintf("%d %v\n%s", o.Status, o.Header["Content-Type"], o.Body)
	if o.Stream != nil {
		for _, e := range o.Stream.Events {
			text += fmt.Sprintf("\nevent %q: %s", e.Name, e.Data)
		}
	}
	return text
}
