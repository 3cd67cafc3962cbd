package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/gatecert/gatecert/internal/folderlock"
	"github.com/gatecert/gatecert/reports/certificate"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets/newapi"
	"github.com/gatecert/gatecert/targets/profile"
)

// reportsFolder holds a folder for each run whose user named none.
const reportsFolder = "reports"

// outputKind is a kind of run, by the link in the reports folder that leads to the newest one.
type outputKind string

const (
	latestRun  outputKind = "latest"
	latestLoad outputKind = "load"
)

// output is the folder that a run writes into. No other process writes into it before [output.close].
type output struct {
	dir  string
	kind outputKind
	// own says that the folder was made for this run; target is its part of the name.
	own    bool
	target string
	lock   *folderlock.Lock
	log    logFile
}

// openOutput makes and locks the folder of a run: the named one, or without a name one of its own. It returns
// [folderlock.ErrHeld] when another run has it.
func (c *console) openOutput(named string, kind outputKind, target profile.Profile) (*output, error) {
	o := &output{dir: named, kind: kind, target: folderPart(target)}
	if kind == latestLoad {
		o.target += "-load"
	}
	var err error
	if named == "" || sameName(named, filepath.Join(reportsFolder, string(kind))) {
		o.own = true
		o.dir, err = newFolder(time.Now(), o.target)
	} else {
		err = os.MkdirAll(named, 0o750)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: create the folder for the reports: %w (use --out to choose another folder)", errUsage, err)
	}
	if o.lock, err = folderlock.Take(o.dir); err != nil {
		return nil, err
	}
	if o.lock.Stale != "" {
		fmt.Fprintf(c.err, "note: the folder %s was locked by %s, which is no longer running; this run takes over the lock\n", o.dir, o.lock.Stale)
	}
	o.log = logFile{dir: o.dir, began: func() { o.show(c) }}
	return o, nil
}

// close gives the folder back. One that was made for a run that never began is removed, unless it holds what clean needs.
func (o *output) close() error {
	err := errors.Join(o.log.close(), o.lock.Release())
	if o.own && !o.log.inPlace {
		if left, journalErr := outstanding(o.dir); left == 0 && journalErr == nil {
			_ = os.Remove(filepath.Join(o.dir, journalName))
		}
		_ = os.Remove(o.dir) // fails where anything is left in it
	}
	return err
}

// show lets the link lead to the folder: from its header on, a run can be rendered.
func (o *output) show(c *console) {
	if !o.own {
		return
	}
	if err := linkTo(o.kind, filepath.Base(o.dir)); err != nil {
		fmt.Fprintf(c.err, "note: could not make the link %s point to this run, whose folder is %s: %v\n", filepath.Join(reportsFolder, string(o.kind)), o.dir, err)
	}
}

// shown is the folder as messages name it, with the link that leads there.
func (o *output) shown(file string) string {
	text := filepath.Join(o.dir, file)
	if o.own {
		text += fmt.Sprintf(" (%s)", filepath.Join(reportsFolder, string(o.kind), file))
	}
	return text
}

// newFolder makes a folder in the reports folder that did not exist.
func newFolder(at time.Time, target string) (string, error) {
	if err := os.MkdirAll(reportsFolder, 0o750); err != nil {
		return "", err
	}
	name := filepath.Join(reportsFolder, at.UTC().Format(folderTime)+"-"+target)
	for n := 1; ; n++ {
		dir := name
		if n > 1 {
			dir = fmt.Sprintf("%s+%d", name, n) // begun in the same second
		}
		if err := os.Mkdir(dir, 0o750); !errors.Is(err, os.ErrExist) {
			return dir, err
		}
	}
}

const folderTime = "20060102T150405"

// ownFolder matches the names of the folders that [newFolder] makes: a time, a target and a number.
var ownFolder = regexp.MustCompile(`^\d{8}T\d{6}-([a-z0-9.-]+)(?:\+\d+)?$`)

// maxFolderPart bounds the part of a folder's name that a profile chooses.
const maxFolderPart = 40

// folderPart is the target as a part of a folder's name: lower-case letters, digits, dots and dashes. Of a URL it has the
// host alone, because other parts may hold credentials.
func folderPart(target profile.Profile) string {
	name := target.Name
	if u, err := url.Parse(name); err == nil && u.Host != "" {
		name = u.Host
	}
	if name == "" {
		name = profile.ReferenceDriver
	}
	name = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' {
			return r
		}
		return '-'
	}, strings.ToLower(name))
	name = strings.Trim(name[:min(len(name), maxFolderPart)], ".-")
	if name == "" {
		return "gateway"
	}
	return name
}

// linkTo lets the link of a kind of run lead to a folder next to it, at once: a reader sees the old or the new one.
func linkTo(kind outputKind, folder string) error {
	link := filepath.Join(reportsFolder, string(kind))
	if err := moveAway(link); err != nil {
		return err
	}
	made := filepath.Join(reportsFolder, "."+string(kind)+"-"+folder)
	if err := os.Symlink(folder, made); err != nil {
		return err
	}
	if err := os.Rename(made, link); err != nil {
		return errors.Join(err, os.Remove(made))
	}
	return nil
}

// moveAway gives the folder that an earlier gatecert made in the place of the link a name of its own.
func moveAway(link string) error {
	info, err := os.Lstat(link)
	if err != nil || !info.IsDir() {
		return nil //nolint:nilerr // nothing is in the way
	}
	lock, err := folderlock.Take(link)
	if err != nil {
		return err
	}
	// Its lock file moves with it, so that Release would look for it in the wrong place.
	if err := lock.Release(); err != nil {
		return err
	}
	at, target := info.ModTime(), "earlier"
	if run, err := readLog(link); err == nil {
		at, target = run.Started, folderPart(profile.Profile{Name: run.Target.Name})
	}
	dir, err := newFolder(at, target)
	if err != nil {
		return err
	}
	return errors.Join(os.Remove(dir), os.Rename(link, dir)) // os.Rename replaces no folder
}

// prune removes the oldest folders of runs of the same target, so that keep are left. Those that another process writes into,
// that hold a certificate, or that clean still needs, stay. It returns the number of folders that were removed.
func (o *output) prune(keep int) (removed int, err error) {
	entries, err := os.ReadDir(reportsFolder) // sorted, and so by time
	if err != nil {
		return 0, err
	}
	var runs []string
	for _, e := range entries {
		match := ownFolder.FindStringSubmatch(e.Name())
		if e.IsDir() && match != nil && match[1] == o.target {
			runs = append(runs, filepath.Join(reportsFolder, e.Name()))
		}
	}
	for _, dir := range runs[:max(0, len(runs)-keep)] {
		if dir == o.dir || !disposable(dir) {
			continue
		}
		if err := os.RemoveAll(dir); err != nil {
			return removed, err
		}
		removed++
	}
	return removed, nil
}

// disposable reports whether nobody needs the folder of a run any more.
func disposable(dir string) bool {
	if _, err := os.Stat(filepath.Join(dir, certificate.EnvelopeFile)); !errors.Is(err, os.ErrNotExist) {
		return false
	}
	if left, err := outstanding(dir); left > 0 || err != nil {
		return false
	}
	lock, err := folderlock.Take(dir)
	return err == nil && lock.Release() == nil
}

// outstanding counts the changes on a gateway that the journal in a folder lists and that were not undone. It is 0 without a
// journal.
func outstanding(dir string) (int, error) {
	journal, err := os.ReadFile(filepath.Join(dir, journalName)) //nolint:gosec // the user's own folder
	if err != nil {
		return 0, nil //nolint:nilerr // there is none
	}
	return newapi.Outstanding(bytes.NewReader(journal))
}

// unfinished are the folders in the reports folder whose journals list changes that were not undone.
func unfinished() []string {
	journals, _ := filepath.Glob(filepath.Join(reportsFolder, "*", journalName))
	var dirs []string
	for _, path := range journals {
		dir := filepath.Dir(path)
		if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
			continue // a link to one of the others
		}
		if left, err := outstanding(dir); left > 0 || err != nil {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

func sameName(a, b string) bool {
	a, errA := filepath.Abs(a)
	b, errB := filepath.Abs(b)
	return errors.Join(errA, errB) == nil && a == b
}

// began reports whether a run has a header, and so a log.
func began(run runlog.Run) bool { return run.Schema != "" }
