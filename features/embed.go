// Package features contains the executable specification in Gherkin, with one file for each group of rows. The specification is written for gateway
// implementers who may never have seen Go. This file only embeds it.
package features

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// FS contains all feature files: those for cases of a single call in its root, and those for load cases in the folder load. They run in the order of
// their names. Rate limits are therefore verified before the cases in which the upstream fails, because a gateway may take seconds to recover from
// such a failure.
//
//go:embed *.feature load/*.feature
var FS embed.FS

// Files returns the names of the feature files in FS.
func Files() ([]string, error) {
	var names []string
	for _, pattern := range []string{"*.feature", "load/*.feature"} {
		found, err := fs.Glob(FS, pattern)
		if err != nil {
			return nil, fmt.Errorf("list the features: %w", err)
		}
		names = append(names, found...)
	}
	return names, nil
}

// ErrNoRule is returned if no feature contains a rule for a row.
var ErrNoRule = errors.New("the feature files contain no rule")

// Rule returns the text of a row's rule as written in its feature file, followed by the rule of its load cases, if there is one. If there is no such
// row, Rule returns [ErrNoRule].
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
