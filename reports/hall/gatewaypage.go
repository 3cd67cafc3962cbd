package hall

import (
	"io"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/plain"
)

// gatewayContent is what the page of a gateway shows.
type gatewayContent struct {
	Name, URL, Claim string
	Current          listed
	Runs             []gatewayRun
}

// gatewayRun is a run of a gateway, with what changed since the one before it.
type gatewayRun struct {
	listed

	RunID string
	// Current is set for the run that the matrix shows.
	Current bool
	// Diff summarises the changes. It is "" for the first run.
	Diff    string
	Notes   []string
	Changes []gatewayChange
	// More is the number of changes that do not fit on the page.
	More int
}

type gatewayChange struct {
	ID, Text, Link string
	Verdict        contract.Verdict
}

// shownChanges is how many changes of a run the page of a gateway has.
const shownChanges = 100

// diff compares a run of a gateway with the one before it; ok is false for the first one.
func (g Gateway) diff(i int) (d reports.Diff, ok bool) {
	if i+1 >= len(g.Runs) {
		return d, false
	}
	return reports.NewDiff(g.Runs[i+1].Run, g.Runs[i].Run), true
}

func (h Hall) gatewayPage(w io.Writer, g Gateway) error {
	p := gatewayContent{
		Name: g.Name, URL: plain.Text(g.Current.Run.Target.BaseURL, maxName), Claim: claim(g.Current.Run), Current: h.listed(g),
	}
	for i, e := range g.Runs {
		r := gatewayRun{
			listed:  h.listed(Gateway{Slug: g.Slug, Current: e}),
			RunID:   plain.Text(e.Run.RunID, maxName),
			Current: e.Digest == g.Current.Digest,
		}
		if d, ok := g.diff(i); ok {
			r.Diff, r.Notes = d.Sentence(), d.Notes()
			for _, c := range d.Changes[:min(len(d.Changes), shownChanges)] {
				// What is gone has its evidence in the run before.
				shown, in := c.After, e
				if shown == nil {
					shown, in = c.Before, g.Runs[i+1]
				}
				r.Changes = append(r.Changes, gatewayChange{plain.Text(c.ID, maxReason), c.Text(), "../" + evidencePage(in, c.ID), shown.Verdict})
			}
			r.More = len(d.Changes) - len(r.Changes)
		}
		p.Runs = append(p.Runs, r)
	}
	return render(w, "gateway.html.tmpl", g.Name, "../", p)
}
