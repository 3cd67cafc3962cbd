package targets

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/targets/profile"
)

// Session is a prepared gateway, together with what a run keeps open to create and observe cases on it. Its methods are safe for concurrent use.
type Session struct {
	Profile profile.Profile
	// Roots are the authorities that sign the gateway's certificate. nil means the authorities of the system.
	Roots        *x509.CertPool
	upstream     Upstream
	client       *exchange.Client
	store        *LazyStore
	actions      map[string]func(context.Context) error
	shell        Shell
	readUsageLog func(context.Context, *contract.Observation) error
	// serviceTimes holds, by surface, how long its last healthy call took, as a [time.Duration].
	serviceTimes sync.Map
	health       health
	// overdue counts calls that took too long; persist goes on all the same.
	overdue overdue
	persist bool
	// relays holds, by case, the place of the relay model that it was sent with last.
	relays sync.Map
	// unknown are the keys that the gateway answers like one that was never issued, as [Session.CheckPreparedKeys] found.
	unknown  map[string]bool
	recorded recordedCalls
	// lastBalance is what a case left on the balance of its key.
	lastBalance lastBalance
	// newer holds, by surface, whether the gateway serves calls of the format's newer API version.
	newer sync.Map
}

// Host is what a session may use on this machine. The zero value provides a shell and no database.
type Host struct {
	// OpenStore opens the database that a profile names. The driver's own OpenStore (see [Prepared]) takes precedence.
	OpenStore OpenStore
	// Shell runs the shell commands of recipes. nil means [SystemShell].
	Shell Shell
	// Persist runs every case of a surface, regardless of how many calls on the surface took longer than the patience.
	Persist bool
}

// NewSession returns a session on a prepared gateway. Close ends the session, but does not undo the driver's preparation; see [Prepared].
func NewSession(p Prepared, host Host) *Session {
	limits := exchange.Limits{Patience: p.Profile.Limits.Patience, Total: 2 * p.Profile.Limits.Patience, Idle: p.Profile.Limits.Patience}
	if p.OpenStore != nil {
		host.OpenStore = p.OpenStore
	}
	if host.Shell == nil {
		host.Shell = SystemShell
	}
	searched, _ := p.Profile.SearchedSecrets()
	s := &Session{
		Profile:      p.Profile,
		Roots:        p.Roots,
		upstream:     p.Upstream,
		client:       exchange.NewClient(limits, p.Roots, searched...),
		store:        NewLazyStore(p.Profile.Store, host.OpenStore),
		actions:      p.Actions,
		shell:        host.Shell,
		readUsageLog: p.ReadUsageLog,
		persist:      host.Persist,
	}
	if valid := p.Profile.Limits.Valid; valid.Requests > 0 && valid.Window > 0 {
		s.health.slowDown(valid.Window / time.Duration(valid.Requests))
	}
	return s
}

// Close closes the connections and the database.
func (s *Session) Close() error {
	s.client.Close()
	return s.store.Close()
}

// tokenBytes is the length of a token before it is written in hex: 48 bits stay unique in any number of runs against one
// upstream.
const tokenBytes = 6

// NewToken returns a token for a call that this package does not make.
func NewToken() string { return newToken() }

func newToken() string {
	var raw [tokenBytes]byte
	_, _ = rand.Read(raw[:]) // never fails since Go 1.24
	return hex.EncodeToString(raw[:])
}

// Offers returns nil if the target offers what a case needs. Otherwise, the error states what is missing.
func (s *Session) Offers(c contract.Case) error {
	_, err := RequestFor(s.Profile, c, "plan")
	return err
}

// Exclusive reports whether a case must run alone because it changes the gateway for a while.
func (s *Session) Exclusive(c contract.Case) bool {
	pr, err := RequestFor(s.Profile, c, "plan")
	return err == nil && pr.Exclusive()
}

// Observe creates the circumstance of a case once and returns the observation.
//
// It returns [profile.ErrNotOffered] if the profile lacks what the case needs, and other errors if the harness itself fails: for example, because an
// action fails or the upstream's record cannot be read.
func (s *Session) Observe(ctx context.Context, c contract.Case) (o contract.Observation, err error) {
	if err := s.patient(c); err != nil {
		return o, err
	}
	token := newToken()
	pr, err := s.request(c, token)
	if err != nil {
		return o, err
	}
	err = s.between(ctx, pr, func() (err error) {
		o, err = s.observe(ctx, c, token, pr)
		return err
	})
	return o, err
}

// observe makes the call of a case and looks at what came of it.
func (s *Session) observe(ctx context.Context, c contract.Case, token string, pr Request) (o contract.Observation, err error) {
	if err := s.health.awaitTurn(ctx); err != nil {
		return o, err
	}
	billed := s.ReadsBalance(c)
	var before float64
	if billed {
		if before, err = s.balanceBefore(ctx, pr.Call.Key); err != nil {
			return o, err
		}
	}
	if o, token, err = s.send(ctx, c, token, pr); err != nil {
		return o, err
	}
	s.overdue.count(c, o.Timing.End >= s.Profile.Limits.Patience && s.Profile.Limits.Patience > 0)
	o.Declared = s.declared(c, pr.Call.Key)
	if s.upstream != nil {
		if err := s.awaitUpstream(ctx, c, token, &o); err != nil {
			return o, err
		}
	}
	if s.readUsageLog != nil && c.Reach() == contract.ReachMust {
		if err := s.readUsageLog(ctx, &o); err != nil {
			return o, fmt.Errorf("read the gateway's log: %w", err)
		}
	}
	if billed {
		after, err := s.settledBalance(ctx, pr.Call.Key, before)
		if err != nil {
			return o, err
		}
		s.lastBalance.keep(pr.Call.Key, after, s.client.Calls())
		o.Balance = &contract.Balance{Before: before, After: after}
	}
	return o, nil
}

// declared returns what the profile declares that the answer of a case is judged by, nil for nothing.
func (s *Session) declared(c contract.Case, key string) *contract.Declared {
	limits := s.Profile.Limits
	d := contract.Declared{Codes: s.Profile.Claims.Declared().Codes, Means: means(s.Profile, c), UnknownKey: s.unknown[key]}
	switch {
	case c.Circumstance == contract.SlowUpstream && limits.Timeout > 0:
		took, _ := s.serviceTimes.Load(c.Surface)
		d.ServiceTime, _ = took.(time.Duration)
		d.TimeLimit, d.Attempts = limits.Timeout, limits.Attempts
	case c.Circumstance == contract.OverRateLimit && limits.Rate.LongestWindow() > 0:
		d.Window = limits.Rate.LongestWindow()
	}
	if d == (contract.Declared{}) {
		return nil
	}
	return &d
}

// send makes the call; a repeated one until it is refused, each time under a token of its own, so that what the
// upstream saw belongs to the judged call alone. It returns the token of that call.
func (s *Session) send(ctx context.Context, c contract.Case, token string, pr Request) (contract.Observation, string, error) {
	if s.onKeptConnection(c, pr) {
		first, err := s.request(c, newToken())
		if err != nil {
			return contract.Observation{}, token, err
		}
		pr.Call.First = &first.Call
	}
	for sent := 1; ; sent++ {
		o, err := s.client.Do(ctx, pr.Call)
		if err != nil || sent >= pr.Repeat || o.Status == http.StatusTooManyRequests || o.Failure != nil {
			return o, token, err
		}
		token = newToken()
		if pr, err = s.request(c, token); err != nil {
			return o, token, err
		}
	}
}

// cancelGrace is how long a gateway gets to cancel an upstream call after it has answered. It is not a limit of the
// contract: generous, because a busy machine may take its time to notice a closed connection.
const cancelGrace = 3 * time.Second

func (s *Session) awaitUpstream(ctx context.Context, c contract.Case, token string, o *contract.Observation) error {
	ctx, cancel := context.WithTimeout(ctx, cancelGrace)
	defer cancel()
	seen, err := s.upstream.Seen(ctx, token)
	if err != nil {
		return fmt.Errorf("read the mock upstream's record: %w", err)
	}
	seen.Bound = s.Profile.Limits.Attempts
	o.Upstream = &seen
	s.recorded.add(c, token, seen)
	return nil
}

// Control makes a control call on a surface. The healthy call must succeed, and the nonsense call must be answered with an error.
func (s *Session) Control(ctx context.Context, surface dialect.Surface, kind ControlKind) (o contract.Observation, ok bool, detail string, err error) {
	call := HealthyCall
	if kind == ControlNonsense {
		call = NonsenseCall
	}
	return s.control(ctx, surface, kind, call(s.Profile, surface, newToken()))
}

func (s *Session) control(
	ctx context.Context, surface dialect.Surface, kind ControlKind, call exchange.Call,
) (o contract.Observation, ok bool, detail string, err error) {
	if o, err = s.paced(ctx, call); err != nil {
		return o, false, "", err
	}
	switch ok, detail = contract.IsSuccess(surface, o); {
	case kind != ControlNonsense:
		if ok {
			s.serviceTimes.Store(surface, o.Timing.End)
		} else {
			s.remember(surface, o)
		}
		return o, ok, detail, nil
	case ok:
		return o, false, "a call with a model that does not exist returned a normal response", nil
	case o.Failure != nil:
		return o, false, fmt.Sprintf("no response (%s: %s)", o.Failure.Kind, o.Failure.Detail), nil
	default:
		return o, true, "", nil
	}
}

// paced makes a control call when it is its turn.
func (s *Session) paced(ctx context.Context, call exchange.Call) (o contract.Observation, err error) {
	if err := s.health.awaitTurn(ctx); err != nil {
		return o, err
	}
	if o, err = s.client.Do(ctx, call); err != nil {
		return o, fmt.Errorf("control: %w", err)
	}
	return o, nil
}

// ControlKind states which of the two control calls is made.
type ControlKind string

// The two control calls.
const (
	ControlHealthy  ControlKind = "healthy"
	ControlNonsense ControlKind = "nonsense"
)
