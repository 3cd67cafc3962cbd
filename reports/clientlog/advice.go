package clientlog

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
)

// StatusProbe is the name of the probe that answers with a status and nothing else that a client could go by.
func StatusProbe(status int) string { return "status-" + strconv.Itoa(status) }

// NoRetryProbe is the name of the probe that answers 500 with x-should-retry: false.
const NoRetryProbe = "should-retry-false"

// Advice says for a row which another status, or which field, would make clients do what the row asks for. It is "" where the clients
// do so already, or where no probe shows a way.
func Advice(l Log, row contract.Row) string {
	var wrong, done []string
	statuses := map[int]bool{}
	for _, c := range l.OfRow(row.ID) {
		for _, f := range Findings(c) {
			if f.Kind == RetriedInVain && !slices.Contains(wrong, c.Client) {
				wrong = append(wrong, c.Client)
				statuses[c.Attempts[0].Status] = true
			}
		}
		if !slices.Contains(done, c.Client) {
			done = append(done, c.Client)
		}
	}
	if len(wrong) == 0 {
		return ""
	}
	type way struct {
		words   string
		stopped int
		warned  bool
	}
	best := way{}
	consider := func(probe, words string, warned bool) {
		stopped := 0
		for _, client := range wrong {
			if once(l, probe, client) {
				stopped++
			}
		}
		if stopped > best.stopped || stopped == best.stopped && best.warned && !warned {
			best = way{words, stopped, warned}
		}
	}
	for _, status := range ProbedStatuses() {
		if allowed, warned := row.Status.Allows(status); allowed && !statuses[status] {
			consider(StatusProbe(status), "status "+strconv.Itoa(status), warned)
		}
	}
	if best.stopped < len(wrong) {
		consider(NoRetryProbe, "x-should-retry: false", false)
	}
	who := fmt.Sprintf("%s of %s retry in vain (%s)", strconv.Itoa(len(wrong)), plain.Count(len(done), "client"), strings.Join(wrong, ", "))
	switch {
	case best.stopped == 0:
		return who + "; no status that the contract allows here stops any of them"
	case best.stopped == len(wrong):
		return who + "; " + best.words + " stops all of them"
	default:
		return fmt.Sprintf("%s; %s stops %d of them", who, best.words, best.stopped)
	}
}

// once reports whether a client sent the request of a probe only once, and ended.
func once(l Log, probe, client string) bool {
	calls := slices.DeleteFunc(l.OfProbe(probe), func(c Call) bool { return c.Client != client })
	return len(calls) > 0 && !slices.ContainsFunc(calls, func(c Call) bool {
		return len(c.Attempts) != 1 || c.Outcome == Crashed || c.Outcome == Hung
	})
}

// ProbedStatuses are the statuses of errors that clients treat differently.
func ProbedStatuses() []int {
	return []int{400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 501, 502, 503, 504, 529}
}
