package clientlog

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/gatecert/gatecert/contract"
)

// ErrLog is returned if JSON is not a log of this package.
var ErrLog = errors.New("client log")

// The limits for a log that is read: its size in bytes, numbers of entries, and the length of a text in bytes.
const (
	maxLog      = 16 << 20
	maxClients  = 64
	maxCalls    = 20_000
	maxAttempts = 64
	maxText     = 2 << 10
)

// Document is a log with the conclusions that follow from it, as encoded in JSON.
type Document struct {
	Log
	Rows []rowDocument `json:"rows"`
}

type rowDocument struct {
	Row contract.RowID `json:"row"`
	// Action states whether a program should retry according to the row. Advice states what would make more clients do so.
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

// WriteJSON writes a log as JSON, with the findings and the advice for every row that ran.
func WriteJSON(w io.Writer, l Log) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(NewDocument(l))
}

// NewDocument returns a log with the conclusions that follow from it.
func NewDocument(l Log) Document {
	l.Schema = Schema
	d := Document{Log: l, Rows: []rowDocument{}}
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
	return d
}

// ReadJSON reads the output of [WriteJSON]. The size of the result is limited, regardless of who wrote the JSON: a log with too many entries is
// rejected, and long texts are truncated. If the input is not such a log, ReadJSON returns [ErrLog].
func ReadJSON(r io.Reader) (Log, error) {
	var l Log
	if err := json.NewDecoder(io.LimitReader(r, maxLog)).Decode(&l); err != nil {
		return Log{}, fmt.Errorf("%w: %w", ErrLog, err)
	}
	if l.Schema != Schema {
		return Log{}, fmt.Errorf("%w: the schema is %q, but must be %q", ErrLog, l.Schema, Schema)
	}
	return l, l.bound()
}

// bound refuses a log that no gatecert writes, and cuts its texts.
func (l *Log) bound() error {
	if len(l.Clients) > maxClients || len(l.Calls) > maxCalls || len(l.Skipped) > maxCalls {
		return fmt.Errorf("%w: the log has %d clients, %d calls and %d skipped entries, but at most %d, %d and %[6]d are allowed", ErrLog, len(l.Clients), len(l.Calls), len(l.Skipped), maxClients, maxCalls)
	}
	cut := func(texts ...*string) {
		for _, s := range texts {
			if len(*s) > maxText {
				*s = strings.ToValidUTF8((*s)[:maxText], "") + "…"
			}
		}
	}
	cut(&l.Tool, &l.ContractDigest, &l.Target, &l.RunID)
	for i := range l.Clients {
		c := &l.Clients[i]
		cut(&c.Name, &c.Package, &c.Version, &c.Runtime, &c.Fault)
	}
	for i := range l.Calls {
		c := &l.Calls[i]
		if len(c.Attempts) > maxAttempts || len(c.Doubts) > maxAttempts {
			return fmt.Errorf("%w: call %d has %d attempts and %d doubts, but at most %d of each are allowed", ErrLog, i+1, len(c.Attempts), len(c.Doubts), maxAttempts)
		}
		cut(&c.Client, &c.Case, &c.Probe, &c.Class, &c.Message, &c.Text, &c.Code, &c.CodeAt, (*string)(&c.Row), (*string)(&c.Surface))
		for j := range c.Doubts {
			cut(&c.Doubts[j])
		}
		for j := range c.Attempts {
			cut(&c.Attempts[j].RetryAfter, &c.Attempts[j].APIVersion)
		}
	}
	for i := range l.Skipped {
		cut(&l.Skipped[i].Client, &l.Skipped[i].Probe, &l.Skipped[i].Reason, (*string)(&l.Skipped[i].Row))
	}
	return nil
}
