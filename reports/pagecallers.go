package reports

import (
	"bytes"
	"fmt"
	"html/template"

	"github.com/gatecert/gatecert/contract"
)

// addCallers adds what clients do, if any played, with fewer groups of clients where the page has no room for all. It returns its size in
// bytes.
func (p *page) addCallers(tmpl *template.Template, clients func(groups int) *callers) (size int, err error) {
	if clients == nil || clients(1) == nil {
		return 0, nil
	}
	for _, groups := range []int{40, 12, 4, 1} {
		var out bytes.Buffer
		p.Callers = clients(groups)
		if err := tmpl.ExecuteTemplate(&out, "callers", p.Callers); err != nil {
			return 0, fmt.Errorf("page: %w", err)
		}
		if size = out.Len(); size < callersLimit {
			break
		}
	}
	return size, nil
}

// callerFragment is the link to what clients do on a row.
func callerFragment(row contract.RowID) template.URL { return fragment("callers", string(row)) }
