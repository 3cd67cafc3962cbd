package main

import (
	"bytes"
	"fmt"
	"io"
	"unicode"
)

// print prints a report. On a terminal it escapes what that would obey, or show in another order than it stands: a report for a
// machine quotes the gateway as JSON, XML or HTML permit, which leave the C1 controls and the bidirectional ones as they are.
func (c *console) print(render func(io.Writer) error) error {
	if !c.shown {
		return render(c.out)
	}
	var whole bytes.Buffer
	if err := render(&whole); err != nil {
		return err
	}
	_, err := c.out.Write(printable(whole.Bytes()))
	return err
}

// printable escapes control, format and invalid characters as JSON does (\u009b), and keeps line feeds, tabs and the sequences
// that colour our own output.
func printable(text []byte) []byte {
	var out bytes.Buffer
	for i, r := range string(text) {
		switch {
		case r == '\n', r == '\t', unicode.IsPrint(r) && r != unicode.ReplacementChar:
			out.WriteRune(r)
		case r == '\x1b' && i+1 < len(text) && text[i+1] == '[': // our own: what a gateway sent is escaped by every report
			out.WriteRune(r)
		case r > 0xffff:
			high, low := (r-0x10000)>>10+0xd800, (r-0x10000)&0x3ff+0xdc00
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return out.Bytes()
}
