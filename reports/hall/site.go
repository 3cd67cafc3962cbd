package hall

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ErrSite is returned if the folder for the pages contains something that is not part of a hall, or cannot be created.
var ErrSite = errors.New("the output folder")

// manifestName is the file that lists all other files of a hall. Only files in this list are ever removed.
const (
	manifestName = "manifest.txt"
	manifestHead = "gatecert.hall/1"
)

// Write writes the pages into a folder, which must be new, be empty, or contain a hall and nothing else; otherwise, Write returns [ErrSite]. It
// writes the pages into a new folder next to it, which then replaces the folder. If Write fails, the earlier hall remains unchanged.
func (h Hall) Write(ctx context.Context, folder string) (err error) {
	if resolved, err := filepath.EvalSymlinks(folder); err == nil {
		folder = resolved // replace the folder, not a link to it
	}
	folder = filepath.Clean(folder)
	earlier, err := readSite(folder)
	if err != nil {
		return err
	}
	parent := filepath.Dir(folder)
	if err := os.MkdirAll(parent, 0o750); err != nil {
		return fmt.Errorf("%w: %w", ErrSite, err)
	}
	made, err := os.MkdirTemp(parent, "."+filepath.Base(folder)+".*.part")
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSite, err)
	}
	files := h.files()
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = f.name
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, removeSite(made, names))
		}
	}()
	files = append(files, file{manifestName, func(w io.Writer) error { return writeManifest(w, names) }})
	if err := h.each(ctx, files, func(name string) (io.WriteCloser, error) { return create(made, name) }); err != nil {
		return err
	}
	if err := os.Chmod(made, 0o755); err != nil { //nolint:gosec // it is meant to be published
		return err
	}
	return replace(folder, made, earlier)
}

// create makes a file below a folder. It is meant to be published.
func create(folder, name string) (io.WriteCloser, error) {
	name = filepath.Join(folder, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil { //nolint:gosec // the same
		return nil, err
	}
	return os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644) //nolint:gosec // the same
}

func writeManifest(w io.Writer, names []string) error {
	_, err := io.WriteString(w, manifestHead+"\n"+strings.Join(names, "\n")+"\n")
	return err
}

// readSite returns the names of the files of the hall in a folder, none where the folder does not exist or is empty. It returns
// [ErrSite] when there is anything else in it.
func readSite(folder string) (names []string, err error) {
	info, err := os.Lstat(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrSite, err)
	case !info.IsDir():
		return nil, fmt.Errorf("%w: %s is a file: specify a folder with --out", ErrSite, folder)
	}
	names = readManifest(filepath.Join(folder, manifestName))
	listed := map[string]bool{".": true}
	for _, name := range names {
		for name = filepath.FromSlash(name); !listed[name]; name = filepath.Dir(name) {
			listed[name] = true
		}
	}
	err = filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil || listed[name] || name == manifestName && len(names) > 0 {
			return err
		}
		return fmt.Errorf("%s contains %q, which is not part of a hall: specify a new or empty folder with --out", folder, name)
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSite, err)
	}
	return names, nil
}

// readManifest returns the names that a manifest lists, none when it is not one. Names that lead out of the folder are left out.
func readManifest(path string) (names []string) {
	file, err := os.Open(path) //nolint:gosec // the user's own folder
	if err != nil {
		return nil
	}
	defer file.Close() //nolint:errcheck // it was only read
	lines := bufio.NewScanner(io.LimitReader(file, maxSmall))
	if !lines.Scan() || lines.Text() != manifestHead {
		return nil
	}
	for lines.Scan() {
		if name := lines.Text(); filepath.IsLocal(filepath.FromSlash(name)) {
			names = append(names, name)
		}
	}
	return names
}

// replace puts a folder in the place of another, and removes the files of the hall that was there.
func replace(folder, made string, earlier []string) error {
	replaced := made + ".earlier"
	switch err := os.Rename(folder, replaced); {
	case errors.Is(err, fs.ErrNotExist):
		return os.Rename(made, folder)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrSite, err)
	}
	if err := os.Rename(made, folder); err != nil {
		return errors.Join(fmt.Errorf("%w: %w", ErrSite, err), os.Rename(replaced, folder))
	}
	return removeSite(replaced, earlier)
}

// removeSite removes the files of a hall, and the folders that are empty then. What is not of the hall stays.
func removeSite(folder string, names []string) error {
	var errs []error
	folders := map[string]bool{folder: true}
	for _, name := range append(slices.Clip(names), manifestName) {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
		for dir := filepath.Dir(path); dir != folder; dir = filepath.Dir(dir) {
			folders[dir] = true
		}
	}
	all := make([]string, 0, len(folders))
	for dir := range folders {
		all = append(all, dir)
	}
	slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) }) // the inner ones first
	for _, dir := range all {
		if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
