package newapi

import (
	"context"
	"io"

	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// Clean undoes the changes of a run that died, as its journal lists them. For each one it writes a line to done, in the
// form of the journal. It returns how many changes were open. After an error it can be called again for the rest.
//
// It returns [ErrJournal] when the journal cannot be read, and [targets.ErrCredential] when the gateway does not accept
// the profile's administrator.
func (d Driver) Clean(ctx context.Context, p profile.Profile, journal io.Reader, done io.Writer) (int, error) {
	open, err := openEntries(journal)
	if err != nil || len(open) == 0 {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, cleanupTimeout)
	defer cancel()
	log := &undoLog{admin: d.client(p), store: targets.NewLazyStore(p.Store, d.OpenStore), journal: done, open: open}
	return len(open), log.close(ctx)
}
