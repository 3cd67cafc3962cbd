package clients

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/exchange/redact"
	"github.com/gatecert/gatecert/reports/clientlog"
	"github.com/gatecert/gatecert/targets"
)

// Config selects what [Play] runs.
type Config struct {
	Session  *targets.Session
	Redactor *redact.Redactor
	Adapters []Adapter
	// Asks selects cases; nil selects all.
	Asks func(contract.Case) bool
	// Probes are the names of the probes to run. Slow also runs the probes that make a client wait for minutes.
	Probes []string
	Slow   bool
	// CallTime is the maximum duration of a client's call, including all its attempts.
	CallTime time.Duration
	// Progress, when not nil, is called after every call, one at a time.
	Progress func(done, total int)
}

// HealthyProbe is the name under which a client's ordinary calls are recorded.
const HealthyProbe = "healthy"

// playing is one call of [Play].
type playing struct {
	Config
	transport http.RoundTripper
	crews     []*crew

	mu          sync.Mutex
	log         clientlog.Log
	done, total int
}

// Play runs rows and probes with every client. The log names every client that cannot be started or whose ordinary call fails, and Play leaves it
// out. If ctx is done first, Play returns the log so far and the cause.
func Play(ctx context.Context, config Config) (log clientlog.Log, err error) {
	transport := newTransport(config.Session.Roots)
	defer transport.CloseIdleConnections()
	if config.Asks == nil {
		config.Asks = func(contract.Case) bool { return true }
	}
	s := &playing{Config: config, transport: bounded{transport, make(chan struct{}, max(1, config.Session.Profile.Concurrency))}}
	defer func() {
		for _, c := range s.crews {
			c.close()
			s.log.Clients = append(s.log.Clients, c.client)
		}
		log = s.log
	}()
	if err := s.startAll(ctx); err != nil {
		return log, err
	}
	if len(s.crews) == 0 {
		return log, fmt.Errorf("%w: %s", ErrNoClient, s.log.Clients[0].Fault)
	}
	err = s.play(ctx)
	if ctx.Err() != nil {
		s.log.Interrupted = true
		err = context.Cause(ctx)
	}
	s.sort()
	return s.log, err
}

// startAll starts the adapters, one after the other: runtimes load much at once.
func (s *playing) startAll(ctx context.Context) error {
	for _, a := range s.Adapters {
		c, err := newCrew(ctx, a, s.Redactor, s.CallTime)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			s.log.Clients = append(s.log.Clients, clientlog.Client{Name: a.Name, Fault: s.Redactor.Text(clip(err.Error(), maxMessage))})
			continue
		}
		s.crews = append(s.crews, c)
	}
	return nil
}

// play makes all calls: ordinary ones, probes and cases that disturb nobody, then the others one circumstance after the other.
func (s *playing) play(ctx context.Context) error {
	plans := make([]plan, len(s.crews))
	group, groupCtx := errgroup.WithContext(ctx)
	for i, c := range s.crews {
		group.Go(func() (err error) {
			healthy, err := s.healthy(groupCtx, c)
			if err == nil {
				plans[i] = s.planFor(c, healthy)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, p := range plans {
		s.total += len(p.probes) + len(p.together) + len(p.alone)
	}
	group, groupCtx = errgroup.WithContext(ctx)
	for i, c := range s.crews {
		group.Go(func() error { return s.together(groupCtx, c, plans[i]) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return s.alone(ctx, plans)
}

// healthy makes an ordinary call on every surface of a client, and returns those that were answered.
func (s *playing) healthy(ctx context.Context, c *crew) (surfaces []dialect.Surface, err error) {
	for _, surface := range c.client.Surfaces {
		if !slices.Contains(s.Session.Profile.Surfaces, surface) {
			s.skip(clientlog.Skip{Client: c.client.Name, Reason: fmt.Sprintf("the gateway does not offer the endpoint %s", surface)})
			continue
		}
		call := targets.HealthyCall(s.Session.Profile, surface, targets.NewToken())
		handler, err := gatewayHandler(call, false, s.transport)
		if err != nil {
			return nil, err
		}
		w := work{call: clientlog.Call{Client: c.client.Name, Surface: surface, Probe: HealthyProbe}, model: call.Model, prompt: call.Prompt, handler: handler}
		got, err := c.do(ctx, w)
		if err != nil {
			return nil, err
		}
		s.add(got)
		if got.Outcome == clientlog.Answered {
			surfaces = append(surfaces, surface)
			continue
		}
		reason := fmt.Sprintf("an ordinary call on %s failed (client: %s; message: %q)", surface, clientlog.Sentence(got), got.Message)
		s.skip(clientlog.Skip{Client: c.client.Name, Reason: clip(reason, maxMessage)})
	}
	return surfaces, nil
}

// together plays the probes and the cases of a client that disturb nobody, as many at once as the adapter can.
func (s *playing) together(ctx context.Context, c *crew, p plan) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(cap(c.slots))
	for _, k := range p.together {
		group.Go(func() error {
			err := s.Session.BringAbout(ctx, k, func(ctx context.Context, pr targets.Request) error { return s.one(ctx, c, k, pr) })
			return s.tolerate(ctx, k, err)
		})
	}
	for _, w := range p.probes {
		group.Go(func() error {
			got, err := c.do(ctx, w)
			if err == nil {
				s.add(got)
			}
			return err
		})
	}
	return group.Wait()
}

// alone plays the cases that change what others meet, one circumstance after the other. Each is brought about once for all clients
// that need the same, who then call at once.
func (s *playing) alone(ctx context.Context, plans []plan) error {
	type player struct {
		crew *crew
		k    contract.Case
		pr   targets.Request
	}
	var groups [][]player
	for i, p := range plans {
		for _, k := range p.alone {
			pr, err := s.Session.RequestOf(k)
			if err != nil {
				return err
			}
			same := slices.IndexFunc(groups, func(g []player) bool {
				return g[0].k.Circumstance == k.Circumstance &&
					reflect.DeepEqual(g[0].pr.Before, pr.Before) && reflect.DeepEqual(g[0].pr.After, pr.After)
			})
			if same < 0 {
				groups = append(groups, nil)
				same = len(groups) - 1
			}
			groups[same] = append(groups[same], player{s.crews[i], k, pr})
		}
	}
	for _, players := range groups {
		err := s.Session.BringAbout(ctx, players[0].k, func(ctx context.Context, _ targets.Request) error {
			group, ctx := errgroup.WithContext(ctx)
			for _, p := range players {
				group.Go(func() error { return s.one(ctx, p.crew, p.k, p.pr) })
			}
			return group.Wait()
		})
		if err := s.tolerate(ctx, players[0].k, err); err != nil {
			return err
		}
	}
	return nil
}

// tolerate notes that a case could not be brought about, and goes on unless ctx is done.
func (s *playing) tolerate(ctx context.Context, k contract.Case, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	s.skip(clientlog.Skip{Row: k.Row, Reason: clip(s.Redactor.Text(fmt.Sprintf("gatecert could not trigger the error of case %s: %v", k.ID(), err)), maxMessage)})
	return nil
}

// one plays one case with one client.
func (s *playing) one(ctx context.Context, c *crew, k contract.Case, pr targets.Request) error {
	call := pr.Call
	edited := len(call.Edits) > 0 || call.Path != "" || call.Method != "" || call.Fault != exchange.NoFault || call.KeyInQuery
	handler, err := gatewayHandler(call, edited, s.transport)
	if err != nil {
		return err
	}
	got, err := c.do(ctx, work{
		call:  clientlog.Call{Client: c.client.Name, Surface: k.Surface, Row: k.Row, Case: k.ID(), Edited: edited},
		model: call.Model, prompt: call.Prompt, handler: handler,
	})
	if err == nil {
		s.add(got)
	}
	return err
}

func (s *playing) add(c clientlog.Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log.Calls = append(s.log.Calls, c)
	if c.Probe == HealthyProbe {
		return
	}
	s.done++
	if s.Progress != nil {
		s.Progress(s.done, s.total)
	}
}

func (s *playing) skip(k clientlog.Skip) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log.Skipped = append(s.log.Skipped, k)
}

// bounded bounds the requests that the gateway has at once.
type bounded struct {
	http.RoundTripper
	slots chan struct{}
}

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	select {
	case b.slots <- struct{}{}:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	defer func() { <-b.slots }()
	return b.RoundTripper.RoundTrip(r)
}

// ErrNoClient is returned when no client could be started.
var ErrNoClient = errors.New("no usable client")
