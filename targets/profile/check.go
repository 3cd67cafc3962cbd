package profile

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/yamlfile"
)

// The limits for the load settings. A value beyond these limits is a mistake or an attack.
const (
	maxLoadRate  = 1000
	maxOutage    = 10 * time.Minute
	maxSlowCalls = 2000
)

// check refuses values that parse and make no sense.
func check(d *yamlfile.Document, p Profile, drivers []Driver) error {
	for _, c := range slices.Concat(driverRules(p, drivers), valueRules(p), rateRules(p), claimRules(p)) {
		if c.bad {
			return d.Fault(c.path, c.problem)
		}
	}
	if path, problem := p.Claims.fault(); problem != "" {
		return d.Fault("$.claims"+path, problem)
	}
	if path, problem := prefixFault(p.Prefix); problem != "" {
		return d.Fault("$.prefix"+path, problem)
	}
	if path, problem := protocolFault(p.Upstream.Protocol); problem != "" {
		return d.Fault("$.upstream.protocol"+path, problem)
	}
	if _, err := p.TLS.Roots(); err != nil {
		return d.Fault("$.tls.ca", err.Error())
	}
	switch l := p.Load; {
	case !(l.Rate >= 0) || l.Rate > maxLoadRate:
		return d.Fault("$.load.rate", fmt.Sprintf("a rate of %g requests/s is not valid: it must be from 0 to %d", l.Rate, maxLoadRate))
	case l.Outage < 0 || l.Outage > maxOutage:
		return d.Fault("$.load.outage", fmt.Sprintf("an outage of %s is not valid: it must be from 0s to %s", l.Outage, maxOutage))
	case l.SlowCalls < 0 || l.SlowCalls > maxSlowCalls:
		return d.Fault("$.load.slow_calls", fmt.Sprintf("%d is not a valid number of slow calls: it must be from 0 to %d", l.SlowCalls, maxSlowCalls))
	}
	for i, s := range p.Load.Surfaces {
		if !slices.Contains(contract.LoadSurfaces(), s) {
			return d.Fault("$.load.surfaces["+strconv.Itoa(i)+"]", fmt.Sprintf("%q has no load cases: the endpoint must be one of %s", s, listed(contract.LoadSurfaces())))
		}
	}
	for i, s := range p.Surfaces {
		if err := checkSurface(d, "$.surfaces["+strconv.Itoa(i)+"]", s); err != nil {
			return err
		}
	}
	for _, s := range slices.Sorted(maps.Keys(p.SurfaceHeaders)) {
		if err := checkSurface(d, "$.surface_headers."+string(s), s); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Circumstances)) {
		if err := checkRecipe(d, name, p.Circumstances[name], p); err != nil {
			return err
		}
	}
	return nil
}

// rule is a demand on a profile: the place it stands at, what to say, and whether it is broken.
type rule struct {
	path, problem string
	bad           bool
}

// onlyDriver is the problem of a profile that says itself what its gateway lacks.
const onlyDriver = `only a driver can set the field "lacks": remove the field from the profile; gatecert automatically leaves out cases that have no recipe or key`

// valueRules are about single values, and about values that exclude each other.
func valueRules(p Profile) []rule {
	return []rule{
		{"$.base_url", BaseURLFault(p.BaseURL), p.BaseURL != "" && BaseURLFault(p.BaseURL) != ""},
		{"$.upstream.url", "upstream.url must be an absolute http or https URL", p.Upstream.URL != "" && !AbsoluteURL(p.Upstream.URL)},
		{"$.models.relay", "models.relay must be a model name or a list of model names", !p.Models.Relay.usable()},
		{"$.lacks", onlyDriver, len(p.Lacks) > 0},
		{"$.store", "set either sqlite or postgres, not both", p.Store.SQLite != "" && p.Store.Postgres != ""},
		{"$.upstream.attach", "upstream.attach must be an absolute http or https URL", p.Upstream.Attach != "" && !AbsoluteURL(p.Upstream.Attach)},
		{"$.upstream", "set either listen or attach, not both", p.Upstream.Listen != "" && p.Upstream.Attach != ""},
		{"$.upstream.token", "upstream.token can be set only together with upstream.attach", p.Upstream.Token != "" && p.Upstream.Attach == ""},
		{"$.concurrency", fmt.Sprintf("concurrency must be from 1 to %d", MaxConcurrency), p.Concurrency < 0 || p.Concurrency > MaxConcurrency},
		{"$.limits", "the fields timeout, body, attempts and patience must not be negative", p.Limits.Timeout < 0 || p.Limits.Body < 0 || p.Limits.Attempts < 0 || p.Limits.Patience < 0},
	}
}

// driverRules are about the driver and what it needs. Without a list of drivers their names are not checked: an embedder
// brings a driver of its own.
func driverRules(p Profile, drivers []Driver) []rule {
	name := cmp.Or(p.Driver, StaticDriver)
	noUser := p.Admin.User == "" || p.Admin.Password == ""
	i := slices.IndexFunc(drivers, func(d Driver) bool { return d.Name == name })
	if i < 0 && len(drivers) > 0 {
		var known []string
		for _, d := range drivers {
			known = append(known, d.Name)
		}
		return []rule{{"$.driver", "driver must be one of " + strings.Join(known, ", "), true}}
	}
	rules := []rule{{"$.admin", "set either a token, or a user and a password, but not both", p.Admin.Token != "" && p.Admin.User+p.Admin.Password != ""}}
	if i < 0 {
		return rules
	}
	d := drivers[i]
	return append(rules,
		rule{"$.admin", "driver " + name + " does not use an admin API: remove the field admin, or choose a driver that uses one", p.Admin != (Admin{}) && !d.Admin},
		rule{"$.driver", "driver " + name + " needs admin.token, or both admin.user and admin.password", d.Admin && p.Admin.Token == "" && noUser},
		rule{"", "driver " + name + " needs base_url", p.BaseURL == "" && !d.Embedded},
	)
}

// sameKey reports whether two keys are one. Those of a log are all alike, since they are redacted.
func sameKey(a, b string) bool { return a != "" && a == b && !strings.HasPrefix(a, "[") }

func checkSurface(d *yamlfile.Document, path string, s dialect.Surface) error {
	if s.Valid() {
		return nil
	}
	hint := yamlfile.DidYouMean(string(s), dialect.Surfaces(), "must be one of "+listed(dialect.Surfaces()))
	return d.Fault(path, fmt.Sprintf("unknown endpoint %q: %s", s, hint))
}

func checkRecipe(d *yamlfile.Document, name string, recipe Recipe, p Profile) error {
	path := "$.circumstances.'" + name + "'"
	circ, variant, _ := strings.Cut(name, "/")
	known, ok := contract.CircumstanceByID(circ)
	if !ok {
		var ids []string
		for _, c := range contract.Circumstances() {
			ids = append(ids, c.ID)
		}
		hint := yamlfile.DidYouMean(circ, ids, "run gatecert list circumstances to see them all")
		return d.Fault(path, fmt.Sprintf("unknown circumstance %q: %s", circ, hint))
	}
	if _, ok := known.Variant(variant); !ok && variant != "" {
		return d.Fault(path, fmt.Sprintf("circumstance %s has no variant %q: run gatecert explain %s to see the variants", circ, variant, known.Row))
	}
	if decides, ok := recipe.replaces(known, variant); ok {
		return d.Fault(path, fmt.Sprintf("gatecert builds the request for %s itself, so a recipe cannot set the %s", name, decides))
	}
	for i, s := range recipe.Surfaces {
		if err := checkSurface(d, path+".surfaces["+strconv.Itoa(i)+"]", s); err != nil {
			return err
		}
	}
	for _, s := range slices.Sorted(maps.Keys(recipe.On)) {
		if err := checkSurface(d, path+".on", s); err != nil {
			return err
		}
	}
	for _, action := range slices.Concat(recipe.Before, recipe.After) {
		if (action.Run == "") == (action.SQL == "") || action.Do != "" {
			return d.Fault(path, "an action needs either run: or sql:")
		}
		if action.SQL != "" && !p.Store.Present() {
			return d.Fault(path, "sql: needs store.sqlite (the path of the gateway's database) or store.postgres (its URL)")
		}
	}
	return nil
}

// BaseURLFault describes what is wrong with the URL of a gateway. It returns "" if nothing is wrong. It does not quote the URL, because the URL may
// contain a password.
func BaseURLFault(s string) string {
	u, err := url.Parse(s)
	switch {
	case !AbsoluteURL(s):
		return "the gateway's URL must be an absolute http or https URL"
	case err == nil && (u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != ""):
		return "the gateway's URL must not contain a user name, password, query or fragment: put credentials in keys or headers"
	default:
		return ""
	}
}

// AbsoluteURL reports whether a string is an http or https URL with a host.
func AbsoluteURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}
