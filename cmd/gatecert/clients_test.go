package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/reports/clientlog"
)

const quotaRow = "code:insufficient_user_quota"

// TestClientsSeeWhatCurlMakesOfARow plays one row with a real client, on the reference gateway and on one that answers 429.
func TestClientsSeeWhatCurlMakesOfARow(t *testing.T) {
	for _, program := range []string{"sh", "curl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(err)
		}
	}
	out := filepath.Join(t.TempDir(), "seen.json")
	code, stdout, stderr := invoke(t.Context(), "clients", "--adapters", "../../clients", "--client", "curl", "--rows", quotaRow, "--probe", "none", "--out", out)
	assert.Equal(t, exitConformant, code, stderr)
	assert.Contains(t, stdout, quotaRow+": Top up or check your plan quota\n  ! ●        curl: sends the request once and exits with an error (403); the code is only in the raw body\n")
	assert.Contains(t, stderr, "plan: run 1 client against http://127.0.0.1")

	again, rendered, stderr := invoke(t.Context(), "clients", "--from", out)
	assert.Equal(t, exitConformant, again, stderr)
	assert.Equal(t, stdout, rendered)

	mutant := serveGateway(t, "--mutant", "spent-account-as-429")
	code, stdout, stderr = invoke(t.Context(), "clients", "--target", mutant, "--adapters", "../../clients", "--client", "curl-retry", "--rows", quotaRow, "--probe", "status-402,status-403")
	assert.Equal(t, exitConformant, code, stderr)
	assert.Contains(t, stdout, "  ! ●●●      curl-retry: sends the request 3 times and exits with an error (429)")
	assert.Contains(t, stdout, "  => 1 of 1 client retries in vain (curl-retry); 402 (causes a warning) or 403 instead of 429 would stop all of them\n")
}

func TestClientsThatCannotPlayAreSaidToBeSo(t *testing.T) {
	empty := t.TempDir()
	listed := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(listed, "clients.json"),
		[]byte(`{"adapters":[{"name":"absent","command":["absent"],"needs":"absent.txt","install":"make absent"}]}`), 0o600))
	broken := filepath.Join(empty, "log.json")
	require.NoError(t, os.WriteFile(broken, []byte(`{"schema":"other"}`), 0o600))
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--adapters", empty}, exitUsage, "clients.json: no such file"},
		{[]string{"--adapters", listed}, exitIncomplete, "skipping client absent: absent.txt does not exist: make absent"},
		{[]string{"--adapters", listed, "--client", "absent"}, exitUsage, "client absent is not installed: absent.txt does not exist: make absent"},
		{[]string{"--adapters", listed, "--client", "other"}, exitUsage, `there is no client "other" in `},
		{[]string{"--adapter", "nonsense"}, exitUsage, "must be NAME=COMMAND"},
		{[]string{"--adapter", "false=false", "--probe", "nonsense"}, exitUsage, `no probe "nonsense"`},
		{[]string{"--adapter", "false=false", "--rows", "nonsense"}, exitUsage, "nonsense"},
		{[]string{"--adapter", "false=false", "--call-time", "1h"}, exitUsage, "at most 7m"},
		{[]string{"--adapter", "false=false", "--rows", quotaRow}, exitIncomplete, "adapter false: the adapter ended: exit status 1"},
		{[]string{"http://192.0.2.1", "--key", "k", "--model", "m", "--adapter", "false=false"}, exitUsage, "if the gateway's operator agrees, add --yes"},
		{[]string{"--from", broken}, exitUsage, clientlog.Schema},
	} {
		code, _, stderr := invoke(t.Context(), append([]string{"clients"}, tt.args...)...)
		assert.Equal(t, tt.code, code, "%v: %s", tt.args, stderr)
		assert.Contains(t, stderr, tt.want, "%v", tt.args)
	}
}
