package profile

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/gatecert/gatecert/dialect"
)

// Profile describes a gateway under test, as in its YAML file. docs/profile.md explains every field.
type Profile struct {
	// Name is shown in every report.
	Name string `yaml:"name"`
	// BaseURL is the gateway's root. The surfaces' paths (/v1/…, /v1beta/…) are appended to it.
	BaseURL string `yaml:"base_url,omitempty"`
	// Prefix is the path between BaseURL and the surfaces' own paths: a string for all surfaces, or a map from surfaces and API formats ("gemini") to
	// their prefixes.
	Prefix any `yaml:"prefix,omitempty"`
	// TLS states how to verify a gateway behind https if the system does not trust its certificate authority.
	TLS TLS `yaml:"tls,omitempty"`
	// Driver prepares the gateway: static (the default), reference, newapi or oneapi.
	Driver string `yaml:"driver,omitempty"`
	// Admin is the administrator's credential for a gateway that its driver prepares.
	Admin Admin `yaml:"admin,omitempty"`
	// Version is the version of the gateway to show in reports.
	Version string `yaml:"version,omitempty"`
	// Surfaces are the surfaces that the gateway offers. If the list is empty, all surfaces that gatecert supports are tried.
	Surfaces []dialect.Surface `yaml:"surfaces,omitempty"`
	// Discover is set if the user did not list any surfaces. A surface whose healthy call fails is then not offered, instead of broken.
	Discover bool `yaml:"-"`
	// Planted contains unique texts that a driver puts into the faults that it causes, such as the error of a trigger. No response may show them.
	Planted []string `yaml:"-"`
	// Lacks states what a kind of gateway lacks, as its driver knows: it maps a circumstance ("sensitive-content"), or a circumstance and a surface
	// ("uncountable-input/chat"), to the reason. Logs contain this field; a profile file cannot set it.
	Lacks  map[string]string `yaml:"lacks,omitempty"`
	Keys   Keys              `yaml:"keys,omitempty"`
	Models Models            `yaml:"models,omitempty"`
	// Headers are sent with every request, for gateways that route by header field.
	Headers map[string]string `yaml:"headers,omitempty"`
	// SurfaceHeaders are sent on specific surfaces, and take precedence over Headers.
	SurfaceHeaders map[dialect.Surface]map[string]string `yaml:"surface_headers,omitempty"`
	Upstream       Upstream                              `yaml:"upstream,omitempty"`
	Limits         Limits                                `yaml:"limits,omitempty"`
	Load           LoadSettings                          `yaml:"load,omitempty"`
	// Concurrency is the number of cases that run at once.
	Concurrency int    `yaml:"concurrency,omitempty"`
	Settle      Settle `yaml:"settle,omitempty"`
	Store       DB     `yaml:"store,omitempty"`
	// Balance states how to read the balance of a key's owner, for the requirement that a failed request is not billed.
	Balance Balance `yaml:"balance,omitempty"`
	// Claims states which part of the contract the gateway publishes. By default, it is the whole contract.
	Claims Claims `yaml:"claims,omitempty"`
	// WithoutActions means that the recipes' shell commands and SQL statements do not run. Cases that need them are not offered. A run whose user has
	// not consented to the actions sets this field.
	WithoutActions bool `yaml:"without_actions,omitempty"`
	// Sampled means that requests ask the gateway to record their traces. The user of a run sets it.
	Sampled bool `yaml:"-"`
	// Digest is the SHA-256 of the file from which the profile was read, or "" if there is none.
	Digest string `yaml:"-"`
	// Public lists the environment variables that reports may show even if the profile uses them in places other than the name, the version, the URL
	// and the models.
	Public []string `yaml:"public,omitempty"`
	// Env lists the environment variables that the profile may send in places other than keys: in the URL, in header fields and in bodies.
	Env []string `yaml:"env,omitempty"`
	// Variables are the environment variables that the profile uses, as they were when it was read.
	Variables Variables `yaml:"-"`
	// Circumstances contains the recipes by circumstance ("unpriced-model"), or by circumstance and variant ("unreachable-upstream/refused").
	Circumstances map[string]Recipe `yaml:"circumstances,omitempty"`
}

// Admin is a credential for the gateway's admin API: a token, or a user name and a password.
type Admin struct {
	Token    string `yaml:"token,omitempty"`
	User     string `yaml:"user,omitempty"`
	Password string `yaml:"password,omitempty"`
	// ID is the administrator's user id, which releases of new-api before 2026 require in addition to the token.
	ID int `yaml:"id,omitempty"`
}

// Keys are credentials of the gateway's callers.
type Keys struct {
	// Valid is permitted to do everything. Without it, nothing can be certified.
	Valid string `yaml:"valid,omitempty"`
	// Wrong is a well-formed key that was never issued. If it is empty, one is generated with the shape of Valid.
	Wrong string `yaml:"wrong,omitempty"`
	// Revoked was once valid and has been revoked.
	Revoked string `yaml:"revoked,omitempty"`
	// Restricted is not permitted to use the surface's model.
	Restricted string `yaml:"restricted,omitempty"`
	// Denied is not permitted to be used from this machine (because of an IP list or a group).
	Denied string `yaml:"denied,omitempty"`
	// SpentAccount belongs to an owner without quota.
	SpentAccount string `yaml:"spent_account,omitempty"`
	// SpentKey has its own budget, which is too small for a call.
	SpentKey string `yaml:"spent_key,omitempty"`
}

// KeyRole returns the name of a key in the profile. It returns "" for the valid key or no key, and "special" for a key that only a recipe contains.
func (p Profile) KeyRole(key string) string {
	k := p.Keys
	for _, known := range []struct{ key, role string }{
		{"", ""}, {k.Valid, ""}, {k.WrongKey(), "wrong"}, {k.Revoked, "revoked"}, {k.Restricted, "restricted"}, {k.Denied, "denied"},
		{k.SpentAccount, "spent_account"}, {k.SpentKey, "spent_key"}, {p.Limits.Rate.Key, "limited"},
	} {
		if key == known.key {
			return known.role
		}
	}
	return "special"
}

// Upstream states how the gateway reaches the mock upstream.
type Upstream struct {
	// Listen is the address that the mock upstream listens on during the run, for example 127.0.0.1:9901.
	Listen string `yaml:"listen,omitempty"`
	// URL is the URL at which the gateway reaches Listen, if it is not http://LISTEN: for example, from inside a container.
	URL string `yaml:"url,omitempty"`
	// Attach is the URL of a mock upstream that is already running (gatecert upstream). It is used instead of Listen.
	Attach string `yaml:"attach,omitempty"`
	// Token is the token that this mock upstream requires if other machines can reach it.
	Token string `yaml:"token,omitempty"`
	// Keys are the keys that the mock upstream accepts. If the list is empty, it accepts any key.
	Keys []string `yaml:"keys,omitempty"`
	// Protocol is the API format in which the gateway calls the mock upstream: one for all calls, or a map from surfaces and API formats to formats.
	// Protocol does not affect the run; the report shows which calls used another format.
	Protocol any `yaml:"protocol,omitempty"`
	// Addresses are the host:port names under which the gateway knows its upstreams. No response may show them. Listen and Attach are included
	// automatically.
	Addresses []string `yaml:"addresses,omitempty"`
}

// Present reports whether the profile has a mock upstream.
func (u Upstream) Present() bool { return u.Listen != "" || u.Attach != "" }

// Limits are the limits that the gateway declares, and gatecert's own limits.
type Limits struct {
	// Timeout is how long the gateway waits for the upstream.
	Timeout time.Duration `yaml:"timeout,omitempty"`
	// Body is the largest request body in bytes.
	Body int64 `yaml:"body,omitempty"`
	// Attempts is how often one call may be sent to the upstream, including the first attempt.
	Attempts int `yaml:"attempts,omitempty"`
	// Rate is the limit of one key or model, or the list of its limits.
	Rate Rate `yaml:"rate,omitempty"`
	// Valid is the rate limit of the valid key. The run stays within it.
	Valid ValidRate `yaml:"valid,omitempty"`
	// Patience is how long gatecert waits for a response. It is not a limit of the contract, because the contract does not specify times.
	Patience time.Duration `yaml:"patience,omitempty"`
}

// ValidRate is the number of calls that the valid key may make in a window.
type ValidRate struct {
	Requests int           `yaml:"requests,omitempty"`
	Window   time.Duration `yaml:"window,omitempty"`
}

// LoadSettings are the profile's settings for load cases.
type LoadSettings struct {
	// Surfaces are the surfaces on which load cases run, each with its streaming twin. If the list is empty, load cases run on the first surface that
	// the gateway offers, because a limit or an upstream affects many calls in the same way on any surface.
	Surfaces []dialect.Surface `yaml:"surfaces,omitempty"`
	// Rate is how many healthy requests per second are sent while the upstream fails on others, and Outage is for how long. 0 means the defaults of
	// package load/outage.
	Rate   float64       `yaml:"rate,omitempty"`
	Outage time.Duration `yaml:"outage,omitempty"`
	// SlowCalls is how many calls a hanging upstream holds at once, in order to exhaust a pool with fewer slots.
	SlowCalls int `yaml:"slow_calls,omitempty"`
}

// Settle states how much time a gateway gets to recover after upstream failures.
type Settle struct {
	// Recovery is the maximum time to wait for a healthy control call after a breaker or an unrelated 429 was noticed.
	Recovery time.Duration `yaml:"recovery,omitempty"`
}

// DB is the gateway's store, for recipes that break it.
type DB struct {
	// SQLite is the path of the database file.
	SQLite string `yaml:"sqlite,omitempty"`
	// Postgres is the URL of the database, postgres://user:password@host:port/name. The psql program must be installed.
	Postgres string `yaml:"postgres,omitempty"`
}

// Present reports whether the profile names a store.
func (d DB) Present() bool { return d.SQLite != "" || d.Postgres != "" }

// Balance states where to read the remaining balance of a key's owner.
type Balance struct {
	// Path is requested with GET and the key of the case.
	Path string `yaml:"path,omitempty"`
	// Field is the dotted path of the number in the JSON response.
	Field string `yaml:"field,omitempty"`
}

// Recipe describes how to create a circumstance on one target. For fields that the recipe leaves out, the values of a healthy call are used.
type Recipe struct {
	Key    string `yaml:"key,omitempty"`
	Model  string `yaml:"model,omitempty"`
	Prompt string `yaml:"prompt,omitempty"`
	Path   string `yaml:"path,omitempty"`
	Method string `yaml:"method,omitempty"`
	// Body contains edits to the JSON body: dotted paths and their new values. null deletes the member.
	Body    map[string]any    `yaml:"body,omitempty"`
	Headers map[string]string `yaml:"headers,omitempty"`
	// Directive is an instruction for the mock upstream, for example "status=500 body=html".
	Directive string `yaml:"directive,omitempty"`
	// Surfaces restricts the recipe to these surfaces. If the list is empty, the recipe applies to all surfaces to which the circumstance applies.
	Surfaces []dialect.Surface `yaml:"surfaces,omitempty"`
	// On contains different values for specific surfaces.
	On map[dialect.Surface]Recipe `yaml:"on,omitempty"`
	// Before and After run before and after every case of the recipe. A case with actions runs alone.
	Before []Action `yaml:"before,omitempty"`
	After  []Action `yaml:"after,omitempty"`
}

// Action is one preparation: a shell command, an SQL statement for the profile's store, or a function of the driver.
type Action struct {
	Run string `yaml:"run,omitempty"`
	SQL string `yaml:"sql,omitempty"`
	// Do names one of [Prepared.Actions], for circumstances that only the driver's own code can create. A profile file cannot set it.
	Do string `yaml:"do,omitempty"`
}

// Foreign reports whether the action comes from the profile, so that its user must consent to it, and not from a driver.
func (a Action) Foreign() bool { return a.Run != "" || a.SQL != "" }

// String returns the action as written in a profile.
func (a Action) String() string {
	switch {
	case a.Run != "":
		return "run: " + a.Run
	case a.SQL != "":
		return "sql: " + a.SQL
	default:
		return "do: " + a.Do
	}
}

// Actions returns the shell commands and SQL statements of all recipes, without duplicates, in the order of the recipes' names.
func (p Profile) Actions() []Action {
	var list []Action
	add := func(r Recipe) {
		for _, a := range slices.Concat(r.Before, r.After) {
			if a.Foreign() && !slices.Contains(list, a) {
				list = append(list, a)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Circumstances)) {
		r := p.Circumstances[name]
		add(r)
		for _, surface := range slices.Sorted(maps.Keys(r.On)) {
			add(r.On[surface])
		}
	}
	return list
}

// The defaults of a profile, with the reason for each value.
const (
	// DefaultConcurrency is low enough for a gateway that other people use at the same time.
	DefaultConcurrency = 8
	// MaxConcurrency is the maximum number of concurrent cases. More concurrent cases would measure the gateway's capacity, not its errors.
	MaxConcurrency = 256
	// DefaultPatience is generous: the longest default upstream timeout of a gateway that we know of is 30 s.
	DefaultPatience = 45 * time.Second
	// DefaultRecovery covers the common default cool-downs of gateways (30 s and 60 s).
	DefaultRecovery = 75 * time.Second
)

// WithDefaults returns the profile with defaults for all missing values. [Load] and [FromURL] have already done this.
func (p Profile) WithDefaults() Profile {
	p.Driver = cmp.Or(p.Driver, StaticDriver)
	p.Name = cmp.Or(p.Name, p.BaseURL)
	if len(p.Surfaces) == 0 {
		p.Surfaces, p.Discover = dialect.Surfaces(), true
	}
	p.Concurrency = cmp.Or(p.Concurrency, DefaultConcurrency)
	p.Limits.Patience = cmp.Or(p.Limits.Patience, DefaultPatience)
	p.Settle.Recovery = cmp.Or(p.Settle.Recovery, DefaultRecovery)
	return p
}

// FromURL returns the profile for a URL alone: it offers level edge and contains no preparations.
func FromURL(baseURL, key, model string) Profile {
	p := Profile{Name: baseURL, BaseURL: baseURL, Keys: Keys{Valid: key}, Models: Models{Default: model}}
	return p.WithDefaults()
}
