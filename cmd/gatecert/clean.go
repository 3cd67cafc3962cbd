package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/internal/folderlock"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/targets/newapi"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/store"
)

const journalName = "cleanup.ndjson"

type cleanCommand struct {
	Target string `help:"Profile that the run used." required:"" placeholder:"FILE" type:"path"`
	From   string `help:"Folder of the killed run. Default: the run in reports/ that left changes on a gateway." placeholder:"DIR" type:"path"`
}

// Help implements kong's HelpProvider.
func (cleanCommand) Help() string {
	return `Before a run creates or changes anything on a gateway, it records the change in ` + journalName + ` in the run's folder. If the run
is killed, gatecert clean undoes the remaining changes and records this in the same file. Running gatecert clean twice is safe.
  gatecert clean --target new-api.yaml
  gatecert clean --target new-api.yaml --from my-run`
}

func (k cleanCommand) Run(ctx context.Context, c *console) (err error) {
	profile, err := loadProfile(k.Target)
	if err != nil {
		return err
	}
	c.hide(profile)
	if !prepares(profile) {
		return fmt.Errorf("%w: --target: the driver %s does not change the gateway, so there is nothing to undo", errUsage, profile.Driver)
	}
	if err := k.findFolder(); err != nil {
		return err
	}
	driver := newapi.Driver{OpenStore: store.Open}
	path := filepath.Join(k.From, journalName)
	journal, err := os.ReadFile(path) //nolint:gosec // the user's own folder
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: %s contains no %s, so the run in this folder did not change the gateway: use --from to name the folder of another run", errUsage, k.From, journalName)
	}
	if err != nil {
		return fmt.Errorf("read the cleanup journal: %w", err)
	}
	lock, err := folderlock.Take(k.From) // a run that still goes on undoes its changes itself
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	// An incomplete last line announces a change that was never made. New lines must not be appended to it.
	if err := os.Truncate(path, int64(bytes.LastIndexByte(journal, '\n')+1)); err != nil {
		return fmt.Errorf("repair the cleanup journal: %w", err)
	}
	done, err := appendJournal(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done.Close()) }()
	changes, err := driver.Clean(ctx, profile, bytes.NewReader(journal), done)
	if err != nil {
		return fmt.Errorf("clean up after the run in %s: %w", k.From, err)
	}
	if changes == 0 {
		fmt.Fprintln(c.out, "nothing to undo")
		return nil
	}
	fmt.Fprintf(c.out, "%s undone\n", plain.Count(changes, "change"))
	return nil
}

// findFolder finds the folder of the run that died, where none is named.
func (k *cleanCommand) findFolder() error {
	if k.From != "" {
		return nil
	}
	switch dirs := unfinished(); len(dirs) {
	case 0:
		k.From = filepath.Join(reportsFolder, string(latestRun))
	case 1:
		k.From = dirs[0]
	default:
		return fmt.Errorf("%w: several runs left changes on a gateway: use --from to choose one of the folders %s", errUsage, strings.Join(dirs, ", "))
	}
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
		return journalFile{}, fmt.Errorf("open the cleanup journal: %w", err)
	}
	return journalFile{file}, nil
}

// mayChange gives a configuration what a driver needs that changes a gateway: consent, and a journal, which is to be opened
// before the run and closed after it.
func (c *console) mayChange(config *gatecert.Config, yes bool) (*journalFile, error) {
	c.hide(config.Target)
	journal := new(journalFile)
	config.OpenStore = store.Open
	d, err := driverOf(config.Target)
	if err != nil {
		return journal, err
	}
	config.Driver = d.make(c.consent(yes), journal)
	return journal, nil
}

// open creates the journal of a run, where its driver needs one. It refuses to overwrite one with changes that are not
// undone yet, and a folder of its own while another of these has such a journal.
func (j *journalFile) open(target profile.Profile, out *output) error {
	if !prepares(target) {
		return nil
	}
	earlier := []string{out.dir}
	if out.own {
		earlier = unfinished()
	}
	for _, dir := range earlier {
		left, err := outstanding(dir)
		if err != nil {
			return err
		}
		if left > 0 {
			return fmt.Errorf("%w: the run in %s was killed and left %s on its gateway: to clean up first, run gatecert clean --target PROFILE --from %s",
				errUsage, dir, plain.Count(left, "change"), dir)
		}
	}
	path := filepath.Join(out.dir, journalName)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove the previous run's cleanup journal: %w", err)
	}
	var err error
	*j, err = appendJournal(path)
	return err
}

// preparation is what a command holds that prepares a gateway and writes no log.
type preparation struct {
	out     *output
	journal *journalFile
}

// prepareIn opens the journal of a command without a log, in the folder that the user named or in one that goes when nothing
// is left to undo. It needs neither where the driver changes nothing.
func (c *console) prepareIn(config *gatecert.Config, named string, yes bool) (p preparation, err error) {
	if p.journal, err = c.mayChange(config, yes); err != nil || !prepares(config.Target) {
		return p, err
	}
	if p.out, err = c.openOutput(named, latestLoad, config.Target); err != nil {
		return p, err
	}
	if err := p.journal.open(config.Target, p.out); err != nil {
		return p, errors.Join(err, p.close())
	}
	return p, nil
}

func (p preparation) close() error {
	err := p.journal.Close()
	if p.out != nil {
		err = errors.Join(err, p.out.close())
	}
	return err
}
