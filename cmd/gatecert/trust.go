package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/internal/atomicfile"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/targets/profile"
)

type trustCommand struct {
	Profile string `arg:"" help:"Profile (YAML)." type:"path"`
	Forget  bool   `help:"Withdraw the permission."`
}

// Help implements kong's HelpProvider.
func (trustCommand) Help() string {
	return `A profile can contain actions: shell commands, and SQL statements for the gateway's database. gatecert runs these actions only with your
permission: --allow-actions permits them for one run, and gatecert trust permits them until the profile changes. gatecert trust prints the
actions and stores the permission as a file in gatecert/trusted in your configuration folder. The file name is the digest of the profile's
path and content, so a copy in another folder needs its own permission. A profile that was written by gatecert gateway --profile-out is
trusted automatically. Without permission, the cases that need actions are reported as not-offered.

If the profile is named gatecert.yaml, gatecert trust also makes it the default in its folder: a gatecert command that you run there without
naming a gateway uses this profile. This second permission ends when the URL, the variables or the files that the profile uses change.

  gatecert trust my-gateway.yaml
  gatecert trust my-gateway.yaml --forget`
}

func (t trustCommand) Run(c *console) error {
	if t.Forget {
		return errors.Join(toActions.forget(t.Profile), toUse.forget(t.Profile))
	}
	p, err := loadProfile(t.Profile)
	if err != nil {
		return err
	}
	printReach(c.out, p)
	printActions(c, p)
	if err := toUse.add(t.Profile, reachDigest(p)); err != nil {
		return err
	}
	if len(p.Actions()) == 0 {
		fmt.Fprintf(c.out, "the profile %s is trusted until its URL, variables or files change\n", t.Profile)
		return nil
	}
	if err := toActions.add(t.Profile, p.Digest); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "the profile %s is trusted until it changes\n", t.Profile)
	return nil
}

// printActions lists what a profile runs, without its secrets.
func printActions(c *console, p profile.Profile) {
	for _, a := range p.Actions() {
		fmt.Fprintf(c.out, "  %s\n", plain.Text(p.ShownAction(a, a.String()), maxReason))
	}
}

// permits reports whether the user has agreed to the actions of a profile.
func (f targetFlags) permits(p profile.Profile) bool {
	return f.AllowActions || f.Target != "" && p.Digest != "" && toActions.include(f.Target, p.Digest)
}

// tellActions says that the actions of a profile will not run.
func (c *console) tellActions(config gatecert.Config) {
	if n := len(config.Target.Actions()); n > 0 && !config.AllowActions {
		fmt.Fprintf(c.err, "note: the profile's shell commands and SQL statements (%d) are not permitted, so the cases that need them are reported as not-offered. "+
			"To review and permit them, run gatecert trust PROFILE; to permit them only for one run, add --allow-actions\n", n)
	}
}

// agreements are of one kind: what is agreed to. Its name is that of the folder with a file for each agreement. The file holds
// the path of its profile.
type agreements string

const (
	toActions agreements = "trusted" // the profile's shell commands and SQL statements may run: digest is that of its content
	toUse     agreements = "found"   // it may be used where nobody has named it: digest is that of what it reaches
)

func (a agreements) folder() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find the configuration folder that stores trusted profiles: %w: set HOME or XDG_CONFIG_HOME", err)
	}
	return filepath.Join(dir, "gatecert", string(a)), nil
}

// file is the path of the file for a profile. The profile's own path is in its name: the same lines mean something else in
// another folder, where ./break.sh is somebody else's.
func (a agreements) file(profile, digest string) (agreed, path string, err error) {
	dir, err := a.folder()
	if err != nil {
		return "", "", err
	}
	if path, err = filepath.Abs(profile); err != nil {
		return "", "", err
	}
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		path = resolved
	} else if folder, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
		path = filepath.Join(folder, filepath.Base(path)) // the file is not there yet
	}
	return filepath.Join(dir, digestOf([]byte(path+"\x00"+digest))), path, nil
}

func digestOf(data []byte) string { return fmt.Sprintf("%x", sha256.Sum256(data)) }

// include reports whether the user has agreed to a profile.
func (a agreements) include(profile, digest string) bool {
	agreed, _, err := a.file(profile, digest)
	if err != nil {
		return false
	}
	info, err := os.Lstat(agreed)
	return err == nil && info.Mode().IsRegular()
}

// agreementsIn are the files in a folder of agreements, each with the path of the profile that it is about.
func agreementsIn(dir string) (about map[string]string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("read the list of trusted profiles: %w", err)
	}
	about = make(map[string]string)
	for _, e := range entries {
		file := filepath.Join(dir, e.Name())
		if path, err := os.ReadFile(file); err == nil { //nolint:gosec // a file of our own
			about[file] = string(path)
		}
	}
	return about, nil
}

// unwritten is how long an agreement may be about a file that is not there: gatecert gateway agrees first and writes then.
const unwritten = time.Hour

// add agrees to a profile, which need not be there yet. It forgets what was agreed to about the same file before, and about
// files that are gone.
func (a agreements) add(profile, digest string) error {
	agreed, path, err := a.file(profile, digest)
	if err != nil {
		return err
	}
	dir := filepath.Dir(agreed)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("create the folder for trusted profiles: %w", err)
	}
	earlier, err := agreementsIn(dir)
	if err != nil {
		return err
	}
	for old, about := range earlier {
		if about == path || gone(about) && olderThan(old, unwritten) {
			_ = os.Remove(old)
		}
	}
	return atomicfile.WriteBytes(agreed, 0o600, []byte(path))
}

func gone(file string) bool {
	_, err := os.Lstat(file)
	return errors.Is(err, os.ErrNotExist)
}

func olderThan(file string, age time.Duration) bool {
	info, err := os.Lstat(file)
	return err == nil && time.Since(info.ModTime()) > age
}

// forget withdraws what was agreed to about a profile, whatever its content was.
func (a agreements) forget(profile string) error {
	agreed, path, err := a.file(profile, "")
	if err != nil {
		return err
	}
	all, err := agreementsIn(filepath.Dir(agreed))
	if err != nil {
		return err
	}
	var errs []error
	for old, about := range all {
		if about == path {
			errs = append(errs, os.Remove(old))
		}
	}
	return errors.Join(errs...)
}
