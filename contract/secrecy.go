package contract

import (
	"bytes"
	"regexp"
	"slices"

	"github.com/gatecert/gatecert/dialect"
)

// innerPattern is something of the gateway's inside that no answer may show.
type innerPattern struct {
	what string
	// marks are in lower case. At least one of them stands in every match: looking for them first takes a twentieth of
	// the expression's time, and nearly every answer has none.
	marks []string
	re    *regexp.Regexp
}

// innerPatterns recognise SQL, stack traces and dialled addresses by their own grammar, so that ordinary prose does not
// match: "select a model from the list" is not SQL, "at 10:30 (UTC)" is not a stack frame.
var innerPatterns = []innerPattern{
	{"SQL", []string{"select", "insert", "update", "delete", "alter"}, regexp.MustCompile(`\bSELECT\s[^"]{1,200}?\sFROM\s|\bINSERT\s+INTO\s|\bUPDATE\s+\S+\s+SET\s|\bDELETE\s+FROM\s|\bALTER\s+TABLE\s`)},
	{"a database driver's error", []string{
		"sqlstate", "sqlite_", "no such ", "permission denied", "does", "database is locked", "duplicate key", "pq: ", "error 1",
	}, regexp.MustCompile(`SQLSTATE|SQLITE_[A-Z]+|(?i:no such (table|column): )|(?i:permission denied for (table|relation|schema) )|(?i:(relation|table|column) ['"\x60\\]+[\w.]+['"\x60\\]+ does(n't| not) exist)|(?i:database is locked)|(?i:duplicate key value violates)|\bpq: |(?i:Error 1\d{3} \(\w{5}\))`)},
	{"a stack trace", []string{"goroutine ", "traceback", "panic: ", ".go:", "at ", "file "}, regexp.MustCompile(`goroutine \d+ \[|Traceback \(most recent call last\)|\bpanic: |[\w./-]+\.go:\d+|(?:\\n|\n)\s+at [^\n]{1,200}?[:(][^\n]{0,200}?:\d+:\d+\)?|File \\?"[^"\n]{1,200}\\?", line \d+`)},
	{"a dialled address", []string{"dial ", "econnrefused", "lookup ", "getaddrinfo"}, regexp.MustCompile(`\bdial (tcp|udp)\d? |\bconnect ECONNREFUSED |\blookup \S+ on \S+:53\b|\bgetaddrinfo (ENOTFOUND|EAI_AGAIN) `)},
}

// inner lists what of the gateway's inside a text shows, with an excerpt each.
func inner(text []byte) []string {
	var shown []string
	lower := bytes.ToLower(text)
	for _, p := range innerPatterns {
		if !slices.ContainsFunc(p.marks, func(mark string) bool { return bytes.Contains(lower, []byte(mark)) }) {
			continue
		}
		if m := p.re.Find(text); m != nil {
			shown = append(shown, p.what+" ("+dialect.Excerpt(m)+")")
		}
	}
	return shown
}
