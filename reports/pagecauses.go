package reports

import (
	"html/template"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

const (
	// pageCauseLimit is how many causes a page lists, and pageExampleLimit how many of them have an example: they are in the page
	// whatever else is.
	pageCauseLimit   = 100
	pageExampleLimit = 20
)

// pageCause is a cause as the page shows it, plain.
type pageCause struct {
	Verdict     contract.Verdict
	Title, Size string
	Case        string
	Link        template.URL
	Example     bool
	// Place is its number in the page's list, Open whether its example is unfolded.
	Place int
	Open  bool
	// Head and Body are the response. Note describes what is wrong with it.
	Head, Body markedText
	NoBody     string
	Note, Curl string
	Facts      []Fact
}

// addCauses adds what to fix first, and to each case the places of its causes.
func (p *page) addCauses(run runlog.Run, entries []pageEntry) {
	causes := Causes(run)
	if len(causes) == 0 {
		return
	}
	p.Fix = causesHeading(run, causes)
	of := make(map[string][]int)
	for i, c := range causes[:min(len(causes), pageCauseLimit)] {
		for _, id := range c.Cases {
			of[id] = append(of[id], i)
		}
		shown := pageCause{Verdict: c.Verdict, Title: c.Title, Size: c.Size(), Example: i < pageExampleLimit, Place: i, Open: i == 0}
		if shown.Example {
			e := c.example()
			shown.Case, shown.Head, shown.Body, shown.NoBody, shown.Note, shown.Curl = e.Case, e.Head, e.Body, e.NoBody, e.Got, e.Curl
			shown.Link = fragment(contract.RowID(c.Example.ID)) // a case is opened like a row
			shown.Facts = withText([]Fact{{"Contract", c.Contract}, {"Impact", c.Suffers}, {"Fix", c.Mend}})
		}
		p.Causes = append(p.Causes, shown)
	}
	if rest := len(causes) - len(p.Causes); rest > 0 {
		p.MoreCauses = plain.Count(rest, "more cause")
	}
	for i := range entries {
		entries[i].Causes = of[entries[i].ID]
	}
}
