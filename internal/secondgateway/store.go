package secondgateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// accounts is the file accounts.json. It is read for every call, so that a change counts at once.
type accounts struct {
	Owners   map[string]owner   `json:"owners"`
	Keys     map[string]*apiKey `json:"keys"`
	Models   map[string]model   `json:"models"`
	Channels map[string]channel `json:"channels"`
	// Words are rejected in any input.
	Words []string `json:"words"`
}

type owner struct {
	// Quota is in tokens.
	Quota int64 `json:"quota"`
}

type apiKey struct {
	Owner   string `json:"owner"`
	Revoked bool   `json:"revoked,omitempty"`
	// Models are the models that the key may use; "*" means all.
	Models []string `json:"models"`
	// Networks are the networks from which the key may be used. An empty list means everywhere.
	Networks []netip.Prefix `json:"networks,omitempty"`
	// Budget is in tokens. 0 means that the key has no budget of its own.
	Budget int64 `json:"budget,omitempty"`
	Rate   *rate `json:"rate,omitempty"`

	secret string
}

type rate struct {
	Requests int   `json:"requests"`
	WindowMS int64 `json:"window_ms"`
}

type model struct {
	Channel string  `json:"channel"`
	Price   float64 `json:"price"` // of a token
}

// channel is a way to an upstream.
type channel struct {
	Type string       `json:"type"` // openai or anthropic
	URL  string       `json:"url"`
	Keys []channelKey `json:"keys"`
	// Mapping renames models step by step, until a name has no further mapping.
	Mapping map[string]string `json:"mapping,omitempty"`
}

type channelKey struct {
	Key string `json:"key"`
	Off bool   `json:"off,omitempty"`
}

func (k *apiKey) mayUse(model string) bool {
	return slices.Contains(k.Models, "*") || slices.Contains(k.Models, model)
}

func (k *apiKey) mayComeFrom(host string) bool {
	address, err := netip.ParseAddr(host)
	return len(k.Networks) == 0 || err == nil && slices.ContainsFunc(k.Networks, func(p netip.Prefix) bool { return p.Contains(address.Unmap()) })
}

func (a accounts) wordIn(text string) bool {
	return slices.ContainsFunc(a.Words, func(w string) bool { return strings.Contains(strings.ToLower(text), w) })
}

// key is the first key that is switched on, "" for none.
func (c channel) key() string {
	for _, k := range c.Keys {
		if !k.Off {
			return k.Key
		}
	}
	return ""
}

// mapped follows the mapping to the name that the upstream knows.
func (c channel) mapped(name string) (string, *Failure) {
	seen := map[string]bool{}
	for c.Mapping[name] != "" {
		if seen[name] {
			return name, fail(508, "channel:model_mapped_error", "The mapping of this model is circular. Contact the gateway's operator.")
		}
		seen[name] = true
		name = c.Mapping[name]
	}
	return name, nil
}

// store is the folder with the accounts and the ledger. What was spent is also kept in memory.
type store struct {
	dir string

	mu       sync.Mutex
	byOwner  map[string]int64
	byKey    map[string]int64
	admitted map[string][]time.Time
}

var (
	errAccountSpent = errors.New("the account has no quota left")
	errKeySpent     = errors.New("the key's budget is too small")
)

// openStore reads the ledger: a line a booking, with owner, key and tokens.
func openStore(dir string) (*store, error) {
	s := &store{dir: dir, byOwner: map[string]int64{}, byKey: map[string]int64{}, admitted: map[string][]time.Time{}}
	raw, err := os.ReadFile(s.ledger())
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(raw)) {
		var r reservation
		if _, err := fmt.Sscan(line, &r.owner, &r.key, &r.tokens); err != nil {
			return nil, fmt.Errorf("%s: %q: %w", s.ledger(), line, err)
		}
		s.add(r, int64(r.tokens))
	}
	return s, nil
}

func (s *store) ledger() string { return filepath.Join(s.dir, "ledger.log") }

func (s *store) read() (accounts, error) {
	var a accounts
	raw, err := os.ReadFile(filepath.Join(s.dir, "accounts.json"))
	if err != nil {
		return a, err
	}
	return a, json.Unmarshal(raw, &a)
}

// reservation is what a call may cost.
type reservation struct {
	owner, key string
	tokens     int
}

// reserve books a reservation. It returns [errAccountSpent], [errKeySpent], or the error of writing it down.
func (s *store) reserve(r reservation, quota, budget int64) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch tokens := int64(r.tokens); {
	case s.byOwner[r.owner]+tokens > quota:
		return errAccountSpent
	case budget > 0 && s.byKey[r.key]+tokens > budget:
		return errKeySpent
	}
	if err := s.write(r, r.tokens); err != nil {
		return err
	}
	s.add(r, int64(r.tokens))
	return nil
}

// settle replaces a reservation with what the call has cost. If the ledger cannot be written by now, the caller
// gets what he has paid for all the same.
func (s *store) settle(r reservation, tokens int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.add(r, int64(tokens-r.tokens))
	_ = s.write(r, tokens-r.tokens)
}

func (s *store) add(r reservation, tokens int64) {
	s.byOwner[r.owner] += tokens
	s.byKey[r.key] += tokens
}

func (s *store) spentBy(owner string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byOwner[owner]
}

// write appends a line to the ledger, which has to exist.
func (s *store) write(r reservation, tokens int) error {
	file, err := os.OpenFile(s.ledger(), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(file, "%s %s %d\n", r.owner, r.key, tokens)
	return errors.Join(err, file.Close())
}

// admit counts a call against the limit of its key: so many in any window. It returns how long the caller has to wait, 0
// for a call that is admitted.
func (s *store) admit(key string, limit rate) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, window := time.Now(), time.Duration(limit.WindowMS)*time.Millisecond
	calls := slices.DeleteFunc(s.admitted[key], func(at time.Time) bool { return now.Sub(at) >= window })
	s.admitted[key] = calls
	if len(calls) >= limit.Requests {
		return calls[len(calls)-limit.Requests].Add(window).Sub(now)
	}
	s.admitted[key] = append(calls, now)
	return 0
}
