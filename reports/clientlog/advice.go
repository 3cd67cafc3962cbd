package clientlog

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
)

// StatusProbe returns the name of the probe that responds with a status and with nothing else that could influence a client.
func StatusProbe(status int) string { return "status-" + strconv.Itoa(status) }

// NoRetryProbe is the name of the probe that responds with 500 and x-should-retry: false.
const NoRetryProbe = "should-retry-false"

// Advice returns, for a row, which other status that the contract names for the row, or which header field, would make clients do what the row
// demands. It returns "" if the clients already do so, and if nothing can make them retry.
func Advice(l Log, row contract.Row) string {
	text, _ := Suggestion(l, row)
	return text
}

// Suggestion returns [Advice], and whether following it helps at least one client.
func Suggestion(l Log, row contract.Row) (text string, helps bool) {
	m := misledOn(l, row)
	if len(m.clients) == 0 {
		return "", false
	}
	ways, done := m.statuses(l)
	if done < len(m.clients) && m.action == contract.RetryNo {
		if stopped := m.count(l, NoRetryProbe); stopped > done {
			ways, done = "x-should-retry: false", stopped
		}
	}
	who := fmt.Sprintf("%d of %s %s (%s)", len(m.clients), plain.Count(m.of, "client"), m.verb(), plain.Joined(m.clients))
	switch all := done == len(m.clients); {
	case done == 0 && m.action == contract.RetryYes:
		return "", false
	case done == 0:
		return who + "; no status that the contract names for this row makes any of them stop retrying", false
	case all:
		return who + "; " + ways + m.words(" would stop all of them", " would make all of them retry"), true
	default:
		return fmt.Sprintf("%s; %s%s", who, ways, m.words(fmt.Sprintf(" would stop %d of them", done), fmt.Sprintf(" would make %d of them retry", done))), true
	}
}

// misled are the clients that send the request of a row again in vain, or not although they should.
type misled struct {
	row     contract.Row
	action  contract.Retry
	clients []string
	// of is how many clients played the row.
	of int
	// met are the statuses that they got.
	met []int
}

func misledOn(l Log, row contract.Row) misled {
	m := misled{row: row, action: row.Action().Retry}
	wrong := NotRetried
	if m.action == contract.RetryNo {
		wrong = RetriedInVain
	}
	var played []string
	for _, c := range l.OfRow(row.ID) {
		if !slices.Contains(played, c.Client) {
			played = append(played, c.Client)
		}
		if !slices.ContainsFunc(Findings(c), func(f Finding) bool { return f.Kind == wrong }) {
			continue
		}
		if name := plain.Text(c.Client, maxWord); !slices.Contains(m.clients, name) {
			m.clients = append(m.clients, name)
		}
		if status := c.Attempts[0].Status; status != 0 && !slices.Contains(m.met, status) {
			m.met = append(m.met, status)
		}
	}
	slices.Sort(m.met)
	m.of = len(played)
	return m
}

// verb is what the clients do.
func (m misled) verb() string {
	if len(m.clients) == 1 {
		return m.words("retries in vain", "does not retry")
	}
	return m.words("retry in vain", "do not retry")
}

// words chooses between what is said of clients that retry in vain, and of those that do not retry.
func (m misled) words(inVain, notRetried string) string {
	if m.action == contract.RetryNo {
		return inVain
	}
	return notRetried
}

// statuses are those with which most of the clients do what the row asks for, and how many do so: "402 (causes a warning) or 403 instead of 429".
func (m misled) statuses(l Log) (ways string, done int) {
	var best []string
	for _, status := range ProbedStatuses() {
		expected := m.row.Status.Accepts(status)
		if slices.Contains(m.met, status) || !expected && !slices.Contains(m.row.Named(), status) {
			continue
		}
		word := strconv.Itoa(status)
		if !expected {
			word += " (causes a warning)"
		}
		switch n := m.count(l, StatusProbe(status)); {
		case n > done:
			best, done = []string{word}, n
		case n == done && n > 0:
			best = append(best, word)
		}
	}
	ways = strings.Join(best, " or ")
	if len(m.met) > 0 {
		var met []string
		for _, status := range m.met {
			met = append(met, strconv.Itoa(status))
		}
		ways += " instead of " + strings.Join(met, " and ")
	}
	return ways, done
}

// count is how many of the clients do with a probe what the row asks for.
func (m misled) count(l Log, probe string) int {
	n := 0
	for _, client := range m.clients {
		if attempts, ended := sent(l, probe, client); ended && (attempts == 1) == (m.action == contract.RetryNo) && attempts > 0 {
			n++
		}
	}
	return n
}

// sent is how often a client sent the request of a probe. ended is false where it went on for longer than its time, or was not played.
func sent(l Log, probe, client string) (attempts int, ended bool) {
	for _, c := range l.Calls {
		if c.Probe == probe && plain.Text(c.Client, maxWord) == client {
			attempts = max(attempts, len(c.Attempts))
			ended = c.Outcome != Crashed && (c.Outcome != Hung || len(c.Attempts) > 1)
		}
	}
	return attempts, ended
}

// ProbedStatuses returns the error statuses that clients treat differently.
func ProbedStatuses() []int {
	return []int{400, 401, 402, 403, 404, 408, 409, 413, 415, 422, 429, 500, 501, 502, 503, 504, 529}
}
