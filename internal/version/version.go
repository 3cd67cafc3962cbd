// Package version identifies this build.
package version

import (
	"cmp"
	"regexp"
	"runtime/debug"
	"strings"
	"time"
)

// Number is the version under which this source will be released. A test checks that a release has the same version.
const Number = "0.2.0"

// module is the path under which a build records gatecert, as its main module or as one of a program that embeds it.
const module = "github.com/gatecert/gatecert"

// Build is the available information about a build.
type Build struct {
	// Version is the version without a leading v: that of the release or, for any other commit, [Number].
	Version string `json:"version"`
	// Commit is the commit in hexadecimal, with as many digits as the build records. It is "" if the build records none.
	Commit string `json:"commit,omitempty"`
	// Date is the date of the commit, not of the build, so that two builds of a commit are identical. It is zero if the build does not record it.
	Date time.Time `json:"date,omitzero"`
	// Modified means that the source differed from the commit.
	Modified bool `json:"modified,omitempty"`
	// Go is the version of the Go toolchain.
	Go string `json:"go"`

	released bool // it was built from the tag of its version
}

// Schema returns the URL at which the schema of one kind of file ("profile", "baseline") is published, in the version that this build uses.
func (b Build) Schema(kind string) string {
	ref := "main"
	switch {
	case b.Modified:
	case b.released:
		ref = "v" + b.Version
	case b.Commit != "":
		ref = b.Commit
	}
	return "https://raw.githubusercontent.com/" + strings.TrimPrefix(module, "github.com/") + "/" + ref + "/docs/schema/" + kind + ".schema.json"
}

// SchemaComment returns the line in a YAML file by which editors find its schema.
func SchemaComment(kind string) string {
	return "# yaml-language-server: $schema=" + Current().Schema(kind) + "\n"
}

// Current returns the running build.
func Current() Build {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return Build{Version: Number}
	}
	return of(info)
}

// Tool returns the name and version that appear in logs and reports: "gatecert 0.2.0 (0a1727c5d3f1, 2026-11-29)".
func Tool() string { return "gatecert " + Current().String() }

// String returns the version, followed by the available information about the commit in parentheses.
func (b Build) String() string {
	var known []string
	if b.Commit != "" {
		known = append(known, b.Commit[:min(len(b.Commit), shortCommit)])
	}
	if b.Modified {
		known = append(known, "modified")
	}
	if !b.Date.IsZero() {
		known = append(known, b.Date.UTC().Format(time.DateOnly))
	}
	if len(known) == 0 {
		return b.Version
	}
	return b.Version + " (" + strings.Join(known, ", ") + ")"
}

// shortCommit is how many digits of a commit name it in a text; pseudo-versions have as many.
const shortCommit = 12

// pseudoVersion matches the version that Go makes for a commit without a tag: its time, and its first twelve digits.
var pseudoVersion = regexp.MustCompile(`[-.](\d{14})-([0-9a-f]{12})(?:\+|$)`)

func of(info *debug.BuildInfo) Build {
	b := Build{Version: Number, Go: info.GoVersion}
	recorded := info.Main.Version
	if info.Main.Path != module {
		// A program that embeds gatecert: its own commit says nothing about gatecert.
		recorded = ""
		for _, dep := range info.Deps {
			if dep.Path == module {
				recorded = cmp.Or(recordedOf(dep.Replace), dep.Version)
			}
		}
	}
	b.setVersion(recorded)
	if info.Main.Path != module {
		return b
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			b.Commit = setting.Value
		case "vcs.time":
			b.setDate(time.RFC3339, setting.Value)
		case "vcs.modified":
			b.Modified = setting.Value == "true"
		}
	}
	return b
}

func recordedOf(replaced *debug.Module) string {
	if replaced == nil {
		return ""
	}
	return cmp.Or(replaced.Version, "(devel)")
}

// setVersion reads the version that a build records: "v0.2.0", one that Go makes for a commit, "(devel)" or "".
func (b *Build) setVersion(recorded string) {
	number, found := strings.CutPrefix(recorded, "v")
	if !found {
		return
	}
	if pseudo := pseudoVersion.FindStringSubmatch(number); pseudo != nil {
		b.Commit = pseudo[2]
		b.setDate("20060102150405", pseudo[1])
		return
	}
	b.Version, _, _ = strings.Cut(number, "+") // "+dirty" is what Modified says
	b.released = true
}

func (b *Build) setDate(layout, text string) {
	if date, err := time.Parse(layout, text); err == nil {
		b.Date = date
	}
}
