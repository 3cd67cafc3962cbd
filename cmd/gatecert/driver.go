package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/newapi"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/reference"
	"github.com/gatecert/gatecert/targets/static"
	"github.com/gatecert/gatecert/targets/store"
)

// driver is a driver that the command links.
type driver struct {
	profile.Driver

	// make returns the driver. consent and journal are for drivers that change a running gateway.
	make func(consent func([]targets.Change) bool, journal io.Writer) targets.Driver
}

// drivers lists all of them. A new driver is added here.
func drivers() []driver {
	prepared := func(consent func([]targets.Change) bool, journal io.Writer) targets.Driver {
		return newapi.Driver{OpenStore: store.Open, Consent: consent, Journal: journal}
	}
	return []driver{
		{profile.Driver{Name: profile.StaticDriver}, func(func([]targets.Change) bool, io.Writer) targets.Driver { return static.Driver{} }},
		{profile.Driver{Name: profile.ReferenceDriver, Embedded: true}, func(func([]targets.Change) bool, io.Writer) targets.Driver { return reference.Driver{} }},
		{profile.Driver{Name: profile.NewAPIDriver, Admin: true}, prepared},
		{profile.Driver{Name: profile.OneAPIDriver, Admin: true}, prepared},
	}
}

// loadProfile reads a profile file, which must exist. Its driver must be one of [drivers].
func loadProfile(path string) (profile.Profile, error) {
	var known []profile.Driver
	for _, d := range drivers() {
		known = append(known, d.Driver)
	}
	p, err := profile.Load(path, os.LookupEnv, known...)
	if errors.Is(err, os.ErrNotExist) {
		err = fmt.Errorf("%w: %w", errUsage, err)
	}
	return p, err
}

// driverOf finds the driver that a profile names; the zero profile is the reference gateway. It returns
// [gatecert.ErrUsage] for a name that no driver has.
func driverOf(p profile.Profile) (driver, error) {
	name := p.Driver
	switch {
	case name == "" && p.BaseURL == "":
		name = profile.ReferenceDriver
	case name == "":
		name = profile.StaticDriver
	}
	i := slices.IndexFunc(drivers(), func(d driver) bool { return d.Name == name })
	if i < 0 {
		return driver{}, fmt.Errorf("%w: no driver %q", gatecert.ErrUsage, name)
	}
	return drivers()[i], nil
}

// prepares reports whether the profile's driver changes a running gateway through its admin API.
func prepares(p profile.Profile) bool {
	d, err := driverOf(p)
	return err == nil && d.Admin
}
