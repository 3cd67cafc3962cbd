package profile

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/gatecert/gatecert/internal/yamlfile"
)

// ErrProfile is returned when a profile cannot be used. Its text starts with file:line:column and says what to do.
var ErrProfile = errors.New("profile")

// fault is an error about a profile: it is [ErrProfile] too, without naming it.
type fault struct{ error }

func (f fault) Unwrap() []error { return []error{ErrProfile, f.error} }

// Load reads a profile. Variables (${NAME}, ${NAME:-default}) are expanded with getenv, which reports whether they are
// set.
//
// It returns [ErrProfile] for unknown keys, unset variables, wrong types and values that make no sense, and the
// error of the file system when the file cannot be read.
func Load(path string, getenv func(string) (string, bool), drivers ...Driver) (Profile, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the path is the user's own argument
	if err != nil {
		return Profile{}, fmt.Errorf("read profile: %w", err)
	}
	p, err := Parse(path, data, getenv, drivers...)
	p.Digest = fmt.Sprintf("%x", sha256.Sum256(data))
	return p, err
}

// Parse is [Load] for a profile that is in memory; file names it in errors.
func Parse(file string, data []byte, getenv func(string) (string, bool), drivers ...Driver) (Profile, error) {
	document, err := yamlfile.Parse(file, data)
	if err != nil {
		return Profile{}, fault{err}
	}
	if err := document.MapStrings(expand(getenv)); err != nil {
		return Profile{}, fault{err}
	}
	var p Profile
	if err := document.Decode(&p); err != nil {
		return Profile{}, fault{err}
	}
	if err := check(document, p, drivers); err != nil {
		return Profile{}, fault{err}
	}
	return p.WithDefaults(), nil
}

func expand(getenv func(string) (string, bool)) func(string) (string, error) {
	return func(text string) (string, error) {
		var out strings.Builder
		for {
			start := strings.Index(text, "${")
			if start < 0 {
				out.WriteString(text)
				return out.String(), nil
			}
			end := strings.IndexByte(text[start:], '}')
			if end < 0 {
				return "", fmt.Errorf("%q has ${ without }", text)
			}
			name, fallback, hasFallback := strings.Cut(text[start+2:start+end], ":-")
			value, set := getenv(name)
			switch {
			case set && value != "":
			case hasFallback:
				value = fallback
			default:
				return "", fmt.Errorf("the variable %s is not set: export it, or write ${%s:-default}", name, name)
			}
			out.WriteString(text[:start] + value)
			text = text[start+end+1:]
		}
	}
}
