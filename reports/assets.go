package reports

import (
	"bytes"
	"fmt"

	"github.com/gatecert/gatecert/contract"
)

// Style returns the style of the pages, for pages of other packages.
func Style() []byte { return bytes.Clone(pageStyle) }

// Sign is the sign of a verdict, for pages of other packages.
func Sign(v contract.Verdict) string { return sign(v) }

// ThemeScript returns the part of the pages' script that lets a reader choose the colours, as a script of its own: the button has the
// id "theme".
func ThemeScript() ([]byte, error) {
	base, err := pageScripts.ReadFile("html/base.js")
	if err != nil {
		return nil, fmt.Errorf("page script: %w", err)
	}
	_, theme, found := bytes.Cut(base, []byte("// ---- theme\n"))
	if !found {
		return nil, fmt.Errorf("page script: base.js has no part about the theme")
	}
	return append([]byte("\"use strict\";\n(() => {\nconst $ = (id) => document.getElementById(id);\n"), append(theme, "})();\n"...)...), nil
}

// Policy returns the Content-Security-Policy of a page that loads nothing, and has exactly this style and this script.
func Policy(style, script []byte) string {
	return "default-src 'none'; style-src " + digest(style) + "; script-src " + digest(script) + "; img-src data:; base-uri 'none'; form-action 'none'"
}
