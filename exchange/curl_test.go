package exchange

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange/redact"
)

// curlOf is the command line of a call that must be buildable.
func curlOf(t *testing.T, call Call) string {
	t.Helper()
	req, err := build(call)
	require.NoError(t, err)
	return req.curl(redact.New(redact.Secret{What: redact.CallerKey, Value: call.Key}, redact.Secret{What: "upstream key", Value: "sk-upstream"}), 1000)
}

func TestCurlLines(t *testing.T) {
	const base = "http://h"
	const embed = `curl -sS -i -N -X POST 'http://h/v1/embeddings' -H 'Content-Type: application/json' -H 'User-Agent: gatecert'`
	for sentence, row := range map[string]struct {
		call Call
		want string
	}{
		"a key is a variable": {
			Call{Surface: dialect.Completions, Key: "sk-mine", Prompt: "it's sk-upstream"},
			`curl -sS -i -N -X POST 'http://h/v1/completions' -H 'Authorization: Bearer '"$GATEWAY_KEY" -H 'Content-Type: application/json' -H 'User-Agent: gatecert' --data-binary '{"max_tokens":16,"model":"","prompt":"it'\''s [upstream key]"}'`,
		},
		"another key is another variable": {
			Call{Method: "GET", Key: "sk-spent", KeyRole: "spent-key", Path: "/v1/models"},
			`curl -sS -i -N -X GET 'http://h/v1/models' -H 'Authorization: Bearer '"$GATEWAY_KEY_SPENT_KEY" -H 'User-Agent: gatecert' -H 'Content-Type:'`,
		},
		"a key in the query too": {
			Call{Method: "GET", Key: "sk-mine", KeyInQuery: true, Path: "/v1/models"},
			`curl -sS -i -N -X GET 'http://h/v1/models?key='"$GATEWAY_KEY" -H 'User-Agent: gatecert' -H 'Content-Type:'`,
		},
		"a credential of one's own is not shown": {
			Call{Method: "HEAD", Header: map[string]string{"Authorization": "Bearer x", "User-Agent": ""}},
			`curl -sS -i -N --head 'http://h/v1/embeddings' -H 'Authorization: Bearer [redacted]' -H 'User-Agent:' -H 'Content-Type:'`,
		},
		"an odd path is sent as it is": {
			Call{Method: "GET", Path: "/v1/../[x]"},
			`curl -sS -i -N -g --path-as-is -X GET 'http://h/v1/../[x]' -H 'User-Agent: gatecert' -H 'Content-Type:'`,
		},
		"a body with control bytes": {Call{Fault: NotJSON, Prompt: "\x1b[%\\\xff"}, `printf 'not JSON: \033[%%\\\377' | ` + embed + ` --data-binary @-`},
		"a padded body": {
			Call{Fault: Oversize, OversizeBytes: 1e6},
			`{ printf %s '{"input":"'; head -c 999977 /dev/zero | tr '\0' x; printf %s '","model":""}'; } | ` + embed + ` --data-binary @-`,
		},
		"a short body": {
			Call{Fault: ShortBody},
			"# curl cannot half-close a connection, so the gateway keeps waiting for 12 more bytes\n" + embed + ` -H 'Content-Length: 23' --data-binary '{"input":""'`,
		},
		"a body too long to show": {
			Call{Prompt: strings.Repeat("x", 1000)}, "# the body of 1023 bytes is not shown\n" + embed + ` --data-binary @body`,
		},
	} {
		t.Run(sentence, func(t *testing.T) {
			row.call.BaseURL = base
			if row.call.Surface == "" {
				row.call.Surface = dialect.Embeddings
			}
			assert.Equal(t, row.want, curlOf(t, row.call))
		})
	}
}

// A shell reads the line, with a curl that prints its arguments and what it is fed.
func TestAShellReadsTheCurlLine(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no sh")
	}
	run := func(call Call) string {
		call.Surface, call.BaseURL, call.Key = dialect.Embeddings, "http://h", "sk-mine"
		script := `GATEWAY_KEY=sk-mine; curl() { printf '<%s>' "$@"; case "$*" in *@-) cat;; esac; }; ` + curlOf(t, call)
		out, err := exec.Command(shell, "-c", script).CombinedOutput()
		require.NoError(t, err, string(out))
		return string(out)
	}
	got := run(Call{Prompt: "it's $HOME `id`\n\"\\"})
	assert.Contains(t, got, `<Authorization: Bearer sk-mine>`)
	assert.True(t, strings.HasSuffix(got, `<--data-binary><{"input":"it's $HOME `+"`id`"+`\n\"\\","model":""}>`), got)

	got = run(Call{Fault: NotJSON, Prompt: "\x01%d\\n\xc3'"})
	assert.True(t, strings.HasSuffix(got, "<@->not JSON: \x01%d\\n\xc3'"), "%q", got)

	got = run(Call{Fault: Oversize, OversizeBytes: 30})
	assert.True(t, strings.HasSuffix(got, `<@->{"input":"xxxxxxx","model":""}`), got)
}
