package atomicfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func content(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(raw)
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "known.yaml")
	require.NoError(t, WriteBytes(path, 0o600, []byte("one")))
	assert.Equal(t, "one", content(t, path))

	full := errors.New("no space left on device")
	err := Write(path, 0o600, func(w io.Writer) error {
		_, _ = io.WriteString(w, "half of ")
		return full
	})
	require.ErrorIs(t, err, full)
	assert.Equal(t, "one", content(t, path), "what failed leaves the old content")

	require.NoError(t, os.Chmod(path, 0o640))
	require.NoError(t, WriteBytes(path, 0o600, []byte("two")))
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o640), info.Mode(), "a file keeps its mode")

	link := filepath.Join(dir, "link.yaml")
	require.NoError(t, os.Symlink(path, link))
	require.NoError(t, WriteBytes(link, 0o600, []byte("three")))
	assert.Equal(t, "three", content(t, path), "a link stays a link")

	require.Error(t, WriteBytes(filepath.Join(dir, "no", "folder"), 0o600, nil))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, left, 2, "nothing is left behind")
}

func TestWriteToSomethingElse(t *testing.T) {
	assert.NoError(t, WriteBytes(os.DevNull, 0o600, []byte("x")))
	info, err := os.Stat(os.DevNull)
	require.NoError(t, err)
	assert.False(t, info.Mode().IsRegular(), "a device is written, not replaced")
}
