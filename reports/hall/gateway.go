package hall

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/reports/plain"
)

// Gateway is a gateway with all of its listed runs.
type Gateway struct {
	// Name is the name in the gateway's current run. It is safe to show.
	Name string
	// Slug identifies the gateway in URLs.
	Slug string
	// Runs are in the order in which they ended, newest first.
	Runs []Entry
	// Current is the newest run of the newest version.
	Current Entry
}

// maxName bounds a name that is shown, in characters.
const maxName = 100

// gateways groups runs by the gateway that they name, sorted by name.
func gateways(entries []Entry) []Gateway {
	byKey := make(map[string][]Entry)
	for _, e := range entries {
		byKey[e.key()] = append(byKey[e.key()], e)
	}
	var list []Gateway
	for key, runs := range byKey {
		slices.SortFunc(runs, func(a, b Entry) int {
			return cmp.Or(b.Run.Footer.Ended.Compare(a.Run.Footer.Ended), cmp.Compare(a.Digest, b.Digest))
		})
		g := Gateway{Slug: slug(key), Runs: runs, Current: current(runs)}
		g.Name = plain.Text(strings.TrimSpace(g.Current.Run.Target.Name), maxName)
		list = append(list, g)
	}
	slices.SortFunc(list, func(a, b Gateway) int {
		return cmp.Or(cmp.Compare(a.Current.key(), b.Current.key()), cmp.Compare(a.Slug, b.Slug))
	})
	return list
}

// current is the newest run of the newest version. Versions that are all numbers are compared as such. Of others, such as commits, that is
// the newest which was first run last: an old version that is run once more does not become the newest.
func current(runs []Entry) Entry {
	allNumbers := !slices.ContainsFunc(runs, func(e Entry) bool { return numbersOf(e.Run.Target.Version) == nil })
	best := runs[0]
	first := make(map[string]Entry)
	for _, e := range runs { // newest first
		first[e.Run.Target.Version] = e
	}
	for _, e := range runs[1:] {
		a, b := e.Run.Target.Version, best.Run.Target.Version
		newer := first[a].Run.Footer.Ended.After(first[b].Run.Footer.Ended)
		if allNumbers {
			newer = slices.Compare(numbersOf(a), numbersOf(b)) > 0
		}
		if a != b && newer {
			best = e
		}
	}
	return best
}

var numbered = regexp.MustCompile(`^v?\d{1,9}(\.\d{1,9}){0,3}$`)

// numbersOf are the numbers of a version such as 1.15.2, nil for another kind of version.
func numbersOf(version string) []int {
	if !numbered.MatchString(version) {
		return nil
	}
	var numbers []int
	for part := range strings.SplitSeq(strings.TrimPrefix(version, "v"), ".") {
		n, _ := strconv.Atoi(part) // at most nine digits
		numbers = append(numbers, n)
	}
	return numbers
}
