package contract

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/gatecert/gatecert/dialect"
)

// envelopeWords and codePlaces are the contract's table of dialects, as findings quote it.
var envelopeWords = map[dialect.Dialect]string{
	dialect.OpenAI:    `{"error":{"message","type","param","code"}}`,
	dialect.Anthropic: `{"type":"error","error":{"type","message"}}`,
	dialect.Gemini:    `{"error":{"code":<int>,"message","status","details"}}`,
}

var codePlaces = map[dialect.Dialect]string{
	dialect.OpenAI:    "error.code",
	dialect.Anthropic: "error.code",
	dialect.Gemini:    "error.details[].reason or error.status",
}

// EnvelopeOf is the error envelope of a dialect, as the contract writes it.
func EnvelopeOf(d dialect.Dialect) string { return envelopeWords[d] }

// CodePlaceOf is where the business code must be found in a dialect.
func CodePlaceOf(d dialect.Dialect) string { return codePlaces[d] }

// header is the first value of a field under its canonical name, "" for none.
func header(o Observation, name string) string {
	return http.Header(o.Header).Get(name)
}

// answerWords says in a few words what came back.
func answerWords(o Observation) string {
	if o.Failure != nil {
		return "nothing (" + string(o.Failure.Kind) + ")"
	}
	return fmt.Sprintf("%d with %s", o.Status, bodyWords(o))
}

func bodyWords(o Observation) string {
	if len(o.Body) == 0 {
		return "an empty body"
	}
	return excerpt(o.Body)
}

// valueWords shows a JSON value as it stood, or says that it was absent.
func valueWords(present bool, value any) string {
	if !present {
		return "nothing"
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return "a value that cannot be shown"
	}
	if len(raw) > excerptLen {
		return string(raw[:excerptLen]) + "…"
	}
	return string(raw)
}

func times(n int) string {
	switch n {
	case 1:
		return "once"
	case 2:
		return "twice"
	default:
		return strconv.Itoa(n) + " times"
	}
}
