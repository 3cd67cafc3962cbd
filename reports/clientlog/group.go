package clientlog

import (
	"slices"

	"github.com/gatecert/gatecert/reports/plain"
)

// Group is a set of clients with the same behaviour. Its texts are safe to show.
type Group struct {
	Marks, Sentence string
	// Clients are names. The names of clients that streamed end in (stream).
	Clients []string
	// Found means that the behaviour is not what the row demands. Harmful means that it costs callers something or misleads them.
	Found, Harmful bool
}

// Grouped groups calls with the same marks and the same sentence.
func Grouped(calls []Call) []Group {
	var groups []Group
	for _, c := range calls {
		marks, sentence, found := Marks(c), Sentence(c), Findings(c)
		who := plain.Text(c.Client, maxWord)
		if c.Surface.Streaming() {
			who += " (stream)"
		}
		i := slices.IndexFunc(groups, func(g Group) bool {
			return g.Marks == marks && g.Sentence == sentence && g.Found == (len(found) > 0)
		})
		if i < 0 {
			i = len(groups)
			groups = append(groups, Group{Marks: marks, Sentence: sentence, Found: len(found) > 0, Harmful: slices.ContainsFunc(found, Finding.Harmful)})
		}
		if !slices.Contains(groups[i].Clients, who) {
			groups[i].Clients = append(groups[i].Clients, who)
		}
	}
	return groups
}
