package contract

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
)

// envelopeWords and codePlaces are the contract's table of dialects, as findings quote it.
var envelopeWords = map[Dialect]string{
	OpenAI:    `{"error":{"message","type","param","code"}}`,
	Anthropic: `{"type":"error","error":{"type","message"}}`,
	Gemini:    `{"error":{"code":<int>,"message","status","details"}}`,
}

var codePlaces = map[Dialect]string{
	OpenAI:    "error.code",
	Anthropic: "error.code",
	Gemini:    "error.details[].reason or error.status",
}

// EnvelopeOf is the error envelope of a dialect, as the contract writes it.
func EnvelopeOf(d Dialect) string { return envelopeWords[d] }

// CodePlaceOf is where the business code must be found in a dialect.
func CodePlaceOf(d Dialect) string { return codePlaces[d] }

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
