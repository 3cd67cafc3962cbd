package runner

import (
	"crypto/rand"
	"fmt"
	"time"

	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/newapi"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/reference"
	"github.com/gatecert/gatecert/targets/static"
)

// driverFor finds the driver that a profile names; a profile without one and without a URL is the reference gateway.
func driverFor(cfg Config, id string) (targets.Driver, error) {
	p := cfg.Target
	switch {
	case p.Driver == profile.ReferenceDriver, p.Driver == "" && p.BaseURL == "":
		return reference.Driver{}, nil
	case p.Driver == profile.StaticDriver, p.Driver == "":
		return static.Driver{}, nil
	case p.Driver == profile.NewAPIDriver, p.Driver == profile.OneAPIDriver:
		return newapi.Driver{Run: id, Consent: cfg.Consent, Journal: cfg.Journal}, nil
	default:
		return nil, fmt.Errorf("%w: no driver %q", ErrUsage, p.Driver)
	}
}

// runID sorts by time and is unique: "20261122T091502-3f9a1c".
func runID() string {
	var tail [3]byte
	_, _ = rand.Read(tail[:]) // never fails since Go 1.24
	return fmt.Sprintf("%s-%x", time.Now().UTC().Format("20060102T150405"), tail)
}
