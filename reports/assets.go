package reports

import (
	"bytes"
	"fmt"

	"github.com/gatecert/gatecert/contract"
)

// Style returns the style sheet of the pages, for pages of other packages.
func Style() []byte { return bytes.Clone(pageStyle) }

// Sign returns the sign of a verdict, for pages of other packages.
func Sign(v contract.Verdict) string { return sign(v) }

// ThemeScript returns the part of the pages' script that lets a reader choose the colours, as a separate script. The button must have the id "theme".
func ThemeScript() ([]byte, error) {
	theme, err := scriptPart("base", "// ---- theme\n", "")
	if err != nil {
		return nil, err
	}
	return ownScope(theme), nil
}

// MatrixScript returns [ThemeScript] with additional code for a page that contains the matrix of [SideBySide.Tables]: readers can navigate this
// matrix with the arrow keys.
func MatrixScript() ([]byte, error) {
	theme, err := scriptPart("base", "// ---- theme\n", "")
	if err != nil {
		return nil, err
	}
	walk, err := scriptPart("keys", "function walk(", "\n}\n")
	if err != nil {
		return nil, err
	}
	const call = "\n}\nwalk($(\"matrix\"), [...document.querySelectorAll(\"#matrix tr[data-row]\")]);\n"
	return ownScope(theme, []byte("function walk("), walk, []byte(call)), nil
}

// scriptPart is what stands between two texts of a file of the script; "" is its end.
func scriptPart(name, from, to string) ([]byte, error) {
	whole, err := pageScripts.ReadFile("html/" + name + ".js")
	if err != nil {
		return nil, fmt.Errorf("page script: %w", err)
	}
	_, part, found := bytes.Cut(whole, []byte(from))
	if found && to != "" {
		part, _, found = bytes.Cut(part, []byte(to))
	}
	if !found {
		return nil, fmt.Errorf("page script: %s.js has no section that starts with %q and ends with %q", name, from, to)
	}
	return part, nil
}

// ownScope makes a script of parts that know $.
func ownScope(parts ...[]byte) []byte {
	script := []byte("\"use strict\";\n(() => {\nconst $ = (id) => document.getElementById(id);\n")
	for _, part := range parts {
		script = append(script, part...)
	}
	return append(script, "})();\n"...)
}

// Policy returns the Content-Security-Policy of a page that loads nothing and contains only this style and this script.
func Policy(style, script []byte) string {
	return "default-src 'none'; style-src " + digest(style) + "; script-src " + digest(script) + "; img-src data:; base-uri 'none'; form-action 'none'"
}
