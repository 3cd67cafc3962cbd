package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"strconv"

	"golang.org/x/term"

	"github.com/gatecert/gatecert/reports"
)

// console is what commands talk to.
type console struct {
	out, err io.Writer
	// in answers questions; nil when there is nobody to ask.
	in       io.Reader
	color    bool
	width    int
	terminal bool // err is a terminal that redraws: progress may move
	// quiet leaves out everything but results and errors, verbose adds each case.
	quiet, verbose bool
	// language is the name of that of the reports, "" for English.
	language string
	// shown is set when out is a terminal: what it would obey is escaped.
	shown bool
}

// options are those of reports for this console. failures is the number of causes with an example, 0 for the default.
func (c *console) options(failures int) reports.TerminalOptions {
	if c.verbose {
		failures = math.MaxInt
	}
	language, _ := reports.LanguageNamed(c.language) // the flag has no other names
	return reports.TerminalOptions{Color: c.color, Width: c.width, Failures: failures, Language: language}
}

// device is what a console is made of: what the environment and the three standard files say.
type device struct {
	getenv                func(string) string
	input, output, errors bool // each is a terminal
	columns               int  // of the output, 0 if it is not a terminal
}

// The default width of a report that is not written to a terminal, and the permitted values of COLUMNS.
const (
	defaultWidth             = 100
	fewestColumns, mostWidth = 20, 1000
)

// width is the number of columns for reports.
func (d device) width() int {
	if d.output && d.columns > 0 {
		return d.columns
	}
	if n, err := strconv.Atoi(d.getenv("COLUMNS")); err == nil && n >= fewestColumns && n <= mostWidth {
		return n
	}
	return defaultWidth
}

// colored reports whether reports have colours: NO_COLOR and FORCE_COLOR come before what the terminal can do.
func (d device) colored() bool {
	forced := d.getenv("FORCE_COLOR")
	switch {
	case d.getenv("NO_COLOR") != "", forced == "0", forced == "false":
		return false
	case forced != "":
		return true
	default:
		return d.output && d.getenv("TERM") != "dumb"
	}
}

// redraws reports whether progress may move. A CI system gives some commands a terminal, and keeps every line of it.
func (d device) redraws() bool {
	return d.errors && d.getenv("TERM") != "dumb" && (d.getenv("CI") == "" || d.getenv("CI") == "false")
}

func newConsole() *console {
	is := func(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }
	d := device{getenv: os.Getenv, input: is(os.Stdin), output: is(os.Stdout), errors: is(os.Stderr)}
	if width, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil {
		d.columns = width
	}
	c := &console{out: os.Stdout, err: os.Stderr, width: d.width(), color: d.colored(), shown: d.output, terminal: d.redraws()}
	if d.input && d.errors {
		c.in = os.Stdin
	}
	return c
}

// notef says something about what a command does, which nobody needs to know.
func (c *console) notef(format string, values ...any) {
	if !c.quiet {
		fmt.Fprintf(c.err, format+"\n", values...)
	}
}
