package reports

import (
	"bytes"
	"regexp"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// causeKind is the way in which a requirement was violated.
type causeKind struct {
	// requirement is that of the finding, or another that the same fault violates.
	requirement contract.Requirement
	// kind is equal for two findings of one cause.
	kind string
	// title begins with "Responses" where that can be narrowed down by their status.
	title string
}

// kindLimit bounds, in runes, what of a gateway's words is in a kind or title.
const kindLimit = 60

// kindOf is the kind of a finding. Two findings of a requirement have the same kind if what they found differs in nothing but
// numbers, ids, names of surfaces and quoted text; but another status, code or member is another kind.
func kindOf(c runlog.Case, f contract.Finding) causeKind {
	switch f.Requirement {
	case contract.Secrecy:
		what := leakKind(f.Got)
		return causeKind{f.Requirement, what, "Responses show " + what}
	case contract.NotSuccess:
		kind := successKind(c, f.Got) + " instead of " + expectedStatus(f.Want)
		return causeKind{f.Requirement, kind, kind}
	case contract.StatusClass, contract.StatusExact, contract.StatusBlame:
		return statusKind(f)
	case contract.Code, contract.CodeKnown:
		kind := codeKind(f.Got)
		return causeKind{contract.Code, kind, "Responses have " + kind}
	case contract.CodePlace:
		kind := "the code in " + strings.TrimPrefix(strings.TrimPrefix(shownKind(f.Got), "the code in "), "it in ")
		return causeKind{f.Requirement, kind, "Responses have " + kind}
	case contract.Consistent:
		return agreementKind(f)
	case contract.ContentType:
		if f.Got == "no Content-Type" {
			return causeKind{f.Requirement, f.Got, "Responses have " + f.Got}
		}
		media, _, _ := strings.Cut(shownKind(f.Got), ";")
		return causeKind{f.Requirement, media, "Responses have the Content-Type " + media}
	case contract.Envelope:
		return envelopeKind(c, f)
	case contract.Message:
		kind := valueKind(f.Got)
		if kind == "" {
			return causeKind{f.Requirement, kind, "Responses have no message"}
		}
		return causeKind{f.Requirement, kind, "Responses have " + kind + " as their message"}
	case contract.Fields:
		if name, absent := strings.CutPrefix(f.Got, "no "); absent {
			return causeKind{f.Requirement, f.Got, "Responses have no " + shownKind(name)}
		}
		name, _, _ := strings.Cut(f.Want, " ")
		kind := name + " " + valueKind(f.Got)
		if valueKind(f.Got) == "" {
			kind = name + " without a value"
		}
		return causeKind{f.Requirement, kind, "Responses have " + kind}
	default:
		got, _, _ := strings.Cut(f.Got, ": ")
		title := remedyOf(f.Requirement, "").title
		switch {
		case title == "":
			title = plain.Text(string(f.Requirement), kindLimit) + ": " + shownKind(got)
		case gravityOf(f.Requirement) <= gravityEnvelope:
			title += ": " + shownKind(got)
		default: // one effect, whatever its number
			got = ""
		}
		return causeKind{f.Requirement, folded(got), title}
	}
}

// leakKind is what a finding of secrecy says was shown, without the excerpt; and the header field, if it was in one. Whether it was in
// the body or in an event makes no difference.
func leakKind(got string) string {
	what, where := got, ""
	if i := strings.LastIndex(got, " in "); i >= 0 {
		what, where = got[:i], got[i:]
	}
	what, _, _ = strings.Cut(what, ` ("`)
	if !strings.HasPrefix(where, " in header ") {
		where = ""
	}
	return shownKind(what + where)
}

// expectedStatus is the status in what a finding wanted: "404" in "404 as JSON, because the gateway …".
func expectedStatus(want string) string {
	status, _, _ := strings.Cut(want, ":")
	status, _, _ = strings.Cut(status, " as JSON")
	return shownKind(status)
}

func isStatus(got string) bool {
	status, _, _ := strings.Cut(got, ";")
	return len(status) == 3 && strings.Trim(status, "0123456789") == ""
}

// successKind is how a success looks that came in place of an error: "200 with an ordinary answer".
func successKind(c runlog.Case, got string) string {
	status, rest, _ := strings.Cut(got, " ")
	switch rest, _, _ = strings.Cut(rest, ";"); {
	case strings.HasPrefix(rest, "with an empty "), strings.HasPrefix(rest, "with an ordinary "):
		rest = plain.Text(rest, kindLimit)
	case strings.HasPrefix(rest, "text/event-stream that broke off"):
		rest = "with an event stream that breaks off"
	case strings.HasPrefix(rest, "text/event-stream"):
		rest = "with the error in an event stream"
	default:
		rest = "with another body"
		if c.Observation != nil {
			switch body := bytes.TrimSpace(c.Observation.Body); {
			case bytes.HasPrefix(body, []byte("<")):
				rest = "with an HTML page"
			case bytes.HasPrefix(body, []byte("{")) && bytes.Contains(body, []byte(`"error"`)):
				rest = "with an error object"
			}
		}
	}
	return plain.Text(status, kindLimit) + " " + rest
}

func statusKind(f contract.Finding) causeKind {
	got, _, _ := strings.Cut(f.Got, ";")
	switch {
	case f.Requirement == contract.StatusBlame && isStatus(f.Got):
		return causeKind{f.Requirement, got, got + " blames the caller for something that is not their fault"}
	case f.Requirement == contract.StatusBlame:
		kind := "the code " + shownKind(got)
		return causeKind{f.Requirement, kind, "Responses have " + kind + ", which blames the caller"}
	default:
		kind := shownKind(got) + " instead of " + expectedStatus(f.Want)
		return causeKind{f.Requirement, kind, kind}
	}
}

// codeKind is what stood in place of a code. That it is absent, null or empty is one and the same.
func codeKind(got string) string {
	switch {
	case got == "no code" || valueKind(got) == "":
		return "no code"
	case got == "no error object":
		return got
	case strings.HasPrefix(got, `"`):
		return "the code " + shownKind(got)
	default:
		return valueKind(got) + " as their code"
	}
}

// agreementKind is the way in which an error object disagrees with its status.
func agreementKind(f contract.Finding) causeKind {
	var kind string
	switch {
	case strings.HasPrefix(f.Want, "an error.type"):
		kind = "the type " + shownKind(f.Got) + ", which does not match the HTTP status"
	case strings.HasPrefix(f.Want, "error.code "):
		kind = "an error.code that differs from the HTTP status"
	default:
		code, _, _ := strings.Cut(f.Want, " with ")
		kind = "the code " + shownKind(code) + " with " + shownKind(f.Got)
	}
	return causeKind{f.Requirement, kind, "Responses have " + kind}
}

// bodyKind is why a body has no error object to read, "" when it has one.
func bodyKind(got string) string {
	switch {
	case got == "empty":
		return "an empty body"
	case !strings.HasPrefix(got, "not JSON"):
		return ""
	case strings.Contains(got, "gzip"), strings.Contains(got, "Content-Encoding"):
		return "a body that is still compressed"
	case strings.Contains(got, `): "<`):
		return "an HTML page instead of JSON"
	case strings.Contains(got, "(cut off)"):
		return "truncated JSON"
	case strings.Contains(got, "is not UTF-8"):
		return "a body that is not UTF-8"
	case strings.Contains(got, "(more data after the value)") && strings.Contains(got, `): "{`):
		return "JSON with trailing data"
	default:
		return "text that is not JSON"
	}
}

func envelopeKind(c runlog.Case, f contract.Finding) causeKind {
	if kind := bodyKind(f.Got); kind != "" {
		if c.Observation != nil && bytes.HasPrefix(bytes.TrimSpace(c.Observation.Body), []byte("<")) {
			kind = "an HTML page instead of JSON"
		}
		return causeKind{f.Requirement, kind, "Responses have " + kind}
	}
	if keys, ok := strings.CutPrefix(f.Got, `an object without "error" (keys: `); ok {
		kind := "without error: " + shownKind(strings.TrimSuffix(keys, ")"))
		return causeKind{f.Requirement, kind, `Responses have no "error" (keys: ` + shownKind(strings.TrimSuffix(keys, ")")) + ")"}
	}
	kind := folded(f.Got)
	if strings.HasPrefix(f.Got, `"error" is `) || strings.HasPrefix(f.Got, "error.") || strings.HasPrefix(f.Got, "the outer ") {
		kind = shownKind(f.Got)
	}
	return causeKind{f.Requirement, kind, "Responses are not valid error envelopes: " + shownKind(f.Got)}
}

// valueKind is the kind of a JSON value that a finding shows: "" for none, null and empty strings.
func valueKind(got string) string {
	switch {
	case got == "nothing" || got == "null" || strings.Trim(got, `" `) == "":
		return ""
	case strings.HasPrefix(got, `"`):
		return shownKind(got)
	case strings.HasPrefix(got, "{"):
		return "an object"
	case strings.HasPrefix(got, "["):
		return "a list"
	case got == "true" || got == "false":
		return "a boolean"
	default:
		return "a number"
	}
}

// shownKind is a gateway's text in a title.
func shownKind(s string) string { return plain.Text(s, kindLimit) }

// The parts of a finding that differ from case to case even if the cause is the same.
var (
	quotedText = regexp.MustCompile(`"(?:[^"\\]|\\.)*"…?`)
	surfaceIDs = surfaceNames()
	longID     = regexp.MustCompile(`\b[\w-]*[0-9a-f]{8,}[\w-]*\b`)
	numberText = regexp.MustCompile(`\d+(?:[.,]\d+)*`)
)

// folded is a text without what differs from case to case: quoted text, surfaces, ids and numbers.
func folded(s string) string {
	s = plain.Text(s, textLimit)
	s = quotedText.ReplaceAllString(s, `"…"`)
	s = surfaceIDs.ReplaceAllString(s, "…")
	s = longID.ReplaceAllString(s, "…")
	return numberText.ReplaceAllString(s, "N")
}

func surfaceNames() *regexp.Regexp {
	var names []string
	for _, s := range dialect.Surfaces() {
		names = append(names, regexp.QuoteMeta(string(s)))
	}
	slices.SortFunc(names, func(a, b string) int { return len(b) - len(a) }) // chat-stream before chat
	return regexp.MustCompile(`\b(?:` + strings.Join(names, "|") + `)\b`)
}
