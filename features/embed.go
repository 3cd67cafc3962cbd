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

// FS holds every feature file: one call at a time at its root, many calls at once in under_load.
//
//go:embed *.feature under_load/*.feature
var FS embed.FS

// Files lists the feature files of FS by name.
func Files() ([]string, error) {
	var names []string
	for _, pattern := range []string{"*.feature", "under_load/*.feature"} {
		found, err := fs.Glob(FS, pattern)
		if err != nil {
			return nil, fmt.Errorf("list the features: %w", err)
		}
		names = append(names, found...)
	}
	return names, nil
}

// ErrNoRule is returned when no feature holds a rule for a row.
var ErrNoRule = errors.New("no rule in the features")

// Rule returns the text of one row's rule as it stands in its feature file, and after it that of the row under load where
// there is one. It returns [ErrNoRule] when there is none.
func Rule(row string) (string, error) {
	names, err := Files()
	if err != nil {
		return "", err
	}
	var rules []string
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
		rules = append(rules, "  Rule: "+row+" - "+strings.TrimRight(rule, "\n"))
	}
	if len(rules) == 0 {
		return "", fmt.Errorf("%w for %s", ErrNoRule, row)
	}
	return strings.Join(rules, "\n\n"), nil
}
