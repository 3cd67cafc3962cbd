package clients

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange/redact"
	"github.com/gatecert/gatecert/reports/clientlog"
)

// TestThePythonAdapter runs it with a stub of its library: whether a machine has the library is its owner's affair.
func TestThePythonAdapter(t *testing.T) {
	t.Parallel()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip(err)
	}
	// A script finds modules in its own folder.
	dir := t.TempDir()
	script, err := os.ReadFile("../../clients/python/openai_adapter.py")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "adapter.py"), script, 0o600))
	require.NoError(t, os.CopyFS(filepath.Join(dir, "openai"), os.DirFS("testdata/openai")))
	c, err := newCrew(t.Context(), Adapter{Name: "openai-python", Command: []string{python, "-B", "adapter.py"}, Dir: dir}, redact.New(), enough)
	require.NoError(t, err)
	defer c.close()
	assert.Equal(t, "openai", c.client.Package)
	assert.Equal(t, "0.stub", c.client.Version)
	call, err := c.do(t.Context(), work{call: clientlog.Call{Client: "openai-python", Surface: dialect.Chat}, model: "m", prompt: `a "p"`, handler: http.HandlerFunc(refused)})
	require.NoError(t, err)
	assert.Len(t, call.Attempts, 3)
	assert.Equal(t, clientlog.Typed, call.Outcome)
	assert.Equal(t, "RateLimitError", call.Class)
	assert.Equal(t, 429, call.Status)
	assert.Equal(t, "err.code", call.CodeAt)
	assert.Empty(t, call.Doubts)
}
