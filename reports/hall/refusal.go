package hall

import (
	"fmt"

	"github.com/gatecert/gatecert/reports/plain"
)

// Kind is why a log is not listed.
type Kind string

// The kinds, in the order in which a log is checked.
const (
	Unreadable    Kind = "unreadable"     // it is not the log of a run, or is larger than is read
	Incomplete    Kind = "incomplete"     // the run did not come to its end
	OtherContract Kind = "other-contract" // another contract judged it
	Unverified    Kind = "unverified"     // it does not prove its verdicts, or its certificate is not valid
	Unnamed       Kind = "unnamed"        // it does not name its gateway
	Inconclusive  Kind = "inconclusive"   // no case says anything about the gateway
	Partial       Kind = "partial"        // it ran selected rows, cases or endpoints only
	Future        Kind = "future"         // it ended on a day that has not come
	Expired       Kind = "expired"        // it is older than [MaxAge]
	Duplicate     Kind = "duplicate"      // the same log is there twice
	OtherLevel    Kind = "other-level"    // it was run at another level than the rest
)

// Kinds returns all of them, in that order.
func Kinds() []Kind {
	return []Kind{Unreadable, Incomplete, OtherContract, Unverified, Unnamed, Inconclusive, Partial, Future, Expired, Duplicate, OtherLevel}
}

// Refusal is a log that is not listed.
type Refusal struct {
	// Path is that of the log in the folder. It is not safe to show.
	Path string
	Kind Kind
	// Reason is a sentence without its full stop, safe to show.
	Reason string
}

// maxReason bounds a reason, in characters.
const maxReason = 400

func refused(kind Kind, format string, args ...any) *Refusal {
	return &Refusal{Kind: kind, Reason: plain.Text(fmt.Sprintf(format, args...), maxReason)}
}
