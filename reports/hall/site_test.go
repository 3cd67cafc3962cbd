//go:build !race

// A hall is made by one goroutine; the race detector makes its tests six times as slow.

package hall_test

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/reports/hall"
)

func TestAHallTakesThePlaceOfAnEarlierOne(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "deep", "site")
	first := read(t, folder(t, map[string]entry{"a.ndjson": {name: "a"}}), options())
	require.NoError(t, first.Write(t.Context(), dir))
	assert.Contains(t, files(t, dir), "gateways/a.html")
	second := read(t, folder(t, map[string]entry{"b.ndjson": {name: "b"}}), options())
	require.NoError(t, second.Write(t.Context(), dir))
	have := files(t, dir)
	assert.Contains(t, have, "gateways/b.html")
	assert.NotContains(t, have, "gateways/a.html")
	info, err := os.Stat(dir)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o755), info.Mode().Perm(), "a web server can read it")
	assertAlone(t, filepath.Dir(dir))

	link := filepath.Join(parent, "link")
	require.NoError(t, os.Symlink(dir, link))
	require.NoError(t, first.Write(t.Context(), link))
	assert.Contains(t, files(t, dir), "gateways/a.html", "the folder is replaced, and the link stays")
	empty := filepath.Join(parent, "empty")
	require.NoError(t, os.Mkdir(empty, 0o700))
	require.NoError(t, first.Write(t.Context(), empty))
}

// assertAlone holds that nothing lies next to the pages.
func assertAlone(t *testing.T, parent string) {
	t.Helper()
	left, err := os.ReadDir(parent)
	require.NoError(t, err)
	assert.Len(t, left, 1, "%v", left)
}

func TestWhatIsNotOfAHallIsNeverRemoved(t *testing.T) {
	h := read(t, folder(t, map[string]entry{"a.ndjson": {name: "a"}}), options())
	for name, prepare := range map[string]func(t *testing.T, dir string){
		"a folder with a file":      func(t *testing.T, dir string) { write(t, filepath.Join(dir, "thesis.txt")) },
		"a folder with a folder":    func(t *testing.T, dir string) { require.NoError(t, os.MkdirAll(filepath.Join(dir, "x", "y"), 0o700)) },
		"a page that only looks so": func(t *testing.T, dir string) { write(t, filepath.Join(dir, "index.html")) },
		"another manifest":          func(t *testing.T, dir string) { write(t, filepath.Join(dir, "manifest.txt")) },
		"a hall with a file": func(t *testing.T, dir string) {
			require.NoError(t, h.Write(t.Context(), dir))
			write(t, filepath.Join(dir, "CNAME"))
		},
		"a hall with a file in runs": func(t *testing.T, dir string) {
			require.NoError(t, h.Write(t.Context(), dir))
			write(t, filepath.Join(dir, "runs", "x"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			parent := t.TempDir()
			dir := filepath.Join(parent, "site")
			prepare(t, dir)
			before := files(t, dir)
			err := h.Write(t.Context(), dir)
			require.ErrorIs(t, err, hall.ErrSite)
			require.ErrorContains(t, err, "which is not part of a hall")
			assert.Equal(t, before, files(t, dir))
			assertAlone(t, parent)
		})
	}
	t.Run("a file in its place", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "site")
		write(t, file)
		require.ErrorIs(t, h.Write(t.Context(), file), hall.ErrSite)
	})
	t.Run("a manifest that leads elsewhere", func(t *testing.T) {
		parent := t.TempDir()
		dir, outside := filepath.Join(parent, "site"), filepath.Join(parent, "outside.txt")
		write(t, outside)
		require.NoError(t, h.Write(t.Context(), dir))
		manifest := filepath.Join(dir, "manifest.txt")
		data, err := os.ReadFile(manifest)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(manifest, append(data, "../outside.txt\n"+outside+"\n"...), 0o600))
		require.NoError(t, h.Write(t.Context(), dir))
		assert.FileExists(t, outside)
	})
}

func write(t *testing.T, path string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte("mine"), 0o600))
}

// TestAFailureLeavesTheEarlierHall: a log that was changed between its audit and its report, and a command that was interrupted.
func TestAFailureLeavesTheEarlierHall(t *testing.T) {
	logs := folder(t, map[string]entry{"a.ndjson": {name: "a"}})
	h := read(t, logs, options())
	dir := filepath.Join(t.TempDir(), "site")
	require.NoError(t, h.Write(t.Context(), dir))
	before := files(t, dir)

	logs["a.ndjson"] = &fstest.MapFile{Data: entry{name: "a", change: failing}.bytes(t), Mode: 0o600}
	require.ErrorContains(t, h.Write(t.Context(), dir), "the file changed while it was being read")
	assert.Equal(t, before, files(t, dir))
	assertAlone(t, filepath.Dir(dir))

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, h.Write(ctx, dir), context.Canceled)
	assert.Equal(t, before, files(t, dir))
	assertAlone(t, filepath.Dir(dir))
}

func TestLinksAreNotFollowed(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	data := entry{name: "elsewhere"}.bytes(t)
	require.NoError(t, os.WriteFile(filepath.Join(elsewhere, "run.ndjson"), data, 0o600))
	require.NoError(t, os.Symlink(elsewhere, filepath.Join(dir, "latest")))
	require.NoError(t, os.Symlink(filepath.Join(elsewhere, "run.ndjson"), filepath.Join(dir, "link.ndjson")))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "own.ndjson"), entry{name: "own"}.bytes(t), 0o600))
	root, err := os.OpenRoot(dir)
	require.NoError(t, err)
	defer root.Close()
	h := read(t, root.FS(), options())
	require.Len(t, h.Gateways, 1)
	assert.Equal(t, "own", h.Gateways[0].Name)
	require.Len(t, h.Refused, 1)
	assert.Equal(t, hall.Refusal{Path: "link.ndjson", Kind: hall.Unreadable, Reason: "this is not a regular file (gatecert does not follow links)"}, h.Refused[0])
}
