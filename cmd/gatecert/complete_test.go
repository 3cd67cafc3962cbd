//go:build !race

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/targets/mutants"
)

// completed are the words that may follow, without their descriptions.
func completed(t *testing.T, words ...string) (values []string) {
	t.Helper()
	code, stdout, stderr := invoke(t.Context(), append([]string{"complete", "--"}, words...)...)
	require.Equal(t, exitConformant, code, stderr)
	for line := range strings.Lines(stdout) {
		value, _, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		values = append(values, value)
	}
	return values
}

func TestWordsAreCompleted(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"ru", "run"},
		{"no-such", ""},
		{"load so", "soak"},
		{"load soak --ra", "--rate"},
		{"run --level ed", "edge"},
		{"run --level=ed", "--level=edge"},
		{"run --rows http:40", "http:400 http:401 http:403 http:404"},
		{"run --rows http:404,http:42", "http:404,http:429"},
		{"run --rows=http:404,http:42", "--rows=http:404,http:429"},
		{"run --surfaces chat,mess", "chat,messages chat,messages-stream"},
		{"run --format h", "html har"},
		{"run --yes --level f", "full"}, // a flag without a value takes none
		{"run --target ", ""},           // the shell completes files
		{"run --target list --level f", "full"},
		{"explain http:5", "http:5xx"},
		{"explain http:404 ", ""}, // it takes one row
		{"list mu", "mutants"},
		{"diff --format m", "md"},
		{"replay code:model_not_found/absent-model/chat-", "code:model_not_found/absent-model/chat-stream"},
		{"run -- --lev", ""},
		{"completion f", "fish"},
		{"load capacity --surface chat-", "chat-stream"},
		{"%empty%", "run init check load watch clean trust report matrix hall diff certify verify keygen replay list explain gateway upstream clients selftest fleet worker version completion man"},
	} {
		t.Run(c.line, func(t *testing.T) {
			assert.Equal(t, strings.Fields(c.want), append([]string{}, completed(t, strings.Split(c.line, " ")...)...))
		})
	}
	assert.Len(t, completed(t, "replay", ""), len(contract.Cases()))
	assert.Len(t, completed(t, "selftest", "--mutant", ""), len(mutants.All()))
	assert.Len(t, completed(t, "gateway", "--mutant", ""), len(mutants.All())+len(mutants.Permitted()))
}

// TestTheShellsComplete asks real shells, those that are installed.
func TestTheShellsComplete(t *testing.T) {
	binary := commandFile(t)
	t.Setenv("PATH", filepath.Dir(binary)+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv(asCommand, "1")
	script := func(shell string) string {
		code, stdout, stderr := invoke(t.Context(), "completion", shell)
		require.Equal(t, exitConformant, code, stderr)
		path := filepath.Join(t.TempDir(), "script")
		require.NoError(t, os.WriteFile(path, []byte(stdout), 0o600))
		return path
	}
	ask := func(t *testing.T, shell string, arguments ...string) []string {
		t.Helper()
		path, err := exec.LookPath(shell)
		if err != nil {
			t.Skip("no " + shell)
		}
		out, err := exec.CommandContext(t.Context(), path, arguments...).CombinedOutput()
		require.NoError(t, err, string(out))
		return strings.Split(strings.TrimSpace(string(out)), "\n")
	}
	for _, c := range []struct {
		line string
		bash []string // what replaces the text after the last colon or equals sign
		fish []string
	}{
		{"gatecert expl", []string{"explain"}, []string{"explain"}},
		{"gatecert explain http:40", []string{"400", "401", "403", "404"}, []string{"http:400", "http:401", "http:403", "http:404"}},
		{"gatecert run --rows=http:42", []string{"429"}, []string{"--rows=http:429"}},
		{"gatecert run --level e", []string{"edge"}, []string{"edge"}},
	} {
		t.Run("bash: "+c.line, func(t *testing.T) {
			out := ask(t, "bash", "--norc", "-c", `. "$1"; COMP_LINE=$2 COMP_POINT=${#2}; _gatecert; printf '%s\n' "${COMPREPLY[@]}"`, "bash", script("bash"), c.line)
			assert.Equal(t, c.bash, out)
		})
		t.Run("fish: "+c.line, func(t *testing.T) {
			out := ask(t, "fish", "--no-config", "-c", `source $argv[1]; complete --do-complete $argv[2]`, script("fish"), c.line)
			for i := range out {
				out[i], _, _ = strings.Cut(out[i], "\t")
			}
			assert.Equal(t, c.fish, out)
		})
	}
	t.Run("zsh: the script is one", func(t *testing.T) { ask(t, "zsh", "-n", script("zsh")) })
}

func TestTheManPageNamesEveryCommandAndFlag(t *testing.T) {
	code, page, stderr := invoke(t.Context(), "man")
	require.Equal(t, exitConformant, code, stderr)
	for _, want := range []string{".TH GATECERT 1", ".SS gatecert load rate\\-limit", "\\fB\\-\\-update\\-baseline\\fR", "GATEWAY_KEY", ".SH EXIT STATUS", "\\fB5\\fR"} {
		assert.Contains(t, page, want)
	}
	assert.NotContains(t, page, "gatecert complete")
	_, again, _ := invoke(t.Context(), "man")
	assert.Equal(t, page, again)
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Skip("no groff")
	}
	check := exec.CommandContext(t.Context(), groff, "-man", "-Tutf8", "-ww", "-z")
	check.Stdin = strings.NewReader(page)
	warnings, err := check.CombinedOutput()
	require.NoError(t, err)
	assert.Empty(t, string(warnings))
}
