package reports

import (
	"bytes"
	"fmt"
	"html/template"

	"github.com/gatecert/gatecert/contract"
)

// Links are where a matrix leads that stands on a page of another package: addresses relative to that page, escaped as in a URL.
type Links struct {
	// Cell has the evidence of a row in a column.
	Cell   func(row contract.RowID, column string) string
	Row    func(row contract.RowID) string
	Column func(column string) string
}

// Tables returns the matrix of [SideBySide.HTML] and its table of aspects, for a page of another package that has the [Style]. The second
// is empty when no case tested an aspect.
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
