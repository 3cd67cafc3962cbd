package hall

import (
	"fmt"

	"github.com/gatecert/gatecert/reports/plain"
)

// Kind is the reason why a log is not listed.
type Kind string

// The kinds, in the order in which a log is checked.
const (
	Unreadable    Kind = "unreadable"     // it is not the log of a run, or is too large
	Incomplete    Kind = "incomplete"     // the run did not finish
	OtherContract Kind = "other-contract" // it was judged by another contract
	Unverified    Kind = "unverified"     // it does not prove its verdicts, or its certificate is not valid
	Unnamed       Kind = "unnamed"        // it does not name its gateway
	Inconclusive  Kind = "inconclusive"   // no case is evidence about the gateway
	Partial       Kind = "partial"        // it ran only selected rows, cases or endpoints
	Future        Kind = "future"         // it ended on a day in the future
	Expired       Kind = "expired"        // it is older than [MaxAge]
	Duplicate     Kind = "duplicate"      // the folder contains the same log twice
	OtherLevel    Kind = "other-level"    // it was run at another level than the rest
)

// Kinds returns all kinds in that order.
func Kinds() []Kind {
	return []Kind{Unreadable, Incomplete, OtherContract, Unverified, Unnamed, Inconclusive, Partial, Future, Expired, Duplicate, OtherLevel}
}

// Refusal is a log that is not listed.
type Refusal struct {
	// Path is the path of the log in the folder. It is not safe to show.
	Path string
	Kind Kind
	// Reason is a sentence without its full stop. It is safe to show.
	Reason string
}

// maxReason bounds a reason, in characters.
const maxReason = 400

func refused(kind Kind, format string, args ...any) *Refusal {
	return &Refusal{Kind: kind, Reason: plain.Text(fmt.Sprintf(format, args...), maxReason)}
}
