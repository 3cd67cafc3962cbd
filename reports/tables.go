package reports

import (
	"bytes"
	"fmt"
	"html/template"

	"github.com/gatecert/gatecert/contract"
)

// Links are the link targets of a matrix on a page of another package. The addresses are relative to that page and escaped as in a URL.
type Links struct {
	// Cell returns the address of the evidence for a row in a column.
	Cell   func(row contract.RowID, column string) string
	Row    func(row contract.RowID) string
	Column func(column string) string
}

// Tables returns the matrix of [SideBySide.HTML] and its table of aspects, for a page of another package that uses [Style]. The second table is empty
// if no case tested an aspect.
func (s SideBySide) Tables(l Links) (matrix, aspects template.HTML, err error) {
	tmpl, err := newPageTemplate()
	if err != nil {
		return "", "", err
	}
	p := page{Targets: true, RowName: "Row", Matrix: s.Matrix, Scores: s.scores(), links: &l}
	var parts [2]bytes.Buffer
	for i, name := range []string{"matrix", "scores"} {
		if err := tmpl.ExecuteTemplate(&parts[i], name, p); err != nil {
			return "", "", fmt.Errorf("page: %w", err)
		}
	}
	return template.HTML(parts[0].String()), template.HTML(parts[1].String()), nil
}
