package clients

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// ManifestName is the file that lists the adapters of a folder.
const ManifestName = "clients.json"

// maxManifest bounds a manifest, in bytes.
const maxManifest = 1 << 20

// ErrManifest is returned for a manifest that cannot be read or is not valid.
var ErrManifest = errors.New("adapter list")

// Adapter is a program that makes calls through one client library.
type Adapter struct {
	Name string `json:"name"`
	// Command starts it in Dir. A relative path with a slash is relative to Dir.
	Command []string `json:"command"`
	// Needs is a file, relative to Dir, that must exist; Install says how to create that file. If the file is missing, the
	// adapter is left out.
	Needs   string `json:"needs,omitempty"`
	Install string `json:"install,omitempty"`
	// Dir is the folder of the manifest.
	Dir string `json:"-"`
}

// ReadManifest reads the list of adapters in a folder. It returns [ErrManifest].
func ReadManifest(dir string) ([]Adapter, error) {
	path := filepath.Join(dir, ManifestName)
	file, err := os.Open(path) //nolint:gosec // the user's own folder
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	defer func() { _ = file.Close() }() // it was only read
	decoder := json.NewDecoder(io.LimitReader(file, maxManifest))
	decoder.DisallowUnknownFields()
	var list struct {
		Adapters []Adapter `json:"adapters"`
	}
	if err := decoder.Decode(&list); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrManifest, path, err)
	}
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	seen := map[string]bool{}
	for i := range list.Adapters {
		a := &list.Adapters[i]
		if a.Name == "" || strings.ContainsAny(a.Name, " /=,") || seen[a.Name] || len(a.Command) == 0 {
			return nil, fmt.Errorf("%w: %s: adapter %d must have a command and a unique name without spaces, slashes, commas or =", ErrManifest, path, i+1)
		}
		seen[a.Name], a.Dir = true, absolute
	}
	return list.Adapters, nil
}

// Missing describes what an adapter lacks. It returns "" if nothing is missing.
func (a Adapter) Missing() string {
	if a.Needs == "" {
		return ""
	}
	if _, err := os.Stat(filepath.Join(a.Dir, a.Needs)); err != nil {
		return fmt.Sprintf("%s does not exist: %s", a.Needs, a.Install)
	}
	return ""
}

// program is the path of the command's program.
func (a Adapter) program() string {
	if name := a.Command[0]; strings.Contains(name, "/") && !filepath.IsAbs(name) {
		return filepath.Join(a.Dir, name)
	}
	return a.Command[0]
}
