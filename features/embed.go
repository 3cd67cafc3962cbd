// Package features is the executable specification: Gherkin, a file per group of rows. It is written for gateway
// implementers who have never seen Go; this file only embeds it.
package features

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// FS holds every feature file, at its root.
//
//go:embed *.feature
var FS embed.FS

// ErrNoRule is returned when no feature holds a rule for a row.
var ErrNoRule = errors.New("no rule in the features")

// Rule returns the text of one row's rule as it stands in its feature file. It returns [ErrNoRule] when there is none.
func Rule(row string) (string, error) {
	names, err := fs.Glob(FS, "*.feature")
	if err != nil {
		return "", fmt.Errorf("list the features: %w", err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(FS, name)
		if err != nil {
			return "", fmt.Errorf("read %s: %w", name, err)
		}
		_, rest, found := strings.Cut(string(text), "\n  Rule: "+row+" - ")
		if !found {
			continue
		}
		rule, _, _ := strings.Cut(rest, "\n  Rule: ")
		return "  Rule: " + row + " - " + strings.TrimRight(rule, "\n"), nil
	}
	return "", fmt.Errorf("%w for %s", ErrNoRule, row)
}
