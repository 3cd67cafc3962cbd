//go:build !race

// The race detector watches one process, and these tests start others.

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// action is action.yml as far as its safety and its scripts go.
type action struct {
	Inputs map[string]struct{ Default string }
	Runs   struct {
		Using string
		Steps []struct {
			ID, Name, Uses, Shell, Run, If string
			Env                            map[string]string
		}
	}
}

func readAction(t *testing.T) action {
	t.Helper()
	raw, err := os.ReadFile("../../action.yml")
	require.NoError(t, err)
	var a action
	require.NoError(t, yaml.Unmarshal(raw, &a))
	return a
}

// TestTheActionIsPinned holds what the action runs, and the version that it installs, to what its user has chosen.
func TestTheActionIsPinned(t *testing.T) {
	t.Parallel()
	a := readAction(t)
	for _, s := range a.Runs.Steps {
		if s.Uses != "" {
			assert.Regexp(t, `^[\w-]+/[\w-]+@[0-9a-f]{40}$`, s.Uses, "a tag can be moved")
		}
	}
	assert.Empty(t, a.Inputs["version"].Default)
}

// The key comes from the input or from the job's environment, and reaches a profile as the README writes it.
func TestTheActionTakesTheKeyFromEither(t *testing.T) {
	t.Parallel()
	binary := commandFile(t)
	url, key := baseURL(t, serveGateway(t))
	profile := filepath.Join(t.TempDir(), "profile.yaml")
	text := "name: readme\nbase_url: " + url + "\nsurfaces: [chat]\nkeys: {valid: \"${GATEWAY_KEY}\"}\nmodels: {default: gc-chat}\n"
	require.NoError(t, os.WriteFile(profile, []byte(text), 0o600))
	inputs := map[string]string{"target": profile, "rows": "http:404", "level": "edge"}
	passes := func(inputs map[string]string, environment ...string) {
		t.Helper()
		_, output, _, _ := play(t, binary, inputs, environment...)
		assert.Equal(t, "exit-code=0\n", output)
	}
	passes(inputs, "GATEWAY_KEY="+key)
	inputs["key"] = key
	for _, environment := range [][]string{nil, {"GATEWAY_KEY=another"}} {
		passes(inputs, environment...)
	}
	passes(map[string]string{"url": url, "model": "gc-chat", "rows": "http:404", "yes": "true", "allow-actions": "true"}, "GATEWAY_KEY="+key)
}

func TestTheActionEvaluatesNoInput(t *testing.T) {
	a := readAction(t)
	assert.Equal(t, "composite", a.Runs.Using)
	scripts := 0
	for _, s := range a.Runs.Steps {
		if s.Run == "" {
			assert.NotEmpty(t, s.Uses)
			continue
		}
		scripts++
		assert.Equal(t, "bash", s.Shell, s.Name)
		assert.NotContains(t, s.Run, "${{", "%s: an expression in a script is evaluated before the shell sees it", s.Name)
		assert.NotContains(t, s.Run, "eval", s.Name)
		out, err := exec.CommandContext(t.Context(), "bash", "-n", "-c", s.Run).CombinedOutput()
		assert.NoError(t, err, string(out))
	}
	assert.Equal(t, 4, scripts)
}

// play runs the action's main script as the runner does, with the inputs given, and returns its outputs.
func play(t *testing.T, binary string, inputs map[string]string, environment ...string) (stdout, output, summary, out string) {
	t.Helper()
	a := readAction(t)
	dir := t.TempDir()
	out = filepath.Join(dir, "report")
	env := []string{
		"PATH=" + filepath.Dir(binary) + string(os.PathListSeparator) + os.Getenv("PATH"), "HOME=" + dir,
		asCommand + "=1", "GITHUB_OUTPUT=" + filepath.Join(dir, "output"), "GITHUB_STEP_SUMMARY=" + filepath.Join(dir, "summary"),
	}
	env = append(env, environment...) // of the job: what a step sets comes after it
	for _, s := range a.Runs.Steps {
		if s.ID != "run" {
			continue
		}
		for name, expression := range s.Env {
			input := strings.TrimSuffix(strings.TrimPrefix(expression, "${{ inputs."), " }}")
			value, given := inputs[input]
			if !given {
				value = a.Inputs[input].Default
			}
			if input == "out" {
				value = out
			}
			env = append(env, name+"="+value)
		}
		script := exec.CommandContext(t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", s.Run)
		script.Env, script.Dir = env, dir
		printed, err := script.CombinedOutput()
		require.NoError(t, err, string(printed))
		stdout = string(printed)
	}
	read := func(name string) string {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return ""
		}
		return string(raw)
	}
	assert.NoFileExists(t, filepath.Join(dir, "pwned"))
	return stdout, read("output"), read("summary"), out
}

// commandFile is the command as a file called gatecert, where [asCommand] is set.
func commandFile(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "gatecert")
	require.NoError(t, os.Symlink(self, path))
	return path
}

func TestTheActionCertifiesAndReports(t *testing.T) {
	t.Parallel()
	stdout, output, summary, out := play(t, commandFile(t), map[string]string{"rows": "http:404,code:model_not_found", "surfaces": "chat", "level": "edge"})
	assert.Equal(t, "exit-code=0\n", output)
	assert.Contains(t, stdout, "PASS: 2 of 2 selected rows pass (http:404, code:model_not_found, level edge)")
	assert.Contains(t, summary, "## gatecert: `reference`")
	for _, name := range []string{"run.ndjson", "report.html", "junit.xml"} {
		assert.FileExists(t, filepath.Join(out, name))
	}
}

func TestTheActionAnnotatesFailures(t *testing.T) {
	t.Parallel()
	gateway := serveFaultyGateway(t)
	stdout, output, summary, _ := play(t, commandFile(t), map[string]string{"target": gateway.profile, "rows": "code:model_not_found", "surfaces": "chat"})
	assert.Equal(t, "exit-code=1\n", output)
	assert.Contains(t, stdout, "\n::error title=503 instead of 404::1 case, 1 endpoint, such as code:model_not_found/absent-model/chat: got 503, want 404%0A")
	assert.Contains(t, summary, "### 1 failure, 0 warnings")
	begin, end := strings.Index(stdout, "::stop-commands::"), strings.Index(stdout, "::error title")
	require.GreaterOrEqual(t, begin, 0)
	assert.Less(t, begin, end, "commands are off while the gateway is quoted")
}

func TestInputsOfTheActionAreWordsAndNoShell(t *testing.T) {
	t.Parallel()
	binary := commandFile(t)
	for _, hostile := range []string{"$(touch pwned)", "`touch pwned`", "'; touch pwned; '", "\" ; touch pwned #", "--out=/tmp/elsewhere", "x\ntouch pwned"} {
		for _, input := range []string{"url", "target", "rows", "level", "baseline", "model"} {
			_, output, _, _ := play(t, binary, map[string]string{input: hostile})
			assert.Equal(t, "exit-code=2\n", output, "%s as %q", input, hostile)
		}
	}
}
