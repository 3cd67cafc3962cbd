package folderlock

import (
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAFolderHasOneOwner(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := Take(dir)
	require.NoError(t, err)
	assert.Empty(t, first.Stale)
	_, err = Take(dir)
	require.ErrorIs(t, err, ErrHeld)
	assert.Regexp(t, `process \d+ \(since 20\S+\) is writing to this folder`, err.Error())
	require.NoError(t, first.Release())
	assert.NoFileExists(t, filepath.Join(dir, Name))
	second, err := Take(dir)
	require.NoError(t, err)
	assert.Empty(t, second.Stale)
	require.NoError(t, second.Release())
	require.NoError(t, (*Lock)(nil).Release())
}

func TestTheLockOfADeadProcessIsTakenOver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, Name), []byte("process 1\x1b[2J, long ago"), 0o600))
	lock, err := Take(dir)
	require.NoError(t, err)
	assert.Equal(t, "process 1?[2J, long ago", lock.Stale)
	require.NoError(t, lock.Release())
}

func TestALockFileThatIsALinkIsNotFollowed(t *testing.T) {
	t.Parallel()
	dir, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "precious")
	require.NoError(t, os.WriteFile(elsewhere, []byte("precious"), 0o600))
	require.NoError(t, os.Symlink(elsewhere, filepath.Join(dir, Name)))
	_, err := Take(dir)
	require.Error(t, err)
	raw, err := os.ReadFile(elsewhere)
	require.NoError(t, err)
	assert.Equal(t, "precious", string(raw))
	_, err = Take(filepath.Join(dir, "absent"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestManyWantTheSameFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var inside, taken atomic.Int32
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 100 {
				lock, err := Take(dir)
				if err != nil {
					assert.ErrorIs(t, err, ErrHeld)
					continue
				}
				assert.EqualValues(t, 1, inside.Add(1))
				taken.Add(1)
				inside.Add(-1)
				assert.NoError(t, lock.Release())
			}
		})
	}
	all.Wait()
	assert.Positive(t, taken.Load())
}
