package reports

import (
	"bytes"
	"fmt"
)

// Style returns the style of the pages, for pages of other packages.
func Style() []byte { return bytes.Clone(pageStyle) }

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

// Digest returns the CSP source that permits an element with exactly this content.
func Digest(content []byte) string { return digest(content) }
