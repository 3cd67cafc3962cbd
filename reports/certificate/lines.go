package certificate

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/runlog"
)

// maxLineProblems bounds the problems that are listed of the lines of a log.
const maxLineProblems = 20

// auditLines checks that a log is written as gatecert writes it: every line has exactly the members of its event, spelt as they
// are, each once, and names the run and the line before it. A line of a changed log that a lenient reader takes for the
// original would otherwise show one thing to one reader and another to the next.
func auditLines(log []byte) (problems []string) {
	previous, run := "", ""
	for n, line := range bytes.Split(bytes.TrimSuffix(log, []byte("\n")), []byte("\n")) {
		link, err := checkLine(line)
		switch {
		case err != nil:
			problems = append(problems, fmt.Sprintf("line %d: %v", n+1, err))
		case n == 0:
			run = link.RunID
		case link.RunID != run:
			problems = append(problems, fmt.Sprintf("line %d belongs to another run: its run ID is %.60q, but the header's is %.60q", n+1, link.RunID, run))
		case link.Prev != previous:
			problems = append(problems, fmt.Sprintf("line %d does not follow from the previous line: one of these two lines was changed, or a line between them is missing", n+1))
		}
		if len(problems) >= maxLineProblems {
			return problems
		}
		sum := sha256.Sum256(line)
		previous = hex.EncodeToString(sum[:])
	}
	return problems
}

// checkLine reads a line strictly, and returns what ties it to the others.
func checkLine(line []byte) (runlog.Link, error) {
	var head struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(line, &head); err != nil {
		return runlog.Link{}, errors.New("it is not a JSON object with a type")
	}
	switch head.Type {
	case "header":
		var h runlog.Header
		err := decodeLine(line, &h)
		return runlog.Link{RunID: h.RunID}, err
	case "control":
		var c runlog.Control
		err := decodeLine(line, &c)
		return c.Link, err
	case "case":
		var c runlog.Case
		err := decodeLine(line, &c)
		return c.Link, err
	case "footer":
		var f runlog.Footer
		err := decodeLine(line, &f)
		return f.Link, err
	default:
		return runlog.Link{}, fmt.Errorf("unknown event type %.20q", head.Type)
	}
}

// decodeLine reads an event and reports members that it does not have, or has twice, and any other way to write it than
// gatecert's.
func decodeLine(line []byte, event any) error {
	if _, _, err := dialect.DecodeObject(line); err != nil && !errors.Is(err, dialect.ErrNotJSON) {
		return err // a member twice
	}
	decoder := json.NewDecoder(bytes.NewReader(line))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(event); err != nil {
		return err
	}
	again, err := runlog.Line(event)
	if err != nil {
		return err
	}
	// What a gateway sent in bytes that are no UTF-8 is written as an escape, and read as the character itself.
	const replaced = "\uFFFD"
	if !bytes.Equal(again, bytes.ReplaceAll(line, []byte(`\ufffd`), []byte(replaced))) {
		return errors.New("gatecert does not write lines in this form: the letter case or position of a JSON member was changed, a member was removed or emptied, or whitespace was added")
	}
	return nil
}
