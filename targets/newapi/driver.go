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
	"time"

	"github.com/gatecert/gatecert/exchange/redact"
	"github.com/gatecert/gatecert/internal/wait"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// Driver implements [targets.Driver] for new-api and one-api. The driver field of the profile selects one of them.
type Driver struct {
	// Run is the id of the run. The name of every object that the driver creates contains the last part of this id. Default: random.
	Run string
	// OpenStore opens the gateway's database for the recipes that break it. If it is nil, the cases with these recipes are not offered.
	OpenStore targets.OpenStore
	// Consent is called before anything is changed. If it is nil, the driver changes nothing.
	Consent func([]targets.Change) bool
	// Journal receives an entry before each change. [Driver.Clean] reads the journal. If Journal is nil, there is no journal.
	Journal io.Writer
	// wait and dial are replaced by tests.
	wait func(context.Context, time.Duration) error
	dial func(ctx context.Context, network, address string) (net.Conn, error)
}

var _ targets.Driver = Driver{}

// Tag returns the prefix of the names of all objects that a run creates: "gc-" and the last part of the run's id. The prefix is short because one-api
// limits user names to 12 bytes.
func Tag(run string) string {
	return "gc-" + run[strings.LastIndex(run, "-")+1:]
}

func randomRun() string {
	var raw [3]byte
	_, _ = rand.Read(raw[:]) // never fails since Go 1.24
	return hex.EncodeToString(raw[:])
}

// Prepare implements [targets.Driver].
//
// It returns [targets.ErrConsent] if the user did not consent to the changes, [targets.ErrCredential] if the gateway does not accept the
// administrator's credential, and [targets.ErrCannotPrepare] if the deployment lacks something. If an error occurs, everything that was created
// before it is removed.
func (d Driver) Prepare(ctx context.Context, p profile.Profile) (prepared targets.Prepared, err error) {
	admin := d.client(p)
	tag := Tag(cmp.Or(d.Run, randomRun()))
	found, err := inspect(ctx, admin, p, tag)
	if err == nil && (d.Consent == nil || !d.Consent(found.changes)) {
		err = consentError(p, found.changes)
	}
	if err != nil {
		return prepared, errors.Join(err, admin.signOut(context.WithoutCancel(ctx)))
	}
	dep := &deployment{
		undoLog:  &undoLog{admin: admin, store: targets.NewLazyStore(p.Store, d.OpenStore), journal: d.Journal},
		fixtures: fixtures{tag: tag, upstreamKey: "sk-gatecert-" + strings.ToLower(rand.Text())},
	}
	if len(p.Upstream.Keys) > 0 {
		dep.fixtures.upstreamKey = p.Upstream.Keys[0]
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, dep.close(context.WithoutCancel(ctx)))
		}
	}()
	mock, address, err := dep.startUpstream(ctx, p)
	if err != nil {
		return prepared, err
	}
	if dep.server != nil {
		p.Upstream.Listen = dep.server.Addr()
	}
	if err := provision(ctx, dep.undoLog, found, &dep.fixtures, address); err != nil {
		return prepared, err
	}
	prepared = targets.Prepared{
		Profile: dep.fixtures.profile(p, found, admin.product), Upstream: mock,
		Actions: dep.actions(found, p), Close: dep.close,
	}
	if prepared.ReadUsageLog, prepared.Notes, err = dep.verify(ctx, prepared.Profile, found); err != nil {
		return prepared, err
	}
	return prepared, nil
}

func (d Driver) client(p profile.Profile) *client {
	a := &api{
		base: strings.TrimSuffix(p.BaseURL, "/"), product: product(p.Driver), http: newHTTPClient(d.dial),
		redactor: redact.New(p.Secrets()...), wait: d.wait,
	}
	if a.wait == nil {
		a.wait = wait.For
	}
	return &client{api: a, admin: p.Admin, session: session{token: p.Admin.Token}}
}

func consentError(p profile.Profile, changes []targets.Change) error {
	var list strings.Builder
	for _, c := range changes {
		list.WriteString("\n  " + c.String())
	}
	return fmt.Errorf("%w: this run would make the following changes to %s (to approve the changes, use --yes):%s", targets.ErrConsent, p.BaseURL, list.String())
}
