package main

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/internal/freeport"
)

// A stranger's profile runs nothing before its user has agreed, wherever in a recipe its actions stand.
func TestActionsNeedConsent(t *testing.T) {
	t.Parallel()
	url, key := baseURL(t, serveGateway(t))
	dir := t.TempDir()
	path, marks := filepath.Join(dir, "stranger.yaml"), filepath.Join(dir, "marks")
	require.NoError(t, os.Mkdir(marks, 0o700))
	text := "name: stranger\nbase_url: " + url + "\nsurfaces: [chat, messages]\nkeys: {valid: " + key + "}\nmodels: {default: gc-chat, messages: gc-messages}\n" +
		"store: {sqlite: " + filepath.Join(dir, "absent.db") + "}\n" +
		"circumstances:\n" +
		"  absent-model: {before: [{run: \"touch " + marks + "/before; : " + key + "\"}]}\n" +
		"  unknown-model: {after: [{run: \"touch " + marks + "/after\"}]}\n" +
		"  unknown-path: {on: {chat: {before: [{run: \"touch " + marks + "/on\"}]}}}\n" +
		"  wrong-key: {on: {messages: {before: [{sql: \"DROP TABLE keys\"}]}}}\n"
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	run := func(extra ...string) (stdout, stderr string) {
		_, stdout, stderr = invoke(t.Context(), append([]string{"run", "--target", path, "--rows", "http:404,http:401,code:model_not_found", "--out", filepath.Join(dir, "out")}, extra...)...)
		return stdout, stderr
	}

	stdout, stderr := run()
	assert.Contains(t, stderr, "note: the profile's shell commands and SQL statements (4) are not permitted")
	assert.Empty(t, contents(t, marks))
	log, err := os.ReadFile(filepath.Join(dir, "out", logName))
	require.NoError(t, err)
	const asks = "for this case, the profile runs commands that nobody has approved (approve them with --allow-actions or gatecert trust PROFILE): "
	assert.Contains(t, string(log), asks+"run: touch "+marks+"/before; : [caller key]")
	assert.Contains(t, string(log), asks+"run: touch "+marks+"/after")
	assert.Contains(t, string(log), asks+"sql: DROP TABLE keys")
	assert.Contains(t, stdout, "not offered")
	run2, err := readLog(filepath.Join(dir, "out"))
	require.NoError(t, err)
	assert.Contains(t, run2.Target.Profile, "without_actions: true", "an audit finds the same cases offered")
	invoke(t.Context(), "keygen", filepath.Join(dir, "key"))
	_, stdout, stderr = invoke(t.Context(), "certify", filepath.Join(dir, "out"), "--key", filepath.Join(dir, "key.pem"))
	assert.Contains(t, stdout, "certified with the result", stderr)

	code, stdout, stderr := invoke(t.Context(), "trust", path)
	require.Equal(t, exitConformant, code, stderr)
	assert.Contains(t, stdout, "  run: touch "+marks+"/before; : [caller key]\n")
	assert.Contains(t, stdout, "  sql: DROP TABLE keys\n")
	_, stderr = run()
	assert.NotContains(t, stderr, "not permitted")
	assert.Len(t, contents(t, marks), 3)

	// The agreement is about this file as it is.
	for name := range contents(t, marks) {
		require.NoError(t, os.Remove(filepath.Join(marks, name)))
	}
	elsewhere := filepath.Join(t.TempDir(), "stranger.yaml")
	require.NoError(t, os.WriteFile(elsewhere, []byte(text), 0o600))
	_, _, stderr = invoke(t.Context(), "run", "--target", elsewhere, "--rows", "http:404", "--out", filepath.Join(dir, "out"))
	assert.Contains(t, stderr, "not permitted")
	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(text, "DROP", "drop", 1)), 0o600))
	_, stderr = run()
	assert.Contains(t, stderr, "not permitted")
	assert.Empty(t, contents(t, marks))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	code, _, stderr = invoke(t.Context(), "trust", "--forget", path)
	require.Equal(t, exitConformant, code, stderr)
	_, stderr = run()
	assert.Contains(t, stderr, "not permitted")
	assert.Empty(t, contents(t, marks))

	_, stderr = run("--allow-actions")
	assert.NotContains(t, stderr, "not permitted")
	assert.Len(t, contents(t, marks), 3)
}

// Who waits for the profile of a gateway may use it at once.
func TestTheGatewaysProfileIsTrustedWhenItAppears(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	folder, link := t.TempDir(), filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(folder, link))
	file := filepath.Join(link, "gateway.yaml")
	var serving sync.WaitGroup
	serving.Go(func() {
		code, _, stderr := invoke(ctx, "gateway", "--listen", "127.0.0.1:0", "--upstream", freeport.Address(t), "--profile-out", file)
		assert.Equal(t, exitConformant, code, stderr)
	})
	defer serving.Wait()
	defer cancel()
	for began := time.Now(); ; runtime.Gosched() {
		if raw, err := os.ReadFile(file); err == nil {
			assert.True(t, toActions.include(file, digestOf(raw)))
			return
		}
		require.Less(t, time.Since(began), 20*time.Second)
	}
}

// An agreement is about a file that may still be written, and is forgotten when the file has been gone for long.
func TestAgreementsAboutFilesThatAreNotThere(t *testing.T) {
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	dir := t.TempDir()
	file, other := filepath.Join(dir, "a.yaml"), filepath.Join(dir, "b.yaml")
	require.NoError(t, toActions.add(file, "digest"))
	require.NoError(t, toActions.add(other, "digest"))
	assert.True(t, toActions.include(file, "digest"), "another agreement leaves it")
	require.NoError(t, toActions.add(file, "new"))
	assert.False(t, toActions.include(file, "digest"), "the file has other content")
	assert.True(t, toActions.include(file, "new"))

	age := func() {
		agreed, _, err := toActions.file(file, "new")
		require.NoError(t, err)
		long := time.Now().Add(-2 * unwritten)
		require.NoError(t, os.Chtimes(agreed, long, long))
	}
	age()
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.NoError(t, toActions.add(other, "digest"))
	assert.True(t, toActions.include(file, "new"), "the file is there")
	require.NoError(t, os.Remove(file))
	require.NoError(t, toActions.add(other, "digest"))
	assert.False(t, toActions.include(file, "new"), "the file is gone")
}
