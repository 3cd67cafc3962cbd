package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// hasty is a client that sends a request up to three times without a wait.
const hasty = `#!/bin/sh
echo '{"protocol":1,"package":"hasty","version":"1","surfaces":["chat"]}'
member() { printf '%s' "$call" | sed -n 's/.*"'"$1"'":"\(\([^"\\]\|\\.\)*\)".*/\1/p'; }
while IFS= read -r call; do
  for attempt in 1 2 3; do
    status=$(curl --silent --output /dev/null --write-out '%{http_code}' --header 'Content-Type: application/json' --header "Authorization: Bearer $(member key)" \
      --data "{\"model\":\"$(member model)\",\"messages\":[{\"role\":\"user\",\"content\":\"$(member prompt)\"}]}" "$(member base_url)/v1/chat/completions")
    case $status in 408|409|429|5??) ;; *) break ;; esac
  done
  [ "$status" = 200 ] && ok=true || ok=false
  printf '{"id":"%s","ok":%s,"class":"Hasty","typed":true,"status":%d}\n' "$(member id)" "$ok" "${status#00}"
done
`

// TestARunPlaysClientsToo: the record of clients is next to the log, in every report, and no verdict depends on it.
func TestARunPlaysClientsToo(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"sh", "curl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(err)
		}
	}
	mutant, dir := serveGateway(t, "--mutant", "spent-account-as-429"), t.TempDir()
	script := filepath.Join(t.TempDir(), "hasty.sh")
	require.NoError(t, os.WriteFile(script, []byte(hasty), 0o600))
	run := []string{"run", "--target", mutant, "--rows", quotaRow, "--surfaces", "chat", "--out", dir}
	code, stdout, stderr := invoke(t.Context(), append(run, "--adapter", "hasty=sh "+script)...)
	require.Equal(t, exitConformant, code, stdout+stderr)
	assert.Contains(t, stderr, "plan: run 1 client against http://")
	const said = "What your callers do: 1 client, 1 row: on 1 row at least one client wastes requests or treats an error as a success " +
		"code:insufficient_user_quota: 1 of 1 client retries in vain (hasty); 402 (causes a warning) or 403 instead of 429 would stop all of them"
	assert.Contains(t, strings.Join(strings.Fields(stdout), " "), said)
	for name, want := range map[string]string{
		"clients.json": `"run_id": "`, "report.html": `id="callers"`, "report.json": `"gatecert-clients/1"`, "summary.md": "### What your callers do",
	} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		assert.Contains(t, string(raw), want, name)
	}

	_, again, _ := invoke(t.Context(), "report", dir)
	assert.Contains(t, strings.Join(strings.Fields(again), " "), said)
	_, matrix, _ := invoke(t.Context(), "matrix", dir, dir)
	assert.Contains(t, matrix, "clients that follow the row's advice (a row is omitted if all clients do):\n  code:insufficient_user_quota: A 0/1, B 0/1\n")

	raw, err := os.ReadFile(filepath.Join(dir, clientsName))
	require.NoError(t, err)
	code, stdout, stderr = invoke(t.Context(), run...)
	require.Equal(t, exitConformant, code, stderr)
	assert.NotContains(t, stdout, "What your callers do")
	assert.NoFileExists(t, filepath.Join(dir, clientsName), "it would be taken for the record of this run")
	require.NoError(t, os.WriteFile(filepath.Join(dir, clientsName), raw, 0o600))
	_, again, _ = invoke(t.Context(), "report", dir)
	assert.NotContains(t, again, "What your callers do", "it is that of another run")
	require.NoError(t, os.WriteFile(filepath.Join(dir, clientsName), []byte("{}"), 0o600))
	code, _, stderr = invoke(t.Context(), "report", dir)
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr, "to render the report without client results, remove this file")
}

func TestARunIsCompleteWithoutItsClients(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	code, stdout, stderr := invoke(t.Context(), "run", "--rows", quotaRow, "--surfaces", "chat", "--out", dir, "--adapter", "false=false")
	assert.Equal(t, exitConformant, code, stderr)
	assert.Contains(t, stdout, "PASS: 1 of 1 selected row passes")
	assert.Contains(t, stderr, "note: the run is complete, but the client libraries could not be tested: no usable client: adapter false: the adapter ended: exit status 1")

	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--client", "nobody", "--adapters", "../../clients"}, `no client "nobody"`},
		{[]string{"http://192.0.2.1", "--key", "k", "--model", "m", "--clients", "--adapter", "false=false"}, "if the gateway's operator agrees, add --yes"},
		{[]string{"--failed", dir, "--until-pass", "--clients"}, "omit --clients"},
	} {
		code, _, stderr := invoke(t.Context(), append([]string{"run"}, tt.args...)...)
		assert.Equal(t, exitUsage, code, stderr)
		assert.Contains(t, stderr, tt.want)
	}
}
