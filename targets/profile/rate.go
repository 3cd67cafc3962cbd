package profile

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// Rate is a declared limit of one key, of one model, or of one key on one model. It limits requests, tokens, or calls in flight.
type Rate struct {
	Key string `yaml:"key,omitempty"`
	// Model is the limited model. If it is empty, the limit applies to the models of the other calls. Without a key, the limit applies to every key
	// on the model.
	Model string `yaml:"model,omitempty"`
	// Requests is the number of calls that are admitted in a Window, or, if Kind is concurrency, the number of calls in flight.
	Requests int `yaml:"requests,omitempty"`
	// Tokens is the number of prompt and response tokens that are admitted in a Window. It is used instead of Requests.
	Tokens int `yaml:"tokens,omitempty"`
	// InputTokens is the number of prompt tokens that are admitted in a Window, and OutputTokens is the number of response tokens.
	InputTokens  int `yaml:"input_tokens,omitempty"`
	OutputTokens int `yaml:"output_tokens,omitempty"`
	// Concurrent is the number of calls that may be in flight at once. It is short for Requests with the kind concurrency.
	Concurrent int           `yaml:"concurrent,omitempty"`
	Window     time.Duration `yaml:"window,omitempty"`
	// Kind is the gateway's method of counting: fixed-window, sliding-log, sliding-counter, token-bucket or concurrency. If it is empty, gatecert
	// determines the kind.
	Kind contract.LimiterKind `yaml:"kind,omitempty"`
	// Burst is how many calls, or tokens, an unused token bucket admits at once. 0 means as many as in a window.
	Burst int `yaml:"burst,omitempty"`
	// Shared states whether streaming calls count against the same limit as other calls. If it is not set, both behaviours are accepted.
	Shared *bool `yaml:"shared,omitempty"`
	// RefusedCount means that refused calls count against the limit too.
	RefusedCount bool `yaml:"refused_count,omitempty"`
	// More contains the other limits of the same key and model. In a file, all limits form one list.
	More []Rate `yaml:"-"`
}

// rateFields is a Rate as a file has it where there is one.
type rateFields Rate

// UnmarshalYAML reads one limit or a list of limits.
func (r *Rate) UnmarshalYAML(unmarshal func(any) error) error {
	var value any
	if err := unmarshal(&value); err != nil {
		return err
	}
	if _, isList := value.([]any); !isList {
		return unmarshal((*rateFields)(r))
	}
	var list []rateFields
	if err := unmarshal(&list); err != nil {
		return err
	}
	for i, member := range list {
		if i == 0 {
			*r = Rate(member)
		} else {
			r.More = append(r.More, Rate(member))
		}
	}
	return nil
}

// MarshalYAML writes a single limit without a list.
func (r Rate) MarshalYAML() (any, error) {
	if len(r.More) == 0 {
		return rateFields(r), nil
	}
	list := []rateFields{rateFields(r)}
	for _, member := range r.More {
		list = append(list, rateFields(member))
	}
	return list, nil
}

// IsZero reports whether no limit is declared.
func (r Rate) IsZero() bool {
	return r.Key == "" && r.Model == "" && !r.limits() && r.Window == 0 && r.Kind == "" && r.Burst == 0 && r.Shared == nil && !r.RefusedCount && len(r.More) == 0
}

// limits reports whether a number of requests, tokens or calls under way is declared.
func (r Rate) limits() bool { return r.units() > 0 }

// CountedTokens returns the number of tokens in a window, regardless of which tokens the limit counts. It returns 0 for other limits.
func (r Rate) CountedTokens() int { return cmp.Or(r.Tokens, r.InputTokens, r.OutputTokens) }

// Limits returns all limits of the key and the model, in the order of the file. A limit on calls in flight is returned as Requests with the kind
// concurrency.
func (r Rate) Limits() []Rate {
	all := append([]Rate{r}, r.More...)
	for i := range all {
		all[i].More = nil
		if all[i].Concurrent > 0 {
			all[i].Requests, all[i].Concurrent, all[i].Kind = all[i].Concurrent, 0, contract.Concurrency
		}
	}
	return all
}

// tokensOfACall is less than any call takes, prompt and answer together.
const tokensOfACall = 4

// UsedUpBy returns how many sequential calls certainly lead to a refusal. A fixed window may turn over between two calls, and then admits its limit
// twice.
func (r Rate) UsedUpBy() int {
	var fewest int
	for _, l := range r.Limits() {
		n := 2*l.Requests + 1
		switch {
		case l.Tokens > 0:
			n = 2*l.Tokens/tokensOfACall + 1
		case l.CountedTokens() > 0:
			n = 2*l.CountedTokens() + 1 // an answer may have one
		}
		if l.Kind != contract.Concurrency && (fewest == 0 || n < fewest) {
			fewest = n
		}
	}
	if fewest == 0 {
		return 2*r.Limits()[0].Requests + 1
	}
	return fewest
}

// LongestWindow returns the longest window of the limits, or 0 if none of them has one.
func (r Rate) LongestWindow() time.Duration { return r.LongestWindowUpTo(math.MaxInt64) }

// LongestWindowUpTo returns the longest window that does not exceed a given time, or 0 if there is none.
func (r Rate) LongestWindowUpTo(most time.Duration) time.Duration {
	longest := time.Duration(0)
	for _, l := range r.Limits() {
		if l.Window <= most {
			longest = max(longest, l.Window)
		}
	}
	return longest
}

// units is how many of requests, tokens, their parts and calls at once a limit counts.
func (r Rate) units() int {
	return len(slices.DeleteFunc([]int{r.Requests, r.Tokens, r.InputTokens, r.OutputTokens, r.Concurrent}, func(n int) bool { return n == 0 }))
}

// rateRules are about the declared limits.
func rateRules(p Profile) []rule {
	rate := p.Limits.Rate
	var rules []rule
	for i, l := range append([]Rate{rate}, rate.More...) {
		at := "$.limits.rate"
		if len(rate.More) > 0 {
			at = fmt.Sprintf("$.limits.rate[%d]", i)
		}
		concurrent, tokens := l.Concurrent != 0 || l.Kind == contract.Concurrency, l.CountedTokens() != 0
		rules = append(rules,
			rule{at, `the key has no limit: set a limit, for example with the field "requests"`, l.Key != "" && !l.limits()},
			rule{at, `the model has no limit: set a limit, for example with the field "requests"`, l.Model != "" && !l.limits()},
			rule{at, "set exactly one of requests, tokens, input_tokens, output_tokens and concurrent", l.units() > 1 || i > 0 && l.units() == 0},
			rule{at + ".requests", "the number of requests must be positive", l.Requests < 0},
			rule{at + ".tokens", "the number of tokens must be positive", l.Tokens < 0},
			rule{at + ".input_tokens", "the number of input tokens must be positive", l.InputTokens < 0},
			rule{at + ".output_tokens", "the number of output tokens must be positive", l.OutputTokens < 0},
			rule{at + ".concurrent", "the number of concurrent calls must be positive", l.Concurrent < 0},
			rule{at, `this limit needs a window: set the field "window", for example to 1m`, i > 0 && !concurrent && l.Window <= 0 || tokens && l.Window <= 0},
			rule{at + ".key", `set the field "key" only in the first limit of the list: it applies to all limits`, i > 0 && l.Key != ""},
			rule{at + ".model", `set the field "model" only in the first limit of the list: it applies to all limits`, i > 0 && l.Model != ""},
			rule{at + ".shared", `set the field "shared" only in the first limit of the list: it applies to all limits`, i > 0 && l.Shared != nil},
			rule{at + ".kind", "kind must be one of " + listed(contract.LimiterKinds()), l.Kind != "" && !l.Kind.Valid()},
			rule{at + ".kind", "kind must be " + string(contract.Concurrency) + " if concurrent is set", l.Concurrent != 0 && l.Kind != "" && l.Kind != contract.Concurrency},
			rule{at + ".kind", "a limit on tokens cannot be of kind " + string(contract.Concurrency), tokens && l.Kind == contract.Concurrency},
			rule{at + ".burst", "burst must be a positive number", l.Burst < 0},
			rule{at + ".burst", "burst is allowed only if kind is token-bucket", l.Burst > 0 && l.Kind != contract.TokenBucket},
			rule{at + ".refused_count", "remove refused_count: a refused call is never in progress, so it cannot count against a limit on concurrent calls", l.RefusedCount && concurrent},
			rule{at + ".refused_count", "remove refused_count: a refused call uses no tokens, so it cannot count against a limit on tokens", l.RefusedCount && tokens},
		)
	}
	return append(rules,
		rule{"$.limits.rate.model", "choose a model that is not in models: gatecert also calls the models listed there, and these calls must succeed while the limit is used up", p.limitsAll()},
		rule{"$.limits.rate.key", "choose a key other than keys.valid: calls with keys.valid must succeed while the limit is used up", sameKey(rate.Key, p.Keys.Valid)},
	)
}
