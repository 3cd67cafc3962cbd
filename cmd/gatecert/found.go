package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets/profile"
)

// foundProfile is the profile that is used in its folder where nothing names a gateway.
const foundProfile = "gatecert.yaml"

// find uses the profile in the working folder where neither the command line nor the environment names a gateway, with a line about it. It
// returns [errUsage] when its user has not agreed: the folder may be a stranger's.
func (f *targetFlags) find(c *console) error {
	p, err := f.found()
	if p == nil || err != nil {
		return err
	}
	if err := c.agreeToUse(*p); err != nil {
		return err
	}
	f.use(c)
	return nil
}

// findSame is [targetFlags.find] for a profile that is about the gateway of an earlier run; it leaves any other.
func (f *targetFlags) findSame(c *console, earlier runlog.Run) error {
	p, err := f.found()
	if p == nil || err != nil || p.Shown(p.BaseURL) != earlier.Target.BaseURL {
		return nil //nolint:nilerr // what cannot be read is not that of the run
	}
	if err := c.agreeToUse(*p); err != nil {
		return err
	}
	f.use(c)
	return nil
}

func (f *targetFlags) use(c *console) {
	fmt.Fprintf(c.err, "note: using the profile %s in the current directory (for another profile, use --target FILE; for the built-in gateway, use --target %s)\n", foundProfile, profile.ReferenceDriver)
	f.Target = foundProfile
}

// found is the profile in the working folder, nil where there is none or where something names a gateway.
func (f *targetFlags) found() (*profile.Profile, error) {
	if f.URL != "" || f.Target != "" || gone(foundProfile) {
		return nil, nil
	}
	p, err := loadProfile(foundProfile)
	if err != nil {
		return nil, fmt.Errorf("%w (no gateway was specified, so the command uses the profile %s in the current directory; to test the built-in gateway, use --target %s)", err, foundProfile, profile.ReferenceDriver)
	}
	return &p, nil
}

// agreeToUse asks once whether a found profile may be used, and remembers the answer for as long as it reaches nothing else.
func (c *console) agreeToUse(p profile.Profile) error {
	digest := reachDigest(p)
	if toUse.include(foundProfile, digest) {
		return nil
	}
	if c.in == nil {
		return fmt.Errorf("%w: no gateway was specified, and you have not agreed to use the profile %s in the current directory (this profile %s): select the profile (--target %s), trust it (gatecert trust %s), or test the built-in gateway (--target %s)",
			errUsage, foundProfile, strings.Join(shownReach(p), ", "), foundProfile, foundProfile, profile.ReferenceDriver)
	}
	fmt.Fprintf(c.err, "The profile %s in the current directory:\n", foundProfile)
	printReach(c.err, p)
	fmt.Fprint(c.err, "Use this profile? [y/N] ")
	answer, err := bufio.NewReader(c.in).ReadString('\n')
	if err != nil || !strings.EqualFold(strings.TrimSpace(answer), "y") {
		return fmt.Errorf("%w: you declined to use the profile %s: specify another profile with --target FILE, or the built-in gateway with --target %s", errUsage, foundProfile, profile.ReferenceDriver)
	}
	return toUse.add(foundProfile, digest)
}

// reachDigest identifies what a profile reaches.
func reachDigest(p profile.Profile) string { return digestOf([]byte(strings.Join(p.Reach(), "\n"))) }

func shownReach(p profile.Profile) []string {
	var shown []string
	for _, sentence := range p.Reach() {
		shown = append(shown, plain.Text(sentence, maxReason))
	}
	return shown
}

func printReach(w io.Writer, p profile.Profile) {
	for _, sentence := range shownReach(p) {
		fmt.Fprintf(w, "  %s\n", sentence)
	}
}

// isReference reports whether --target is the word for the built-in gateway, and no file.
func (f *targetFlags) isReference() bool {
	if filepath.Base(f.Target) != profile.ReferenceDriver {
		return false
	}
	_, err := os.Lstat(f.Target)
	return errors.Is(err, os.ErrNotExist)
}
