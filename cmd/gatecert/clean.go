package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/targets/newapi"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/store"
)

// journalName is the journal's file in a run folder.
const journalName = "cleanup.ndjson"

type cleanCommand struct {
	Target string `help:"Profile of the gateway, as the run had it." required:"" placeholder:"FILE" type:"path"`
	From   string `help:"Folder of the run that died. Default: ${default}." default:"reports/latest" type:"path"`
}

// Help implements kong's HelpProvider.
func (cleanCommand) Help() string {
	return `A run writes to OUT/` + journalName + ` what it is about to make or change on a gateway, and what it has undone. A run that
was killed leaves the rest to this command, which undoes it and says so there. Running it twice does no harm.
  gatecert clean --target new-api.yaml --from reports/latest`
}

func (k cleanCommand) Run(ctx context.Context, c *console) (err error) {
	profile, err := profile.Load(k.Target, os.LookupEnv)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("%w: %w", errUsage, err)
		}
		return err
	}
	if !profile.Prepares() {
		return fmt.Errorf("%w: a run against driver %s leaves nothing behind", errUsage, profile.Driver)
	}
	driver := newapi.Driver{OpenStore: store.Open}
	path := filepath.Join(k.From, journalName)
	journal, err := os.ReadFile(path) //nolint:gosec // the user's own folder
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: %s has no %s: no run there has changed a gateway", errUsage, k.From, journalName)
	}
	if err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	// A line that was cut announced what never happened; what follows needs a line of its own.
	if err := os.Truncate(path, int64(bytes.LastIndexByte(journal, '\n')+1)); err != nil {
		return fmt.Errorf("mend the journal: %w", err)
	}
	done, err := appendJournal(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done.Close()) }()
	things, err := driver.Clean(ctx, profile, bytes.NewReader(journal), done)
	if err != nil {
		return fmt.Errorf("clean up after %s: %w", k.From, err)
	}
	if things == 0 {
		fmt.Fprintln(c.out, "nothing is left of that run")
		return nil
	}
	fmt.Fprintf(c.out, "undone: %d things that the run had left\n", things)
	return nil
}

// journalFile is a journal on disk. A line is there before what it announces happens, whatever becomes of the machine.
type journalFile struct{ *os.File }

// Write implements io.Writer.
func (j journalFile) Write(line []byte) (int, error) {
	n, err := j.File.Write(line)
	if err != nil {
		return n, err
	}
	return n, j.Sync()
}

// Close implements io.Closer; a journal that was never opened closes too.
func (j journalFile) Close() error {
	if j.File == nil {
		return nil
	}
	return j.File.Close()
}

func appendJournal(path string) (journalFile, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600) //nolint:gosec // the user's own folder
	if err != nil {
		return journalFile{}, fmt.Errorf("open the journal: %w", err)
	}
	return journalFile{file}, nil
}

// mayChange gives a configuration what a driver needs that changes a gateway: somebody's consent, and a journal in the
// folder. The journal is closed by the caller, when the gateway is as it was before.
func (c *console) mayChange(config *gatecert.Config, dir string, yes bool) (journalFile, error) {
	journal, err := openJournal(config.Target, dir)
	if err != nil {
		return journal, err
	}
	config.OpenStore = store.Open
	if config.Driver, err = driverFor(config.Target, c.consent(yes), journal); err != nil {
		return journal, errors.Join(err, journal.Close())
	}
	return journal, nil
}

// openJournal begins the journal of a run, where its driver needs one. It refuses to write over one that still says
// what has to be undone.
func openJournal(target profile.Profile, dir string) (journalFile, error) {
	if !target.Prepares() {
		return journalFile{}, nil
	}
	path := filepath.Join(dir, journalName)
	left := 0
	if before, err := os.ReadFile(path); err == nil { //nolint:gosec // the user's own folder
		if left, err = newapi.Outstanding(bytes.NewReader(before)); err != nil {
			return journalFile{}, err
		}
	}
	if left > 0 {
		return journalFile{}, fmt.Errorf("%w: the run in %s died and left %d things on its gateway: gatecert clean --target PROFILE --from %s",
			errUsage, dir, left, dir)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return journalFile{}, fmt.Errorf("remove the journal of the run before: %w", err)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return journalFile{}, fmt.Errorf("make the folder for the journal: %w", err)
	}
	return appendJournal(path)
}
