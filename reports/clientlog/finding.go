package clientlog

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// Kind states how a client's behaviour differs from the action that a row demands. None of the kinds is a fault of the gateway.
type Kind string

// The kinds of findings.
const (
	// RetriedInVain means that the row states that something must change first, but the client sent the request again.
	RetriedInVain Kind = "retried-in-vain"
	// NotRetried means that the row states that a retry may succeed, but the client gave up immediately.
	NotRetried Kind = "not-retried"
	// RetriedEarly means that the client sent the request again before the time in Retry-After had passed.
	RetriedEarly Kind = "retried-early"
	// CodeHidden means that none of the client's own fields contains the row's code.
	CodeHidden Kind = "code-hidden"
	// ErrorAccepted means that the client treated an error, or a part of a response, as a complete response.
	ErrorAccepted Kind = "error-accepted"
	// ErrorUntyped means that the error does not have one of the client's own classes.
	ErrorUntyped Kind = "error-untyped"
	// NotEnded means that the call did not end in time.
	NotEnded Kind = "not-ended"
)

// kinds are all kinds, those that cost callers something or mislead them first, each with what clients do.
func kinds() []kindWords {
	return []kindWords{
		{RetriedInVain, true, "retry even though a retry cannot succeed"},
		{ErrorAccepted, true, "treat an error or an incomplete response as a success"},
		{RetriedEarly, true, "retry before the Retry-After time has passed"},
		{NotEnded, true, "hang until the call times out"},
		{NotRetried, false, "do not retry even though a retry may succeed"},
		{CodeHidden, false, "do not expose the code in a field of the error"},
		{ErrorUntyped, false, "raise an error whose class does not belong to the client library"},
	}
}

type kindWords struct {
	kind    Kind
	harmful bool
	words   string
}

// Harmful reports whether a finding costs callers something or misleads them. Other findings are only inconvenient.
func (f Finding) Harmful() bool {
	return slices.ContainsFunc(kinds(), func(k kindWords) bool { return k.kind == f.Kind && k.harmful })
}

// Tally is the number of clients and rows with findings of one kind.
type Tally struct {
	Kind          Kind
	Words         string
	Harmful       bool
	Clients, Rows int
}

// Tallies counts the findings of a log by kind. It omits kinds without findings.
func Tallies(l Log) []Tally {
	clients, rows := map[Kind]map[string]bool{}, map[Kind]map[contract.RowID]bool{}
	for _, c := range l.Calls {
		for _, f := range Findings(c) {
			if clients[f.Kind] == nil {
				clients[f.Kind], rows[f.Kind] = map[string]bool{}, map[contract.RowID]bool{}
			}
			clients[f.Kind][c.Client], rows[f.Kind][c.Row] = true, true
		}
	}
	var tallies []Tally
	for _, k := range kinds() {
		if n := len(clients[k.kind]); n > 0 {
			tallies = append(tallies, Tally{k.kind, k.words, k.harmful, n, len(rows[k.kind])})
		}
	}
	return tallies
}

// Finding is one difference between a client's behaviour and the action that a row demands.
type Finding struct {
	Kind Kind   `json:"kind"`
	Text string `json:"text"`
}

// early is how much sooner than Retry-After a retry may come: clocks differ, and the field has whole seconds.
const early = 50 * time.Millisecond

// Findings compares a call on a row with the action that the row demands. It returns no findings for a probe, for a fault of the adapter, or if the
// gateway's response to the first attempt was an ordinary one.
func Findings(c Call) []Finding {
	row, ok := contract.RowByID(c.Row)
	if !ok || c.Probe != "" || c.Outcome == Crashed || c.Outcome == Answered && len(c.Attempts) == 1 {
		return nil
	}
	var found []Finding
	add := func(kind Kind, format string, args ...any) {
		found = append(found, Finding{kind, fmt.Sprintf(format, args...)})
	}
	action, attempts := row.Action(), len(c.Attempts)
	switch {
	case action.Retry == contract.RetryNo && attempts > 1:
		add(RetriedInVain, "sends the request %s; the contract says: %s", times(attempts), row.Advice)
	case action.Retry == contract.RetryYes && attempts == 1 && !begun(c):
		add(NotRetried, "does not retry; the contract says: %s", row.Advice)
	}
	if gap, wait, tooEarly := hurried(c); tooEarly {
		add(RetriedEarly, "retries after %s; Retry-After says %d s", gap, wait)
	}
	switch {
	case c.Outcome == Accepted:
		add(ErrorAccepted, "raises no error")
	case c.Outcome == Hung && attempts < 2:
		add(NotEnded, "does not end the call within %s", seconds(c.Milliseconds))
	case c.Outcome == Untyped:
		add(ErrorUntyped, "%s, which is not one of its own error classes", raises(c))
	}
	if raised := c.Outcome == Typed || c.Outcome == Untyped; raised && action.Code && c.Code != "" && c.Shown != InField {
		add(CodeHidden, "%s", shownWords(c))
	}
	return found
}

// hurried is the first retry that came before the time of Retry-After, which names a wait in seconds.
func hurried(c Call) (gap time.Duration, wait int, ok bool) {
	for i, a := range c.Attempts[:max(0, len(c.Attempts)-1)] {
		wait, err := strconv.Atoi(a.RetryAfter)
		if gap = time.Duration(c.Attempts[i+1].Gap) * time.Millisecond; err == nil && gap < time.Duration(wait)*time.Second-early {
			return gap, wait, true
		}
	}
	return 0, 0, false
}

// begun reports whether the answer had begun under 200: no client can send such a request again without repeating what it has
// delivered.
func begun(c Call) bool {
	last, ok := c.Last()
	return ok && last.Status == 200
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

func seconds(ms int64) string {
	return strconv.FormatFloat(float64(ms)/1000, 'f', 1, 64) + " s"
}
