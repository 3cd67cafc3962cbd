// Package features is the executable specification: Gherkin, one file for each group of rows. It is written for gateway
// implementers who may never have seen Go; this file only embeds it.
package features

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// FS holds every feature file: the cases of a single call at its root, the load cases in load. They run in the order of
// their names: a rate limit is verified before the upstream fails, because a gateway may take seconds to recover from that.
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

// ErrNoRule is returned when no feature has a rule for a row.
var ErrNoRule = errors.New("the feature files contain no rule")

// Rule returns the text of a row's rule as it is written in its feature file, followed by the rule of its load cases if
// it has any. It returns [ErrNoRule] when there is no such row.
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
