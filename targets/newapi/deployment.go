package newapi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/upstream"
)

// deployment is a gateway while a run is prepared on it.
type deployment struct {
	undoLog  *undoLog
	fixtures fixtures
	server   *upstream.Server // nil where the mock upstream runs elsewhere
	closing  sync.Once
	closeErr error
	// mu guards vanishErr, the error of the last call that disabled the vanishing channel.
	mu        sync.Mutex
	vanishErr error
}

// cleanupTimeout bounds the undoing of a whole run: about twenty calls, and a rate limit that asks to wait.
const cleanupTimeout = 10 * time.Minute

// startUpstream starts the mock upstream, or finds the one that runs already. It returns it with the URL at which the
// gateway reaches it.
func (d *deployment) startUpstream(ctx context.Context, p profile.Profile) (targets.Upstream, string, error) {
	if p.Upstream.Attach != "" {
		return upstream.Remote{URL: p.Upstream.Attach, Token: p.Upstream.Token}, cmp.Or(p.Upstream.URL, p.Upstream.Attach), nil
	}
	if p.Upstream.URL == "" && !onThisMachine(p.BaseURL) {
		return nil, "", fmt.Errorf("%w: upstream.url is missing: set it to the URL at which %s can reach the mock upstream on this machine (upstream.listen)",
			targets.ErrCannotPrepare, p.BaseURL)
	}
	listen := cmp.Or(p.Upstream.Listen, "127.0.0.1:0")
	mock := upstream.New(upstream.Options{Keys: []string{d.fixtures.upstreamKey}, OnArrival: d.vanishOnArrival(ctx)})
	var err error
	if d.server, err = upstream.Listen(ctx, listen, mock); err != nil {
		return nil, "", fmt.Errorf("start the mock upstream at %s: %w", listen, err)
	}
	return mock, cmp.Or(p.Upstream.URL, d.server.URL()), nil
}

// onThisMachine reports whether a URL leads to this machine only.
func onThisMachine(rawURL string) bool {
	u, err := url.Parse(rawURL)
	if err != nil {
		return false
	}
	address, err := netip.ParseAddr(u.Hostname())
	return err == nil && address.IsLoopback() || strings.EqualFold(u.Hostname(), "localhost")
}

// vanishOnArrival disables the vanishing channel when its model is asked for, while the gateway waits for the upstream.
func (d *deployment) vanishOnArrival(ctx context.Context) func(contract.Attempt) {
	ctx = context.WithoutCancel(ctx)
	return func(a contract.Attempt) {
		if a.Model != d.fixtures.model(vanishingModel) {
			return
		}
		err := d.undoLog.admin.setChannelStatus(ctx, d.fixtures.channelID(vanishingChannel), channelDisabled)
		d.mu.Lock()
		defer d.mu.Unlock()
		d.vanishErr = err
	}
}

// reappear enables the vanishing channel again. It also returns the error of the call that disabled it.
func (d *deployment) reappear(ctx context.Context) error {
	d.mu.Lock()
	err := d.vanishErr
	d.mu.Unlock()
	return errors.Join(err, d.undoLog.admin.setChannelStatus(ctx, d.fixtures.channelID(vanishingChannel), channelEnabled))
}

func (d *deployment) actions(found inspection, p profile.Profile) map[string]func(context.Context) error {
	setOptions := func(purpose string) (changes []change) {
		for _, s := range found.perPurpose[purpose] {
			changes = append(changes, func(ctx context.Context) (undoFunc, error) { return d.undoLog.setOption(ctx, s.key, s.value) })
		}
		return changes
	}
	breakStore := func(f storeFault) []change {
		return []change{func(ctx context.Context) (undoFunc, error) { return d.undoLog.breakStore(ctx, f) }}
	}
	actions := &caseActions{undo: map[string][]undoFunc{}}
	return actions.byName(map[string][]change{
		refuseUnpriced: setOptions(refuseUnpriced),
		checkWords:     setOptions(checkWords),
		limitRate:      setOptions(limitRate),
		vanish:         append(setOptions(retryOnce), func(context.Context) (undoFunc, error) { return d.reappear, nil }),
		loseKeys:       breakStore(missingTable("tokens")),
		loseReads:      breakStore(missingTable(d.undoLog.admin.product.readTable())),
		refuseWrites:   breakStore(refusedWrites(p.Store, d.fixtures.name(mainUser))),
	})
}

// verify makes one healthy call: what was prepared must work, and the usage log counts only if it has the call. It returns
// the function that reads the log, nil where that is not possible, and notes for the run.
func (d *deployment) verify(ctx context.Context, p profile.Profile, found inspection) (
	read func(context.Context, *contract.Observation) error, notes []string, err error,
) {
	client := exchange.NewClient(exchange.Limits{Patience: p.Limits.Patience}, nil, p.Secrets()...)
	defer client.Close()
	o, err := client.Do(ctx, targets.HealthyCall(p, dialect.Chat, "tryout"))
	if err != nil {
		return nil, nil, fmt.Errorf("call the prepared gateway: %w", err)
	}
	if ok, detail := contract.IsSuccess(dialect.Chat, o); !ok {
		notes = append(notes, "a healthy chat call failed right after gatecert prepared the gateway: "+detail)
	}
	const noCosts = "gatecert did not check whether failed calls were charged: "
	if d.undoLog.admin.product == oneAPI || found.options["LogConsumeEnabled"] == "false" {
		return nil, append(notes, noCosts+"the gateway has no log of charges that can be searched by request id (one-api has none; new-api has none if LogConsumeEnabled is false)"), nil
	}
	log := usageLog{admin: d.undoLog.admin}
	switch err := log.verify(ctx, o); {
	case errors.Is(err, errNoUsageLog):
		return nil, append(notes, noCosts+err.Error()), nil
	case err != nil:
		return nil, notes, err
	}
	return log.read, notes, nil
}

// close undoes everything, once.
func (d *deployment) close(ctx context.Context) error {
	d.closing.Do(func() {
		ctx, cancel := context.WithTimeout(ctx, cleanupTimeout)
		defer cancel()
		errs := []error{d.undoLog.close(ctx)}
		if d.server != nil {
			errs = append(errs, d.server.Close())
		}
		d.closeErr = errors.Join(errs...)
	})
	return d.closeErr
}
