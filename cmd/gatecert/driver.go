package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/newapi"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/reference"
	"github.com/gatecert/gatecert/targets/static"
	"github.com/gatecert/gatecert/targets/store"
)

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
func loadProfile(path string) (profile.Profile, error) { return profileWith(path, os.LookupEnv) }

// profileWith is loadProfile with variables of its own.
func profileWith(path string, getenv func(string) (string, bool)) (profile.Profile, error) {
	var known []profile.Driver
	for _, d := range drivers() {
		known = append(known, d.Driver)
	}
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return profile.Profile{}, fmt.Errorf("%w: %s is a folder, not a profile: %s", errUsage, path, profileIn(path))
	}
	p, err := profile.Load(path, getenv, known...)
	var unread *fs.PathError
	switch {
	case errors.Is(err, os.ErrNotExist):
		err = fmt.Errorf("%w: %w; to create a profile, run gatecert init URL", errUsage, err)
	case errors.As(err, &unread):
		err = fmt.Errorf("%w: %w: specify a profile file that you have permission to read", errUsage, err)
	}
	return p, err
}

// profileIn says what to give in place of a folder.
func profileIn(folder string) string {
	if file := filepath.Join(folder, foundProfile); !gone(file) {
		return "did you mean " + file + "?"
	}
	return "specify the profile's YAML file"
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
		return driver{}, fmt.Errorf("%w: driver: unknown driver %q: must be static, reference, newapi or oneapi", gatecert.ErrUsage, name)
	}
	return drivers()[i], nil
}

// prepares reports whether the profile's driver changes a running gateway through its admin API.
func prepares(p profile.Profile) bool {
	d, err := driverOf(p)
	return err == nil && d.Admin
}

// consent decides about changes to a running gateway. --yes agrees. Without it the user is asked on a terminal, and nobody
// agrees elsewhere; the error then lists the changes. Otherwise they are printed here.
func (c *console) consent(yes bool) func([]targets.Change) bool {
	return func(changes []targets.Change) bool {
		if !yes && c.in == nil {
			return false
		}
		fmt.Fprintln(c.err, "This run changes the gateway:")
		for _, change := range changes {
			fmt.Fprintln(c.err, "  "+change.String())
		}
		if yes {
			return true
		}
		fmt.Fprint(c.err, "Continue? [y/N] ")
		answer, err := bufio.NewReader(c.in).ReadString('\n')
		return err == nil && strings.EqualFold(strings.TrimSpace(answer), "y")
	}
}

// targetFlags say which gateway is tested. Every command that calls a gateway embeds them.
type targetFlags struct {
	URL    string   `arg:"" optional:"" help:"The gateway's root URL (a trailing /v1 is ignored). If neither a URL nor --target is given, the command uses the profile gatecert.yaml in the current directory, or the built-in reference gateway if that file does not exist. The default for gatecert replay is the target in the log."`
	Target string   `help:"The gateway's profile (a YAML file, see docs/profile.md), or 'reference' for the built-in gateway." placeholder:"FILE" type:"path"`
	Key    string   `help:"A valid API key for the gateway, if the target is a URL." env:"GATEWAY_KEY"`
	Model  []string `help:"With a URL: a model that the key can access. SURFACE=NAME or FORMAT=NAME sets the model for one endpoint (such as messages) or one API format (such as anthropic). Repeat --model to test an endpoint with several models." placeholder:"NAME" sep:"none"`
	claimFlags
	Trace        bool `help:"Set the sampled flag in the traceparent header so that the gateway records a trace of each request. The load commands send the traceparent header only with --trace."`
	AllowActions bool `help:"Run the profile's shell commands and SQL statements. Without --allow-actions or gatecert trust, the cases that need them are reported as not-offered."`
}

// claimFlags say what of the contract the gateway publishes. They come before what a profile says.
type claimFlags struct {
	Claim []string `complete:"claims" help:"Judge only the part of the contract that the gateway claims to implement. With codes=none, gatecert judges the HTTP statuses (table 1 of contract/testdata/CONTRACT.md) but not the error codes (table 2). With codes=published, the default, gatecert judges both tables. With client_keys=false, gatecert skips all key-related checks. Repeatable. To set claims in a profile, use the claims field (docs/profile.md)." placeholder:"NAME=VALUE"`
}

// on adds the claims of the command line to those of a profile.
func (f claimFlags) on(p profile.Profile) (profile.Profile, error) {
	var err error
	for _, word := range f.Claim {
		if p.Claims, err = p.Claims.With(word); err != nil {
			return p, fmt.Errorf("%w: %w", errUsage, err)
		}
	}
	return p, nil
}

// profile returns the profile that the flags describe, the zero value for the reference gateway. It returns [errUsage], and
// the errors of [profile.Load].
func (f targetFlags) profile() (profile.Profile, error) {
	p, err := f.unclaimed()
	if err != nil {
		return p, err
	}
	p.Sampled = f.Trace
	if p, err = f.on(p); err == nil && f.URL != "" && f.Key == "" && !p.Claims.NoClientKeys() {
		err = fmt.Errorf("%w: a URL requires --key (or $GATEWAY_KEY); for a gateway that issues no client keys, add --claim client_keys=false", errUsage)
	}
	return p, err
}

// root is the URL without the path that gatecert appends by itself: SDKs are given https://host/v1. A gateway that has this
// path twice needs a profile.
func (f targetFlags) root() string {
	if root, ok := profile.RootOf(f.URL); ok {
		return root
	}
	return f.URL
}

// tellRoot says that another URL is used than the one given.
func (f targetFlags) tellRoot(c *console) {
	if root := f.root(); root != f.URL && f.URL != "" && profile.BaseURLFault(f.URL) == "" {
		fmt.Fprintf(c.err, "note: %s already ends with a path that gatecert adds, so the run uses %s\n", profile.Profile{}.Shown(f.URL), profile.Profile{}.Shown(root))
	}
}

// notAURL says what a word is that stands where a URL has to, and what to give in its place.
func notAURL(word string) string {
	shown := profile.Profile{}.Shown(word)
	if word == profile.ReferenceDriver {
		return fmt.Sprintf("%q is not a URL: for the built-in gateway, use --target %s", shown, word)
	}
	switch info, err := os.Stat(word); {
	case err == nil && info.IsDir():
		return fmt.Sprintf("%q is a folder, not a URL: specify the URL of a gateway, or a profile with --target FILE", shown)
	case err == nil:
		return fmt.Sprintf("%q is a file, not a URL: if it is a profile, use --target %s", shown, shown)
	}
	switch extension := filepath.Ext(word); {
	case extension == ".yaml" || extension == ".yml":
		return fmt.Sprintf("%q is neither a URL nor a file: specify a profile with --target FILE, or create one with gatecert init URL", shown)
	case strings.Contains(word, "://") || strings.Contains(word, "@"):
		return fmt.Sprintf("%q is not an http or https URL: use a URL such as https://gateway.example", shown)
	default:
		return fmt.Sprintf("%q is not an http or https URL; did you mean http://%s?", shown, word)
	}
}

// unclaimed is the profile without the claims of the command line.
func (f targetFlags) unclaimed() (profile.Profile, error) {
	switch {
	case f.URL != "" && f.Target != "":
		return profile.Profile{}, fmt.Errorf("%w: a URL and --target both specify a gateway: use only one of them", errUsage)
	case f.URL == "" && len(f.Model) > 0:
		return profile.Profile{}, fmt.Errorf("%w: --model needs a URL: add a URL, or list the models in the profile (models:)", errUsage)
	case f.isReference():
		return profile.Profile{}, nil
	case f.Target != "":
		return loadProfile(f.Target)
	case f.URL == "":
		return profile.Profile{}, nil
	case !profile.AbsoluteURL(f.URL):
		return profile.Profile{}, fmt.Errorf("%w: %s", errUsage, notAURL(f.URL))
	case profile.BaseURLFault(f.URL) != "":
		return profile.Profile{}, fmt.Errorf("%w: %s", errUsage, profile.BaseURLFault(f.URL))
	case len(f.Model) == 0 && f.Key == "":
		return profile.Profile{}, fmt.Errorf("%w: a URL requires --key (or $GATEWAY_KEY) and --model: to choose models from the gateway's model list, run gatecert init URL", errUsage)
	case len(f.Model) == 0:
		return profile.Profile{}, fmt.Errorf("%w: a URL requires --model: to choose models from the gateway's model list, run gatecert init URL", errUsage)
	default:
		p, err := profile.FromURL(f.root(), f.Key, "").WithModels(f.Model...)
		if err != nil {
			err = fmt.Errorf("%w: --model: %w", errUsage, err)
		}
		return p, err
	}
}
