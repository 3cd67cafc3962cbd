package reports

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/clientlog"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// The limits for what a page shows of clients. A record contains everything.
const (
	// shownClients is how many clients have a column.
	shownClients = 16
	// callersLimit is the maximum size of the clients' part of a page, in bytes.
	callersLimit = 400 << 10
)

// The kinds of client behaviour, which a page shows in different colours. None is the colour of a failure, because none of these is a verdict on the
// gateway.
const (
	callerRight    = "right"
	callerPeculiar = "peculiar"
	callerHarmful  = "harmful"
	callerNone     = "none"
)

// callers are what client libraries made of a gateway's answers, laid out for a page: rows by clients, or rows by targets. Its texts are
// safe to show.
type callers struct {
	Sentence string
	// Columns are the names of clients or of targets; Left counts clients without a column.
	Columns []string
	Left    int
	// Libraries are the clients with their versions. NotPlayed lists what they did not run.
	Libraries, NotPlayed []string
	Tallies              []clientlog.Tally
	Rows                 []callerRow
	// Probes are responses that gatecert itself sent.
	Probes []callerRow
}

type callerRow struct {
	ID contract.RowID
	// Says is the third cell of the row, Better what would make more clients do it.
	Says   string
	Better []string
	Kind   string
	Cells  []callerCell
	Groups []clientlog.Group
}

// callerCell is what one client did on a row.
type callerCell struct {
	Kind, Marks string
	// Sentence describes the behaviour in words.
	Sentence string
}

// newCallers lays out a record, with at most so many groups of clients a row. It returns nil where no client played.
func newCallers(l *clientlog.Log, groups int) *callers {
	if l == nil {
		return nil
	}
	shown := l.Clients[:min(len(l.Clients), shownClients)]
	c := &callers{Sentence: callersSentence(*l), Left: len(l.Clients) - len(shown), NotPlayed: clientlog.NotPlayed(*l), Tallies: clientlog.Tallies(*l)}
	for _, client := range shown {
		c.Columns = append(c.Columns, plain.Text(client.Name, nameLimit))
		c.Libraries = append(c.Libraries, clientlog.ClientLine(client))
	}
	c.NotPlayed = c.NotPlayed[:min(len(c.NotPlayed), groups)]
	for _, row := range contract.Rows() {
		calls := l.OfRow(row.ID)
		if len(calls) == 0 {
			continue
		}
		r := callerRow{ID: row.ID, Says: row.Advice, Groups: firstGroups(calls, groups)}
		if better := clientlog.Advice(*l, row); better != "" {
			r.Better = []string{plain.Text(better, textLimit)}
		}
		for _, client := range shown {
			r.Cells = append(r.Cells, newCallerCell(calls, client.Name))
		}
		r.Kind = worstKind(r.Cells)
		c.Rows = append(c.Rows, r)
	}
	for _, name := range l.Probes() {
		if len(c.Probes) == 2*groups {
			break
		}
		c.Probes = append(c.Probes, callerRow{ID: contract.RowID(plain.Text(name, nameLimit)), Groups: firstGroups(l.OfProbe(name), groups)})
	}
	return c
}

func firstGroups(calls []clientlog.Call, most int) []clientlog.Group {
	list := clientlog.Grouped(calls)
	return list[:min(len(list), most)]
}

// newCallerCell is the worst that a client did in some calls.
func newCallerCell(calls []clientlog.Call, client string) callerCell {
	cell := callerCell{Kind: callerNone, Marks: "·"}
	var said []string
	for _, c := range calls {
		if c.Client != client {
			continue
		}
		kind, sentence := callerKind(c), clientlog.Sentence(c)
		if len(said) == 0 || callerRank(kind) > callerRank(cell.Kind) {
			cell.Kind, cell.Marks = kind, clientlog.Marks(c)
		}
		if sentence += waitsOf(c); !slices.Contains(said, sentence) && len(said) < 4 {
			said = append(said, sentence)
		}
	}
	cell.Sentence = strings.Join(said, ". ")
	return cell
}

// waitsOf says how long a client waited before it sent the request again, "" where it did not.
func waitsOf(c clientlog.Call) string {
	var waits []string
	for i, a := range c.Attempts {
		if i > 0 && i < 8 {
			waits = append(waits, strconv.FormatFloat(float64(a.Gap)/1000, 'f', 1, 64)+" s")
		}
	}
	if len(waits) == 0 {
		return ""
	}
	return " (waited " + strings.Join(waits, ", ") + ")"
}

func callerKind(c clientlog.Call) string {
	found := clientlog.Findings(c)
	switch {
	case slices.ContainsFunc(found, clientlog.Finding.Harmful):
		return callerHarmful
	case len(found) > 0:
		return callerPeculiar
	case c.Outcome == clientlog.Crashed:
		return callerNone
	default:
		return callerRight
	}
}

func callerRank(kind string) int {
	return slices.Index([]string{callerNone, callerRight, callerPeculiar, callerHarmful}, kind)
}

func worstKind(cells []callerCell) string {
	if len(cells) == 0 {
		return callerNone
	}
	return slices.MaxFunc(cells, func(a, b callerCell) int { return cmp.Compare(callerRank(a.Kind), callerRank(b.Kind)) }).Kind
}

// callersSentence is "10 clients, 32 rows: on 12 rows at least one client wastes requests or treats an error as a success".
func callersSentence(l clientlog.Log) string {
	rows, harmed := map[contract.RowID]bool{}, map[contract.RowID]bool{}
	for _, c := range l.Calls {
		if c.Row == "" {
			continue
		}
		rows[c.Row] = true
		if callerKind(c) == callerHarmful {
			harmed[c.Row] = true
		}
	}
	sentence := plain.Count(len(l.Clients), "client") + ", " + plain.Count(len(rows), "row") + ": "
	if len(harmed) == 0 {
		return sentence + "no client wastes requests or treats an error as a success"
	}
	return sentence + "on " + plain.Count(len(harmed), "row") + " at least one client wastes requests or treats an error as a success"
}

// advised are the rows of a record on which another answer would make more clients do what the row says, those with a way first.
func advised(l clientlog.Log) []callerRow {
	var ways, none []callerRow
	for _, row := range contract.Rows() {
		better, helps := clientlog.Suggestion(l, row)
		switch advised := (callerRow{ID: row.ID, Says: row.Advice, Better: []string{better}}); {
		case helps:
			ways = append(ways, advised)
		case better != "":
			none = append(none, advised)
		}
	}
	return append(ways, none...)
}

// rightClients counts the clients that do what a row says, of those that played it.
func rightClients(l clientlog.Log, row contract.RowID) (right, played int, kind string) {
	kinds := map[string]string{}
	for _, c := range l.OfRow(row) {
		of := callerKind(c)
		if before, seen := kinds[c.Client]; !seen || callerRank(of) > callerRank(before) {
			kinds[c.Client] = of
		}
	}
	kind = callerNone
	for _, k := range kinds {
		switch k {
		case callerNone:
			continue
		case callerRight:
			right++
		}
		played++
		if callerRank(k) > callerRank(kind) {
			kind = k
		}
	}
	return right, played, kind
}

// callersSideBySide lays out the records of several runs: rows by targets. It returns nil where none has one.
func callersSideBySide(runs []runlog.Run, names []string) *callers {
	if !slices.ContainsFunc(runs, func(r runlog.Run) bool { return r.Clients != nil }) {
		return nil
	}
	c := &callers{Columns: names}
	var sentences []string
	for i, run := range runs {
		if run.Clients == nil {
			continue
		}
		sentences = append(sentences, names[i]+": "+callersSentence(*run.Clients))
		for _, client := range run.Clients.Clients[:min(len(run.Clients.Clients), shownClients)] {
			c.Libraries = append(c.Libraries, names[i]+": "+clientlog.ClientLine(client))
		}
	}
	c.Sentence = strings.Join(sentences, ". ")
	for _, row := range contract.Rows() {
		r := callerRow{ID: row.ID, Says: row.Advice}
		for i, run := range runs {
			cell := callerCell{Kind: callerNone, Marks: "·", Sentence: "no client was tested with this row"}
			if run.Clients != nil {
				if right, played, kind := rightClients(*run.Clients, row.ID); played > 0 {
					cell = callerCell{Kind: kind, Marks: fmt.Sprintf("%d/%d", right, played), Sentence: fmt.Sprintf("%d of %d clients follow the row's advice", right, played)}
				}
				if better := clientlog.Advice(*run.Clients, row); better != "" {
					r.Better = append(r.Better, names[i]+": "+plain.Text(better, textLimit))
				}
			}
			r.Cells = append(r.Cells, cell)
		}
		if r.Kind = worstKind(r.Cells); r.Kind != callerNone {
			c.Rows = append(c.Rows, r)
		}
	}
	return c
}

// Label describes a cell for screen readers.
func (c callerCell) Label(row contract.RowID, column string) string {
	return string(row) + " on " + column + ": " + cmp.Or(c.Sentence, "not run")
}

// Sign represents the kind without using its colour.
func (c callerCell) Sign() string { return kindSign(c.Kind) }

// Sign represents the kind of the worst cell without using its colour.
func (r callerRow) Sign() string { return kindSign(r.Kind) }

func kindSign(kind string) string {
	switch kind {
	case callerHarmful:
		return "!"
	case callerPeculiar:
		return "~"
	default:
		return ""
	}
}
