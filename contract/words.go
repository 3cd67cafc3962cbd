package contract

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/gatecert/gatecert/dialect"
)

// header is the first value of a field under its canonical name, "" for none.
func header(o Observation, name string) string {
	if values := o.Header[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// answerWords says in a few words what came back.
func answerWords(o Observation) string {
	if o.Failure != nil {
		return "nothing (" + string(o.Failure.Kind) + ")"
	}
	return fmt.Sprintf("%d with %s", o.Status, bodyWords(o))
}

func bodyWords(o Observation) string {
	if o.BodyDigest != "" {
		return fmt.Sprintf("%d bytes of %s", o.BodySize, header(o, "Content-Type"))
	}
	if len(o.Body) == 0 {
		return "an empty body"
	}
	return dialect.Excerpt(o.Body)
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
	if len(raw) > dialect.ExcerptLength {
		return string(raw[:dialect.ExcerptLength]) + "…"
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
