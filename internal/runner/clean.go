package runner

import (
	"context"
	"fmt"
	"io"

	"github.com/gatecert/gatecert/targets/newapi"
	"github.com/gatecert/gatecert/targets/profile"
)

// ErrJournal is returned when a run's journal cannot be read.
var ErrJournal = newapi.ErrJournal

// Clean undoes what a run that died has left on a gateway that its driver had prepared, as [Config.Journal] tells. What is
// undone is written to done, in the journal's own form: append it there. It returns how many things there were to undo.
//
// It returns [ErrUsage] when the target has no driver that prepares gateways, [ErrJournal] when the journal cannot be
// read, and the gateway's objections joined: what could not be undone is still in the journal.
func Clean(ctx context.Context, target profile.Profile, journal io.Reader, done io.Writer) (int, error) {
	if !target.Prepares() {
		return 0, fmt.Errorf("%w: a run against driver %s leaves nothing behind", ErrUsage, target.Driver)
	}
	return newapi.Clean(ctx, target, journal, done)
}

// Outstanding counts what a journal has that is not undone. It returns [ErrJournal] when the journal cannot be read.
func Outstanding(journal io.Reader) (int, error) { return newapi.Outstanding(journal) }
