package main

import (
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/targets/mutants"
)

// knownValues are the values of the kinds that a field of a command names in its tag `complete:"rows,circumstances"`.
func knownValues(kinds string) (values []candidate) {
	for kind := range strings.SplitSeq(kinds, ",") {
		switch kind {
		case "rows":
			for _, r := range contract.Rows() {
				values = append(values, candidate{string(r.ID), r.Meaning})
			}
		case "surfaces":
			for _, s := range dialect.Surfaces() {
				values = append(values, candidate{string(s), string(s.Dialect())})
			}
		case "levels":
			for _, level := range contract.Levels() {
				values = append(values, candidate{string(level), levelNeeds[level]})
			}
		case "cases":
			for _, c := range contract.Cases() {
				values = append(values, candidate{value: c.ID()})
			}
		case "mutants":
			for _, m := range mutants.All() {
				values = append(values, candidate{m.Name, m.Sentence})
			}
		case "permitted":
			for _, p := range mutants.Permitted() {
				values = append(values, candidate{p.Name, p.Sentence})
			}
		case "formats":
			for _, f := range reports.Formats() {
				values = append(values, candidate{f.Name, f.File})
			}
		case "lists":
			for _, what := range listed() {
				values = append(values, candidate{value: what})
			}
		case "claims":
			values = append(values, candidate{"codes=none", "table 1 only"}, candidate{"codes=published", "both tables"},
				candidate{"client_keys=false", "the gateway issues no client keys"})
		case "reference":
			values = append(values, candidate{"reference", "the built-in reference gateway"})
		}
	}
	return values
}
