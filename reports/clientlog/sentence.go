package clientlog

import (
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
)

const (
	// maxMarks bounds the marks of one call: beyond it, a number says more.
	maxMarks = 8
	// maxWord bounds a name of a client's class or field.
	maxWord = 60
)

// Marks returns one mark for each attempt of a call: ● for an error, ○ for an ordinary response, × for no complete response.
func Marks(c Call) string {
	var b strings.Builder
	if c.Outcome == Hung && len(c.Attempts) > 1 {
		return "●●…" // how many there were until its time was over depends on the machine
	}
	for i, a := range c.Attempts {
		if i == maxMarks {
			return b.String() + "+" + strconv.Itoa(len(c.Attempts)-maxMarks)
		}
		switch {
		case a.Success:
			b.WriteString("○")
		case a.Status == 0 || a.Broken: // a client that went away had seen enough
			b.WriteString("×")
		default:
			b.WriteString("●")
		}
	}
	if b.Len() == 0 {
		return "-"
	}
	return b.String()
}

// Sentence describes how a client handled the response. It contains no times except those of the protocol, so that two runs of the same version
// result in the same sentence.
func Sentence(c Call) string {
	if c.Outcome == Crashed {
		return "no result: " + plain.Text(c.Message, 120)
	}
	parts := []string{"sends the request " + times(len(c.Attempts))}
	if len(c.Attempts) == 0 {
		parts[0] = "sends nothing"
	}
	switch c.Outcome {
	case Answered:
		parts = append(parts, "and reports success")
	case Accepted:
		accepted := "and raises no error"
		if c.Text != "" {
			accepted += "; the caller receives " + textLength(c)
		}
		parts = append(parts, accepted)
	case Hung:
		if len(c.Attempts) > 1 {
			return "keeps resending the request until the call times out"
		}
		parts = append(parts, "and hangs until the call times out")
	case Typed, Untyped:
		raised := "and " + raises(c)
		if c.Status != 0 {
			raised += " (" + strconv.Itoa(c.Status) + ")"
		}
		parts = append(parts, raised+delivered(c))
		if words := shownWords(c); words != "" {
			parts = append(parts, "; "+words)
		}
	case Crashed:
	}
	text := strings.ReplaceAll(strings.Join(parts, " "), " ; ", "; ")
	if len(c.Doubts) > 0 {
		text += " (doubtful: " + plain.Text(c.Doubts[0], 160) + ")"
	}
	return text
}

// raises says with what a client reported the error. A command has no classes of errors: its class is "exit status". An Object is what JavaScript
// calls an error that is not an instance of Error.
func raises(c Call) string {
	switch c.Class {
	case "exit status":
		return "exits with an error"
	case "Object":
		return "raises a plain object"
	default:
		return "raises " + plain.Text(c.Class, maxWord)
	}
}

func delivered(c Call) string {
	if c.Text == "" {
		return ""
	}
	return " after " + textLength(c)
}

func textLength(c Call) string { return plain.Count(len([]rune(c.Text)), "character") + " of text" }

// shownWords says where the client shows the code, "" where there is none to show, or none that the row asks for.
func shownWords(c Call) string {
	row, ofRow := contract.RowByID(c.Row)
	code := "the code"
	switch {
	case ofRow && !row.Action().Code, !ofRow && c.Code == "":
		return ""
	case c.Code == "":
		return "the response had no error code"
	case ofRow && c.Code != row.Code():
		code = "another code, " + c.Code + ","
	}
	switch c.Shown {
	case InField:
		return code + " is in " + plain.Text(c.CodeAt, maxWord)
	case InRaw:
		if c.CodeAt == "body" { // a client without fields, such as curl
			return code + " is only in the raw body"
		}
		return code + " is only in the raw body, at " + plain.Text(c.CodeAt, maxWord)
	case InMessage:
		return code + " is only in the text of the message"
	default:
		return code + " does not appear in the error"
	}
}
