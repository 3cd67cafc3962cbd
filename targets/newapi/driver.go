package newapi

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/exchange/redact"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/upstream"
)

// Driver implements [targets.Driver] for new-api and one-api, as the profile's driver field says.
type Driver struct {
	// Run names all that is made, by its last part. Default: a random name.
	Run string
	// OpenStore opens the gateway's database, for the recipes that break it. nil: they are not offered.
	OpenStore targets.OpenStore
	// Consent is asked before anything is changed. nil refuses.
	Consent func([]targets.Change) bool
	// Journal takes what is about to be made; [Driver.Clean] reads it. nil: nothing is written.
	Journal io.Writer
	// pause waits and dial connects; nil is the real one.
	pause func(context.Context, time.Duration) error
	dial  func(ctx context.Context, network, address string) (net.Conn, error)
}

var _ targets.Driver = Driver{}

func randomRun() string {
	var raw [3]byte
	_, _ = rand.Read(raw[:]) // never fails since Go 1.24
	return hex.EncodeToString(raw[:])
}

// Tag is the name that everything a run makes begins with: short, because one-api's user names have 12 bytes.
func Tag(run string) string {
	return "gc-" + run[strings.LastIndex(run, "-")+1:]
}

// takingDown bounds what a run takes to undo everything: some twenty calls, and a rate limit that asks to wait.
const takingDown = 10 * time.Minute

// Prepare implements [targets.Driver].
//
// It returns [targets.ErrConsent] when nobody agreed to the changes, [targets.ErrCredential] when the gateway does not
// accept the administrator, [targets.ErrUnfit] when it cannot be prepared as it stands. Whatever was made by then is
// taken down again.
func (d Driver) Prepare(ctx context.Context, p profile.Profile) (prepared targets.Prepared, err error) {
	admin := d.client(p)
	tag := Tag(cmp.Or(d.Run, randomRun()))
	found, err := look(ctx, admin, p, tag)
	if err == nil && (d.Consent == nil || !d.Consent(found.changes)) {
		err = refusal(p, found.changes)
	}
	if err != nil {
		return prepared, errors.Join(err, admin.leave(context.WithoutCancel(ctx)))
	}
	site := &site{
		ledger:    &ledger{admin: admin, store: targets.NewLazyStore(p.Store, d.OpenStore), journal: d.Journal},
		furniture: furniture{tag: tag, models: modelsOf(tag), providerKey: "sk-gatecert-" + strings.ToLower(rand.Text())},
	}
	if len(p.Upstream.Keys) > 0 {
		site.furniture.providerKey = p.Upstream.Keys[0]
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, site.close(context.WithoutCancel(ctx)))
		}
	}()
	provider, address, err := site.play(ctx, p)
	if err != nil {
		return prepared, err
	}
	if site.server != nil {
		p.Upstream.Listen = site.server.Addr()
	}
	if err := furnish(ctx, site.ledger, found, &site.furniture, address); err != nil {
		return prepared, err
	}
	prepared = targets.Prepared{
		Profile: site.furniture.profile(p, found, admin.product), Upstream: provider,
		Actions: site.actions(found, p), Close: site.close,
	}
	if prepared.Consult, prepared.Notes, err = site.tryOut(ctx, prepared.Profile, found); err != nil {
		return prepared, err
	}
	return prepared, nil
}

func (d Driver) client(p profile.Profile) *client {
	pause := d.pause
	if pause == nil {
		pause = sleep
	}
	return &client{
		base: strings.TrimSuffix(p.BaseURL, "/"), product: product(p.Driver), http: newHTTP(d.dial), admin: p.Admin,
		token: p.Admin.Token, redactor: redact.New(p.Secrets()...), pause: pause,
	}
}

func refusal(p profile.Profile, changes []targets.Change) error {
	var text strings.Builder
	for _, c := range changes {
		text.WriteString("\n  " + c.String())
	}
	return fmt.Errorf("%w: a run would change %s (--yes agrees):%s", targets.ErrConsent, p.BaseURL, text.String())
}

// site is a deployment while a run has its things on it.
type site struct {
	ledger    *ledger
	furniture furniture
	server    *upstream.Server
	closing   sync.Once
	closed    error
	// mu guards vanished, which is what became of the last channel that was to vanish.
	mu       sync.Mutex
	vanished error
}

// play opens the provider, or finds the one that runs already, and returns it with the URL under which the gateway
// reaches it.
func (s *site) play(ctx context.Context, p profile.Profile) (targets.Upstream, string, error) {
	if p.Upstream.Attach != "" {
		address := p.Upstream.URL
		if address == "" {
			address = p.Upstream.Attach
		}
		return upstream.Remote{URL: p.Upstream.Attach}, address, nil
	}
	if p.Upstream.URL == "" && !hosted(p.BaseURL) {
		return nil, "", fmt.Errorf("%w: upstream.url: say under which URL %s reaches upstream.listen on this machine", targets.ErrUnfit, p.BaseURL)
	}
	listen := p.Upstream.Listen
	if listen == "" {
		listen = "127.0.0.1:0"
	}
	provider := upstream.New(upstream.Options{Keys: []string{s.furniture.providerKey}, Arrived: s.arrived(ctx)})
	var err error
	if s.server, err = upstream.Listen(ctx, listen, provider); err != nil {
		return nil, "", fmt.Errorf("play the upstream at %s: %w", listen, err)
	}
	address := p.Upstream.URL
	if address == "" {
		address = s.server.URL()
	}
	return provider, address, nil
}

// arrived makes the channel vanish whose model is asked for, while the gateway waits for our answer.
func (s *site) arrived(ctx context.Context) func(contract.Attempt) {
	ctx = context.WithoutCancel(ctx)
	return func(a contract.Attempt) {
		if a.Model != s.furniture.models.vanishing {
			return
		}
		err := s.ledger.admin.switchChannel(ctx, s.furniture.channels[s.furniture.tag+"-vanishing"], channelOff)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.vanished = err
	}
}

// reappear brings the channel back, and tells when it could not be made to vanish.
func (s *site) reappear(ctx context.Context) error {
	s.mu.Lock()
	err := s.vanished
	s.mu.Unlock()
	return errors.Join(err, s.ledger.admin.switchChannel(ctx, s.furniture.channels[s.furniture.tag+"-vanishing"], channelOn))
}

// actions are what the recipes name.
func (s *site) actions(found findings, p profile.Profile) map[string]func(context.Context) error {
	type change = func(context.Context) (undoing, error)
	set := func(purpose string) (changes []change) {
		for _, to := range found.briefly[purpose] {
			changes = append(changes, func(ctx context.Context) (undoing, error) { return s.ledger.setOption(ctx, to.key, to.value) })
		}
		return changes
	}
	harm := func(f fault) []change {
		return []change{func(ctx context.Context) (undoing, error) { return s.ledger.breakStore(ctx, f) }}
	}
	product := s.ledger.admin.product
	switches := &switches{undo: map[string][]undoing{}}
	return switches.actions(map[string][]change{
		refuseUnpriced: set(refuseUnpriced),
		watchWords:     set(watchWords),
		limitRate:      set(limitRate),
		vanish:         append(set(retryOnce), func(context.Context) (undoing, error) { return s.reappear, nil }),
		loseKeys:       harm(missingTable("tokens")),
		loseReads:      harm(missingTable(readTable(product))),
		refuseWrites:   harm(refusedWrites(p.Store, s.furniture.tag+"-m")),
	})
}

// tryOut makes one healthy call: what was prepared has to work, and the books are worth asking only if they know it.
func (s *site) tryOut(ctx context.Context, p profile.Profile, found findings) (
	consult func(context.Context, *contract.Observation) error, notes []string, err error,
) {
	caller := exchange.NewClient(exchange.Limits{Patience: p.Limits.Patience}, p.Secrets()...)
	defer caller.Close()
	o, err := caller.Do(ctx, targets.HealthyCall(p, dialect.Chat, "tryout"))
	if err != nil {
		return nil, nil, fmt.Errorf("try the prepared gateway: %w", err)
	}
	if ok, detail := contract.IsSuccess(dialect.Chat, o); !ok {
		notes = append(notes, "right after the preparation a healthy chat failed: "+detail)
	}
	if s.ledger.admin.product == oneAPI || found.options["LogConsumeEnabled"] == "false" {
		return nil, append(notes, "what failed calls cost was not looked at: the gateway keeps no log by request"), nil
	}
	b := books{admin: s.ledger.admin}
	switch err := b.prove(ctx, o); {
	case errors.Is(err, errNoBooks):
		return nil, append(notes, "what failed calls cost was not looked at: "+err.Error()), nil
	case err != nil:
		return nil, notes, err
	}
	return b.consult, notes, nil
}

// close takes everything down. It does so once, whatever happens in between.
func (s *site) close(ctx context.Context) error {
	s.closing.Do(func() {
		ctx, cancel := context.WithTimeout(ctx, takingDown)
		defer cancel()
		errs := []error{s.ledger.undoAll(ctx), s.ledger.admin.leave(ctx), s.ledger.store.Close()}
		if s.server != nil {
			errs = append(errs, s.server.Close())
		}
		for _, note := range s.ledger.notes {
			errs = append(errs, errors.New(note))
		}
		s.closed = errors.Join(errs...)
	})
	return s.closed
}
