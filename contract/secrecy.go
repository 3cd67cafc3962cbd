package contract

import "regexp"

// innerPattern is something of the gateway's inside that no answer may show.
type innerPattern struct {
	what string
	re   *regexp.Regexp
}

// innerPatterns recognise SQL, stack traces and dialled addresses by their own grammar, so that ordinary prose does not
// match: "select a model from the list" is no SQL, "at 10:30 (UTC)" is no stack frame.
var innerPatterns = []innerPattern{
	{"SQL", regexp.MustCompile(`\bSELECT\s[^"]{1,200}?\sFROM\s|\bINSERT\s+INTO\s|\bUPDATE\s+\S+\s+SET\s|\bDELETE\s+FROM\s|\bALTER\s+TABLE\s`)},
	{"a database driver's error", regexp.MustCompile(`SQLSTATE|SQLITE_[A-Z]+|(?i:no such (table|column): )|(?i:permission denied for (table|relation|schema) )|(?i:(relation|table|column) ['"\x60\\]+[\w.]+['"\x60\\]+ does(n't| not) exist)|(?i:database is locked)|(?i:duplicate key value violates)|\bpq: |(?i:Error 1\d{3} \(\w{5}\))`)},
	{"a stack trace", regexp.MustCompile(`goroutine \d+ \[|Traceback \(most recent call last\)|\bpanic: |[\w./-]+\.go:\d+|(?:\\n|\n)\s+at [^\n]{1,200}?[:(][^\n]{0,200}?:\d+:\d+\)?|File \\?"[^"\n]{1,200}\\?", line \d+`)},
	{"a dialled address", regexp.MustCompile(`\bdial (tcp|udp)\d? |\bconnect ECONNREFUSED |\blookup \S+ on \S+:53\b|\bgetaddrinfo (ENOTFOUND|EAI_AGAIN) `)},
}

// inner lists what of the gateway's inside a text shows, with an excerpt each.
func inner(text []byte) []string {
	var shown []string
	for _, p := range innerPatterns {
		if m := p.re.Find(text); m != nil {
			shown = append(shown, p.what+" ("+excerpt(m)+")")
		}
	}
	return shown
}
