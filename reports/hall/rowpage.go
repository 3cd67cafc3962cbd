package hall

import (
	"cmp"
	"io"
	"slices"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// rowContent is what the page of a row shows.
type rowContent struct {
	ID       contract.RowID
	Meaning  string
	Text     string
	Facts    []reports.Fact
	Gateways []rowGateway
	Cases    []rowCase
}

// rowGateway is what a gateway answers in the cases of a row.
type rowGateway struct {
	Name, Page, Evidence string
	Verdict              contract.Verdict
	Answers              []rowAnswer
	// More is the number of responses that do not fit on the page.
	More int
}

// rowAnswer is an answer with the cases that got it.
type rowAnswer struct {
	Text    string
	Verdict contract.Verdict
	Count   string
	// Link is the address of the evidence for the first of these cases.
	Link string
}

// rowCase is a case with the answers of all gateways, in their order.
type rowCase struct {
	ID    string
	Cells []rowCell
}

type rowCell struct {
	Text, Link string
	Verdict    contract.Verdict
}

// shownAnswers is how many different answers of a gateway the page of a row has.
const shownAnswers = 12

func (h Hall) rowPage(w io.Writer, row contract.Row) error {
	p := rowContent{ID: row.ID, Meaning: row.Meaning, Text: reports.RowText(row.ID), Facts: reports.RowFacts(row)}
	cells := make(map[string][]rowCell)
	for i, g := range h.Gateways {
		e := g.Current
		own := slices.DeleteFunc(slices.Clone(e.Run.Cases), func(c runlog.Case) bool { return c.Row != row.ID })
		p.Gateways = append(p.Gateways, newRowGateway(g, row.ID, own))
		for _, c := range own {
			if cells[c.ID] == nil {
				cells[c.ID] = make([]rowCell, len(h.Gateways))
			}
			cells[c.ID][i] = rowCell{e.answers[c.ID], "../" + evidencePage(e, c.ID), c.Verdict}
		}
	}
	for _, c := range contract.Cases() {
		if found := cells[c.ID()]; found != nil {
			p.Cases = append(p.Cases, rowCase{c.ID(), found})
		}
	}
	return render(w, "row.html.tmpl", string(row.ID), "../", p)
}

// newRowGateway groups the cases of a row by answer, the most frequent first.
func newRowGateway(g Gateway, row contract.RowID, cases []runlog.Case) rowGateway {
	e := g.Current
	out := rowGateway{Name: g.Name, Page: "../" + gatewayPage(g), Evidence: "../" + evidencePage(e, string(row)), Verdict: reports.NotRun}
	type answer struct {
		text    string
		verdict contract.Verdict
	}
	first, counts := make(map[answer]string), make(map[answer]int)
	var order []answer
	for _, c := range cases {
		if out.Verdict == reports.NotRun {
			out.Verdict = c.Verdict
		}
		out.Verdict, _ = contract.Worst(out.Verdict, c.Verdict)
		a := answer{e.answers[c.ID], c.Verdict}
		if counts[a]++; counts[a] == 1 {
			first[a] = c.ID
			order = append(order, a)
		}
	}
	slices.SortStableFunc(order, func(a, b answer) int { return cmp.Or(counts[b]-counts[a], cmp.Compare(first[a], first[b])) })
	for _, a := range order[:min(len(order), shownAnswers)] {
		out.Answers = append(out.Answers, rowAnswer{a.text, a.verdict, plain.Count(counts[a], "case"), "../" + evidencePage(e, first[a])})
	}
	out.More = len(order) - len(out.Answers)
	return out
}
