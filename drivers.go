package gatecert

import (
	"crypto/rand"
	"fmt"
	"time"

	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/reference"
	"github.com/gatecert/gatecert/targets/static"
)

// driverFor finds the driver that a profile names; a profile without one and without a URL is the reference gateway.
func driverFor(p targets.Profile) (targets.Driver, error) {
	switch {
	case p.Driver == targets.ReferenceDriver, p.Driver == "" && p.BaseURL == "":
		return reference.Driver{}, nil
	case p.Driver == targets.StaticDriver, p.Driver == "":
		return static.Driver{}, nil
	default:
		return nil, fmt.Errorf("%w: no driver %q: want %s or %s", ErrUsage, p.Driver, targets.StaticDriver, targets.ReferenceDriver)
	}
}

// runID sorts by time and is unique: "20261122T091502-3f9a1c".
func runID() string {
	var tail [3]byte
	_, _ = rand.Read(tail[:]) // never fails since Go 1.24
	return fmt.Sprintf("%s-%x", time.Now().UTC().Format("20060102T150405"), tail)
}
