package profile

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/gatecert/gatecert/dialect"
)

// Profile is a gateway under test as its YAML file describes it (docs/profile.md explains every field).
type Profile struct {
	// Name is shown in every report.
	Name string `yaml:"name"`
	// BaseURL is the gateway's root; the surfaces' paths (/v1/…, /v1beta/…) are appended.
	BaseURL string `yaml:"base_url,omitempty"`
	// Prefix is the path between BaseURL and the surfaces' own paths: a string for all, or a map of surfaces and API formats
	// ("gemini") to their prefixes.
	Prefix any `yaml:"prefix,omitempty"`
	// TLS says how a gateway behind https is recognised, where the system does not know its authority.
	TLS TLS `yaml:"tls,omitempty"`
	// Driver prepares the gateway: static (the default), reference, newapi or oneapi.
	Driver string `yaml:"driver,omitempty"`
	// Admin is the administrator's credential of a gateway that its driver prepares.
	Admin Admin `yaml:"admin,omitempty"`
	// Version of the gateway, for the reports.
	Version string `yaml:"version,omitempty"`
	// Surfaces the gateway offers. None: all that gatecert speaks.
	Surfaces []dialect.Surface `yaml:"surfaces,omitempty"`
	// Discover is set when nobody listed surfaces: those whose healthy call fails are then not offered, instead of broken.
	Discover bool `yaml:"-"`
	// Planted are unique texts that a driver puts into the faults it plants, such as the error of a trigger. No answer may
	// show them.
	Planted []string `yaml:"-"`
	// Lacks says what a kind of gateway does not have, as its driver knows: the reason by circumstance ("sensitive-content"),
	// or by circumstance and surface ("uncountable-input/chat"). A log has it; a file cannot say it.
	Lacks  map[string]string `yaml:"lacks,omitempty"`
	Keys   Keys              `yaml:"keys,omitempty"`
	Models Models            `yaml:"models,omitempty"`
	// Headers go with every request, for gateways that route by header.
	Headers map[string]string `yaml:"headers,omitempty"`
	// SurfaceHeaders are added on single surfaces, over Headers.
	SurfaceHeaders map[dialect.Surface]map[string]string `yaml:"surface_headers,omitempty"`
	Upstream       Upstream                              `yaml:"upstream,omitempty"`
	Limits         Limits                                `yaml:"limits,omitempty"`
	Load           LoadSettings                          `yaml:"load,omitempty"`
	// Concurrency is the number of cases that run at once.
	Concurrency int    `yaml:"concurrency,omitempty"`
	Settle      Settle `yaml:"settle,omitempty"`
	Store       DB     `yaml:"store,omitempty"`
	// Balance reads what a key's owner has left, for "a failed request is not billed".
	Balance Balance `yaml:"balance,omitempty"`
	// Claims says what of the contract the gateway publishes. None: all of it.
	Claims Claims `yaml:"claims,omitempty"`
	// WithoutActions says that the recipes' shell commands and SQL statements do not run: what needs them is not offered. A run
	// whose user has not agreed to them sets it.
	WithoutActions bool `yaml:"without_actions,omitempty"`
	// Sampled says that requests ask the gateway to record their traces. A run's user sets it.
	Sampled bool `yaml:"-"`
	// Digest is the SHA-256 of the file that the profile was read from, "" for none.
	Digest string `yaml:"-"`
	// Public are environment variables that reports may show, although the profile uses them elsewhere than in the name, the
	// version, the URL and the models.
	Public []string `yaml:"public,omitempty"`
	// Env are environment variables that the profile may send elsewhere than as a key: in the URL, in header fields, in bodies.
	Env []string `yaml:"env,omitempty"`
	// Variables are the environment variables that the profile was read with.
	Variables Variables `yaml:"-"`
	// Circumstances are recipes by circumstance ("unpriced-model") or by circumstance and variant ("unreachable-upstream/refused").
	Circumstances map[string]Recipe `yaml:"circumstances,omitempty"`
}

// Admin is a credential of the gateway's admin API: a token, or a user and a password.
type Admin struct {
	Token    string `yaml:"token,omitempty"`
	User     string `yaml:"user,omitempty"`
	Password string `yaml:"password,omitempty"`
	// ID is the administrator's user id, which releases of new-api before 2026 want beside the token.
	ID int `yaml:"id,omitempty"`
}

// Keys are credentials of the gateway's callers.
type Keys struct {
	// Valid may do everything; without it nothing can be certified.
	Valid string `yaml:"valid,omitempty"`
	// Wrong is well-formed and was never issued. None: one is made up in the shape of Valid.
	Wrong string `yaml:"wrong,omitempty"`
	// Revoked was valid and was withdrawn.
	Revoked string `yaml:"revoked,omitempty"`
	// Restricted may not use the surface's model.
	Restricted string `yaml:"restricted,omitempty"`
	// Denied may not be used from here (an IP list, a group).
	Denied string `yaml:"denied,omitempty"`
	// SpentAccount belongs to an owner without quota.
	SpentAccount string `yaml:"spent_account,omitempty"`
	// SpentKey has a budget of its own that is too small.
	SpentKey string `yaml:"spent_key,omitempty"`
}

// KeyRole is the name of a key in the profile: "" for the valid one and for none, "special" for one that only a recipe has.
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

// Upstream says how the gateway reaches the mock upstream.
type Upstream struct {
	// Listen is the address that the mock upstream listens on during the run, for example 127.0.0.1:9901.
	Listen string `yaml:"listen,omitempty"`
	// URL is where the gateway reaches Listen, when that is not http://LISTEN: from inside a container, for example.
	URL string `yaml:"url,omitempty"`
	// Attach is the URL of a mock upstream that runs already (gatecert upstream), instead of Listen.
	Attach string `yaml:"attach,omitempty"`
	// Token is the token of that mock upstream, which it asks for where others than its own machine reach it.
	Token string `yaml:"token,omitempty"`
	// Keys are the keys that it accepts; none: any.
	Keys []string `yaml:"keys,omitempty"`
	// Protocol is the API format in which the gateway calls it: one for all, or a map of surfaces and API formats to theirs.
	// It changes nothing in a run: the report says where calls came in another.
	Protocol any `yaml:"protocol,omitempty"`
	// Addresses are host:port names under which the gateway knows its upstreams: none may show in an answer.
	// Listen and Attach are among them without being named.
	Addresses []string `yaml:"addresses,omitempty"`
}

// Present reports whether the profile has a mock upstream.
func (u Upstream) Present() bool { return u.Listen != "" || u.Attach != "" }

// Limits are the gateway's own limits, as far as it declares them, and ours.
type Limits struct {
	// Timeout is how long the gateway waits for the upstream.
	Timeout time.Duration `yaml:"timeout,omitempty"`
	// Body is the largest request body in bytes.
	Body int64 `yaml:"body,omitempty"`
	// Attempts is how often one call may be tried at the upstream, the first time included.
	Attempts int `yaml:"attempts,omitempty"`
	// Rate is the limit of one key or model, or the list of its limits.
	Rate Rate `yaml:"rate,omitempty"`
	// Valid is the rate limit of the valid key: the run keeps to it.
	Valid ValidRate `yaml:"valid,omitempty"`
	// Patience is how long gatecert waits for an answer. It is not a limit of the contract: none in it gives a time.
	Patience time.Duration `yaml:"patience,omitempty"`
}

// ValidRate is how many calls the valid key may make in a window.
type ValidRate struct {
	Requests int           `yaml:"requests,omitempty"`
	Window   time.Duration `yaml:"window,omitempty"`
}

// LoadSettings is the profile's part about the cases under load.
type LoadSettings struct {
	// Surfaces are those that are put under load, each with its streaming twin. None: the first that the gateway offers,
	// since what many calls show of a limit or an upstream they show on any surface.
	Surfaces []dialect.Surface `yaml:"surfaces,omitempty"`
	// Rate is how many healthy requests are sent a second while the upstream fails on others, Outage for how long; 0: the
	// defaults of package load/outage.
	Rate   float64       `yaml:"rate,omitempty"`
	Outage time.Duration `yaml:"outage,omitempty"`
	// SlowCalls is how many calls a hanging upstream has to hold at once, to exhaust a pool of fewer places.
	SlowCalls int `yaml:"slow_calls,omitempty"`
}

// Settle says how much time a gateway gets to recover after upstream failures.
type Settle struct {
	// Recovery bounds the wait for a healthy control after a breaker or a foreign 429 was noticed.
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

// Balance says where the gateway tells a key's owner what is left.
type Balance struct {
	// Path is read with GET and the key of the case.
	Path string `yaml:"path,omitempty"`
	// Field is the number's place in the JSON answer, dotted.
	Field string `yaml:"field,omitempty"`
}

// Recipe says how one target brings a circumstance about. What it leaves out is what a healthy call would have.
type Recipe struct {
	Key    string `yaml:"key,omitempty"`
	Model  string `yaml:"model,omitempty"`
	Prompt string `yaml:"prompt,omitempty"`
	Path   string `yaml:"path,omitempty"`
	Method string `yaml:"method,omitempty"`
	// Body holds edits of the JSON body: a dotted path and its new value; a null deletes.
	Body    map[string]any    `yaml:"body,omitempty"`
	Headers map[string]string `yaml:"headers,omitempty"`
	// Directive tells our upstream what to do, for example "status=500 body=html".
	Directive string `yaml:"directive,omitempty"`
	// Surfaces restricts the recipe; none: wherever the circumstance makes sense.
	Surfaces []dialect.Surface `yaml:"surfaces,omitempty"`
	// On holds what differs on single surfaces.
	On map[dialect.Surface]Recipe `yaml:"on,omitempty"`
	// Before and After run around every case of the recipe, which then runs alone.
	Before []Action `yaml:"before,omitempty"`
	After  []Action `yaml:"after,omitempty"`
}

// Action is one preparation: a shell command, SQL against the profile's store, or a function of the driver.
type Action struct {
	Run string `yaml:"run,omitempty"`
	SQL string `yaml:"sql,omitempty"`
	// Do names one of [Prepared.Actions]: what only the driver's own code can bring about. No file can say it.
	Do string `yaml:"do,omitempty"`
}

// Foreign reports whether the action is the profile's own, which its user has to agree to, and not one of a driver.
func (a Action) Foreign() bool { return a.Run != "" || a.SQL != "" }

// String is the action as a profile writes it.
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

// Actions are the shell commands and SQL statements of all recipes, each once, in the order of the recipes' names.
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

// The defaults of a profile, each with the reason for its size.
const (
	// DefaultConcurrency is polite to a gateway somebody else uses.
	DefaultConcurrency = 8
	// MaxConcurrency bounds the cases at once: more would measure the gateway's capacity, not its errors.
	MaxConcurrency = 256
	// DefaultPatience is generous: the slowest gateway default we know of is a 30 s upstream timeout.
	DefaultPatience = 45 * time.Second
	// DefaultRecovery covers the cool-downs gateways ship with (30 s and 60 s are common).
	DefaultRecovery = 75 * time.Second
)

// WithDefaults fills what was left out. [Load] and [FromURL] have done so already.
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

// FromURL is the profile of a bare URL: level edge, nothing prepared.
func FromURL(baseURL, key, model string) Profile {
	p := Profile{Name: baseURL, BaseURL: baseURL, Keys: Keys{Valid: key}, Models: Models{Default: model}}
	return p.WithDefaults()
}
