package main

import (
	"fmt"
	"io"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/newapi"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/reference"
	"github.com/gatecert/gatecert/targets/static"
	"github.com/gatecert/gatecert/targets/store"
)

// driverFor returns the driver that a profile names; the zero profile is the reference gateway. consent and journal are
// for drivers that change a running gateway. It returns [gatecert.ErrUsage] for a name that no driver has.
func driverFor(p profile.Profile, consent func([]targets.Change) bool, journal io.Writer) (targets.Driver, error) {
	switch {
	case p.Driver == profile.ReferenceDriver, p.Driver == "" && p.BaseURL == "":
		return reference.Driver{}, nil
	case p.Driver == profile.StaticDriver, p.Driver == "":
		return static.Driver{}, nil
	case p.Prepares():
		return newapi.Driver{OpenStore: store.Open, Consent: consent, Journal: journal}, nil
	default:
		return nil, fmt.Errorf("%w: no driver %q", gatecert.ErrUsage, p.Driver)
	}
}
