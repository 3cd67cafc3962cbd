package reports

import (
	"slices"
	"strings"

	"github.com/clipperhouse/displaywidth"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
)

// A layout is one way to fit the columns of a matrix into a width.
type layout struct {
	// fold puts the signs of an endpoint with and without streaming into one column, and leaves out how much of a cell was tested.
	fold bool
	// narrow is the least width of a column, or of its widest label where that is less.
	narrow int
	// gap is the space before a column.
	gap int
	// roomy makes the columns of a group at least as wide as its heading.
	roomy bool
}

// layouts are tried in this order; the first that fits is taken.
var layouts = []layout{
	{narrow: 4, gap: 1, roomy: true},
	{fold: true, narrow: 4, gap: 1, roomy: true},
	{fold: true, narrow: 3, gap: 1, roomy: true},
	{fold: true, narrow: 2, gap: 1, roomy: true},
	{fold: true, gap: 1},
	{fold: true},
}

// partSign stands for not-offered in a cell of which a part was tested, where there is no room for the numbers.
const partSign = "±"

// track is a column of the terminal: one of the matrix, or the two of an endpoint.
type track struct {
	// columns are places in Matrix.Columns, at most two.
	columns []int
	label   []string // its lines
	group   string
	at      int // where it begins
	width   int
}

// tracks are the columns of a matrix in a layout, placed. size is the width of all of them.
func (l layout) tracks(m Matrix) (list []track, size int) {
	for i, c := range m.Columns {
		if n := len(list); l.fold && n > 0 && c.Streaming && c.twin(m.Columns[i-1]) {
			list[n-1].columns = append(list[n-1].columns, i)
			continue
		}
		list = append(list, track{columns: []int{i}, label: strings.Split(c.Short, "\n"), group: c.Group})
	}
	label := 0
	for _, t := range list {
		label = max(label, t.labelWidth())
	}
	heading, begins := "", 0 // of the group, and where it begins
	for i := range list {
		t := &list[i]
		t.width = max(l.cellWidth(m, *t), min(l.narrow, label))
		switch {
		case i == 0:
			heading = t.group
		case t.group != heading:
			size += l.gap + 1
			if l.roomy {
				size = max(size, begins+len([]rune(heading))+1)
			}
			heading, begins = t.group, size
		default:
			size += l.gap
		}
		t.at = size
		size += t.width
	}
	return list, max(size, begins+len([]rune(heading)))
}

// twin reports whether two columns are the same endpoint, one of them streaming.
func (c Column) twin(other Column) bool {
	return c.Short == other.Short && c.Group == other.Group && c.Streaming != other.Streaming
}

func (t track) labelWidth() int {
	width := 0
	for _, line := range t.label {
		width = max(width, len([]rune(line)))
	}
	return width
}

// cellWidth is the width of the widest cell in a track.
func (l layout) cellWidth(m Matrix, t track) int {
	if l.fold {
		return len(t.columns)
	}
	width := 1
	for _, r := range m.Rows {
		width = max(width, 1+len(r.Cells[t.columns[0]].Partly()))
	}
	return width
}

// matrix writes a matrix as one table where any layout fits the width, else in bands of as many columns as fit. It returns
// what a legend has to explain.
func (t *terminal) matrix(m Matrix) (legend []string) {
	keys := 0
	for _, r := range m.Rows {
		keys = max(keys, len([]rune(plain.Text(r.Key, rowLimit))))
	}
	room := t.opts.Width - keys - 3 // the sign of the row, and two spaces
	var l layout
	var tracks []track
	for _, l = range layouts {
		var size int
		if tracks, size = l.tracks(m); size <= room {
			break
		}
	}
	for first := true; first || len(tracks) > 0; first = false {
		n := fitting(tracks, room)
		t.band(m, l, tracks[:n], keys)
		tracks = tracks[n:]
	}
	return legendOf(m, l)
}

// rowLimit bounds the name of a row, in runes.
const rowLimit = 40

// fitting is how many tracks fit the room, at least one of any. They are moved to its beginning.
func fitting(tracks []track, room int) int {
	for i, from := 0, 0; i < len(tracks); i++ {
		if i == 0 {
			from = tracks[i].at
		}
		tracks[i].at -= from
		if i > 0 && tracks[i].at+tracks[i].width > room {
			tracks[i].at += from
			return i
		}
	}
	return len(tracks)
}

// band writes the rows of a matrix in some of its columns.
func (t *terminal) band(m Matrix, l layout, tracks []track, keys int) {
	for _, line := range heading(m, tracks) {
		name := t.opts.Language.text(line[0])
		t.line("  %s%s %s", name, strings.Repeat(" ", max(keys-displaywidth.String(name), 0)), line[1])
	}
	for _, r := range m.Rows {
		key := plain.Text(r.Key, rowLimit)
		line, at := t.sign(r.Verdict)+" "+key+strings.Repeat(" ", keys-len([]rune(key))+1), 0
		for _, track := range tracks {
			line, at = line+strings.Repeat(" ", track.at-at), track.at
			for _, i := range track.columns {
				cell, width := t.cell(r.Cells[i], l)
				line, at = line+cell, at+width
			}
		}
		t.line("%s", line)
	}
	t.line("")
}

// cell is a cell with its colour, and its width.
func (t *terminal) cell(c Cell, l layout) (text string, width int) {
	switch part := c.Partly(); {
	case !l.fold:
		return t.sign(c.Verdict) + part, 1 + len(part)
	case part != "" && c.Verdict == contract.NotOffered:
		return t.paint(c.Verdict, partSign), 1
	default:
		return t.sign(c.Verdict), 1
	}
}

// heading is what stands above the rows and above the columns, line by line: the names of the groups, those of the columns,
// and the signs of streaming.
func heading(m Matrix, tracks []track) [][2]string {
	var groups, labels, streams canvas
	for i, t := range tracks {
		if t.group != "" && (i == 0 || t.group != tracks[i-1].group) {
			groups.place(t.at, t.group)
		}
		labels.place(t.at, t.label...)
		for n, c := range t.columns {
			if m.Columns[c].Streaming {
				streams.write(0, t.at+n, streamSign)
			}
		}
	}
	var lines [][2]string
	for _, text := range slices.Concat(groups, labels, streams) {
		lines = append(lines, [2]string{"", string(text)})
	}
	if len(lines) == 0 { // a matrix without columns
		lines = make([][2]string, 1)
	}
	lines[len(groups)][0] = "row"
	return lines
}

// canvas is lines of text that grow to the right.
type canvas [][]rune

// place writes the lines of a text from a column on, on the first lines where they touch nothing.
func (c *canvas) place(at int, lines ...string) {
	touches := func(line []rune) bool { return len(line) > 0 && len(line) >= at }
	from := 0
	for from < len(*c) && slices.ContainsFunc((*c)[from:min(from+len(lines), len(*c))], touches) {
		from++
	}
	for i, text := range lines {
		c.write(from+i, at, text)
	}
}

func (c *canvas) write(line, at int, text string) {
	for len(*c) <= line {
		*c = append(*c, nil)
	}
	l := &(*c)[line]
	*l = append(*l, []rune(strings.Repeat(" ", max(at-len(*l), 0))+text)...)
}

// legendOf explains what the cells of a layout have besides their signs.
func legendOf(m Matrix, l layout) []string {
	var list []string
	if slices.ContainsFunc(m.Columns, func(c Column) bool { return c.Streaming }) {
		list = append(list, streamSign+" streaming")
	}
	if part := partLegend(m); part != "" && !l.fold {
		return append(list, part)
	}
	if hasCell(m, func(c Cell) bool { return c.Partly() != "" && c.Verdict == contract.NotOffered }) {
		list = append(list, partSign+" only some cases tested")
	}
	return list
}

// partLegend explains the cells that were tested in part, "" where there is none.
func partLegend(m Matrix) string {
	if hasCell(m, func(c Cell) bool { return c.Partly() != "" }) {
		return "k/n k of n cases tested"
	}
	return ""
}

// hasCell reports whether some cell holds.
func hasCell(m Matrix, holds func(Cell) bool) bool {
	return slices.ContainsFunc(m.Rows, func(r MatrixRow) bool { return slices.ContainsFunc(r.Cells, holds) })
}
