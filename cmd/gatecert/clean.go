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

const journalName = "cleanup.ndjson"

type cleanCommand struct {
	Target string `help:"Profile of the gateway, the same as that of the run." required:"" placeholder:"FILE" type:"path"`
	From   string `help:"Output folder of the run that died. Default: ${default}." default:"reports/latest" type:"path"`
}

// Help implements kong's HelpProvider.
func (cleanCommand) Help() string {
	return `Before a run creates or changes anything on a gateway, it writes that to OUT/` + journalName + `. If the run is killed,
this command undoes whatever the run did not, and records that in the same file. It is safe to run twice.
  gatecert clean --target new-api.yaml --from reports/latest`
}

func (k cleanCommand) Run(ctx context.Context, c *console) (err error) {
	profile, err := loadProfile(k.Target)
	if err != nil {
		return err
	}
	if !prepares(profile) {
		return fmt.Errorf("%w: driver %s changes nothing on a gateway, so there is nothing to clean up", errUsage, profile.Driver)
	}
	driver := newapi.Driver{OpenStore: store.Open}
	path := filepath.Join(k.From, journalName)
	journal, err := os.ReadFile(path) //nolint:gosec // the user's own folder
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: %s has no %s: no run with this folder has changed a gateway", errUsage, k.From, journalName)
	}
	if err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	// An incomplete last line announces a change that was never made. New lines must not be appended to it.
	if err := os.Truncate(path, int64(bytes.LastIndexByte(journal, '\n')+1)); err != nil {
		return fmt.Errorf("repair the journal: %w", err)
	}
	done, err := appendJournal(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done.Close()) }()
	changes, err := driver.Clean(ctx, profile, bytes.NewReader(journal), done)
	if err != nil {
		return fmt.Errorf("clean up after %s: %w", k.From, err)
	}
	if changes == 0 {
		fmt.Fprintln(c.out, "nothing to undo")
		return nil
	}
	fmt.Fprintf(c.out, "%d changes undone\n", changes)
	return nil
}

// journalFile is a journal on disk. Each line is synced before the change that it announces is made.
type journalFile struct{ *os.File }

// Write implements io.Writer.
func (j journalFile) Write(line []byte) (int, error) {
	n, err := j.File.Write(line)
	if err != nil {
		return n, err
	}
	return n, j.Sync()
}

// Close implements io.Closer. It does nothing for a journal that was never opened.
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

// mayChange gives a configuration what a driver needs that changes a gateway: consent, and a journal in the folder. The caller
// closes the journal when the run is over.
func (c *console) mayChange(config *gatecert.Config, dir string, yes bool) (journalFile, error) {
	journal, err := openJournal(config.Target, dir)
	if err != nil {
		return journal, err
	}
	config.OpenStore = store.Open
	d, err := driverOf(config.Target)
	if err != nil {
		return journal, errors.Join(err, journal.Close())
	}
	config.Driver = d.make(c.consent(yes), journal)
	return journal, nil
}

// openJournal creates the journal of a run, where its driver needs one. It refuses to overwrite one with changes that are not
// undone yet.
func openJournal(target profile.Profile, dir string) (journalFile, error) {
	if !prepares(target) {
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
		return journalFile{}, fmt.Errorf("%w: the run in %s died and left %d changes on its gateway; undo them first: gatecert clean --target PROFILE --from %s",
			errUsage, dir, left, dir)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return journalFile{}, fmt.Errorf("remove the journal of the previous run: %w", err)
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return journalFile{}, fmt.Errorf("create the folder of the journal: %w", err)
	}
	return appendJournal(path)
}
