package clientlog

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/gatecert/gatecert/contract"
)

// ErrLog is returned for JSON that is not a log of this package.
var ErrLog = errors.New("log of clients")

// maxLog bounds a log that is read, in bytes.
const maxLog = 64 << 20

// document is a log with what follows from it.
type document struct {
	Log
	Rows []rowDocument `json:"rows"`
}

type rowDocument struct {
	Row contract.RowID `json:"row"`
	// Action is what the row tells a program to do, Advice what would make more clients do it.
	Action contract.Retry `json:"action"`
	Says   string         `json:"says"`
	Advice string         `json:"advice,omitempty"`
	Found  []rowFinding   `json:"findings,omitempty"`
}

type rowFinding struct {
	Client string `json:"client"`
	Case   string `json:"case"`
	Finding
}

// WriteJSON writes a log as JSON, with the findings and the advice of every row that was played.
func WriteJSON(w io.Writer, l Log) error {
	l.Schema = Schema
	d := document{Log: l, Rows: []rowDocument{}}
	for _, row := range contract.Rows() {
		calls := l.OfRow(row.ID)
		if len(calls) == 0 {
			continue
		}
		out := rowDocument{Row: row.ID, Action: row.Action().Retry, Says: row.Advice, Advice: Advice(l, row)}
		for _, c := range calls {
			for _, f := range Findings(c) {
				out.Found = append(out.Found, rowFinding{c.Client, c.Case, f})
			}
		}
		d.Rows = append(d.Rows, out)
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(d)
}

// ReadJSON reads what [WriteJSON] wrote. It returns [ErrLog].
func ReadJSON(r io.Reader) (Log, error) {
	var l Log
	if err := json.NewDecoder(io.LimitReader(r, maxLog)).Decode(&l); err != nil {
		return Log{}, fmt.Errorf("%w: %w", ErrLog, err)
	}
	if l.Schema != Schema {
		return Log{}, fmt.Errorf("%w: its schema is %q; want %q", ErrLog, l.Schema, Schema)
	}
	return l, nil
}

// Behaviour writes what one client did, a line a call, without times: what a new version of the client is compared with.
func Behaviour(w io.Writer, l Log, client string) error {
	i := slices.IndexFunc(l.Clients, func(c Client) bool { return c.Name == client })
	if i < 0 {
		return fmt.Errorf("%w: no client %q", ErrLog, client)
	}
	lines := map[string]string{}
	for _, c := range l.Calls {
		if c.Client == client {
			name := c.Case
			if name == "" {
				name = "probe:" + c.Probe + "/" + string(c.Surface)
			}
			lines[name] = Marks(c) + "  " + Sentence(c)
		}
	}
	if _, err := fmt.Fprintf(w, "# %s %s %s\n", client, l.Clients[i].Package, l.Clients[i].Version); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		if _, err := fmt.Fprintf(w, "%s\t%s\n", name, lines[name]); err != nil {
			return err
		}
	}
	return nil
}
