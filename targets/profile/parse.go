package profile

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/gatecert/gatecert/internal/yamlfile"
)

// ErrProfile is returned if a profile cannot be used. Its text starts with file:line:column and states how to correct the mistake.
var ErrProfile = errors.New("profile")

// fault is an error about a profile: it is [ErrProfile] too, without naming it.
type fault struct{ error }

func (f fault) Unwrap() []error { return []error{ErrProfile, f.error} }

// Load reads a profile. Variables (${NAME}, ${NAME:-default}) are expanded with getenv, which reports whether they are set.
//
// It returns [ErrProfile] for unknown keys, unset variables, wrong types and invalid values, and the file system's error if the file cannot be read.
func Load(path string, getenv func(string) (string, bool), drivers ...Driver) (Profile, error) {
	data, err := yamlfile.Read(path)
	if err != nil {
		return Profile{}, fmt.Errorf("read profile: %w", err)
	}
	p, err := Parse(path, data, getenv, drivers...)
	p.Digest = fmt.Sprintf("%x", sha256.Sum256(data))
	return p, err
}

// Parse is like [Load], but parses a profile in memory. file is the name to use in errors.
func Parse(file string, data []byte, getenv func(string) (string, bool), drivers ...Driver) (Profile, error) {
	document, err := yamlfile.Parse(file, data)
	if err != nil {
		return Profile{}, fault{err}
	}
	expanding := &expansion{getenv: getenv}
	if err := document.MapStrings(expanding.expand); err != nil {
		return Profile{}, fault{expanding.hidden(err, nil)}
	}
	var p Profile
	if err := document.Decode(&p); err != nil {
		return Profile{}, fault{expanding.hidden(err, p.Public)}
	}
	if err := check(document, p, drivers); err != nil {
		return Profile{}, fault{expanding.hidden(err, p.Public)}
	}
	if err := expanding.checkVariables(document, p.Env); err != nil {
		return Profile{}, fault{err}
	}
	p.Variables = expanding.variables(p.Public)
	return p.WithDefaults(), nil
}
