//go:build !race

package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// runnerStub plays a composite action as GitHub's runner does: one step after the other, each in a shell of its own, with the expressions
// of its environment evaluated, and with the files through which steps tell the runner something.
type runnerStub struct {
	t *testing.T
	// inputs are those of the workflow.
	inputs map[string]string
	// ref is the ref of the action that the workflow names.
	ref string
	// environment is added to that of every step, after its own.
	environment []string

	dir, printed string
	path         []string
	outputs      map[string]string // "install.installed"
	// used are the actions that were called, and ran the named steps whose scripts ran.
	used, ran []string
}

var outputsOf = regexp.MustCompile(`steps\.([\w.-]+)\.outputs\.([\w-]+)`)

// value evaluates the expressions that action.yml has.
func (r *runnerStub) value(a action, expression string) string {
	inner, ok := strings.CutPrefix(expression, "${{ ")
	if !ok {
		return expression
	}
	for part := range strings.SplitSeq(strings.TrimSuffix(inner, " }}"), " || ") {
		var value string
		switch name, isInput := strings.CutPrefix(part, "inputs."); {
		case isInput:
			given, set := r.inputs[name]
			if value = given; !set {
				value = a.Inputs[name].Default
			}
		case part == "github.action_ref":
			value = r.ref
		case part == "github.action_path":
			value = filepath.Join(r.dir, "action")
		default:
			match := outputsOf.FindStringSubmatch(part)
			require.NotNil(r.t, match, "the stub does not know the expression %s", part)
			value = r.outputs[match[1]+"."+match[2]]
		}
		if value != "" {
			return value
		}
	}
	return ""
}

// runs evaluates the conditions that action.yml has.
func (r *runnerStub) runs(a action, condition string, failed bool) bool {
	always := strings.Contains(condition, "always()")
	if failed && !always {
		return false
	}
	for part := range strings.SplitSeq(condition, " && ") {
		left, right, compared := strings.Cut(part, " != ")
		if compared && r.value(a, "${{ "+left+" }}") == strings.Trim(right, "'") {
			return false
		}
	}
	return true
}

// play returns the error of the first step that failed.
func (r *runnerStub) play(a action) (first error) {
	r.dir, r.outputs = r.t.TempDir(), make(map[string]string)
	require.NoError(r.t, os.MkdirAll(filepath.Join(r.dir, "action"), 0o700))
	file := func(name string) string { return filepath.Join(r.dir, name) }
	for _, step := range a.Runs.Steps {
		if !r.runs(a, step.If, first != nil) {
			continue
		}
		if step.Uses != "" {
			name, _, _ := strings.Cut(step.Uses, "@")
			r.used = append(r.used, name)
			continue
		}
		r.ran = append(r.ran, step.Name)
		script := exec.CommandContext(r.t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step.Run)
		script.Dir = r.dir
		path := append(slices.Clone(r.path), os.Getenv("PATH"))
		script.Env = []string{"HOME=" + r.dir, "RUNNER_TEMP=" + r.dir, "RUNNER_OS=Linux", "RUNNER_ARCH=" + map[string]string{"amd64": "X64", "arm64": "ARM64"}[runtime.GOARCH]}
		for _, name := range []string{"GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY"} {
			require.NoError(r.t, os.WriteFile(file(name), nil, 0o600))
			script.Env = append(script.Env, name+"="+file(name))
		}
		for name, expression := range step.Env {
			script.Env = append(script.Env, name+"="+r.value(a, expression))
		}
		script.Env = append(script.Env, r.environment...)
		script.Env = append(script.Env, "PATH="+strings.Join(path, string(os.PathListSeparator)))
		printed, err := script.CombinedOutput()
		r.printed += string(printed)
		if err != nil && first == nil {
			first = fmt.Errorf("%s: %w", step.Name, err)
		}
		for line := range strings.Lines(string(r.read(file("GITHUB_OUTPUT")))) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
			r.outputs[step.ID+"."+name] = value
		}
		r.path = append(strings.Fields(string(r.read(file("GITHUB_PATH")))), r.path...)
	}
	return first
}

func (r *runnerStub) read(path string) []byte {
	raw, err := os.ReadFile(path)
	require.NoError(r.t, err)
	return raw
}

// releases serves the releases of one version, and records what was asked for.
type releases struct {
	*httptest.Server
	files map[string][]byte

	mu    sync.Mutex
	asked []string
}

func (r *releases) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked = append(r.asked, request.URL.Path)
	content, found := r.files[request.URL.Path]
	if !found {
		http.NotFound(w, request)
		return
	}
	_, _ = w.Write(content)
}

// release is one of v1.2.3, whose archive has a gatecert that is this test as a command.
func release(t *testing.T) *releases {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	script := []byte("#!/bin/sh\n" + asCommand + "=1 exec '" + self + "' \"$@\"\n")
	var packed bytes.Buffer
	zipped := gzip.NewWriter(&packed)
	archive := tar.NewWriter(zipped)
	require.NoError(t, archive.WriteHeader(&tar.Header{Name: "gatecert", Mode: 0o755, Size: int64(len(script))}))
	_, err = archive.Write(script)
	require.NoError(t, err)
	require.NoError(t, archive.Close())
	require.NoError(t, zipped.Close())
	name := "gatecert_1.2.3_linux_" + runtime.GOARCH + ".tar.gz"
	r := &releases{files: map[string][]byte{
		"/v1.2.3/" + name:       packed.Bytes(),
		"/v1.2.3/checksums.txt": fmt.Appendf(nil, "%x  another.tar.gz\n%x  %s\n", sha256.Sum256(nil), sha256.Sum256(packed.Bytes()), name),
	}}
	r.Server = httptest.NewTLSServer(r)
	t.Cleanup(r.Close)
	return r
}

// stub is a runner that finds the releases, and a go that says what it would build.
func (r *releases) stub(t *testing.T, ref string, inputs map[string]string) *runnerStub {
	t.Helper()
	certificate := filepath.Join(t.TempDir(), "ca.pem")
	encoded := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: r.Certificate().Raw})
	require.NoError(t, os.WriteFile(certificate, encoded, 0o600))
	tools := t.TempDir()
	self, err := os.Executable()
	require.NoError(t, err)
	fake := "#!/bin/sh\necho \"go $*, in ${PWD##*/}\"\nprintf '#!/bin/sh\\n" + asCommand + "=1 exec " + self + " \"$@\"\\n' >\"" + tools + "/gatecert\"\nchmod +x \"" + tools + "/gatecert\"\n"
	require.NoError(t, os.WriteFile(filepath.Join(tools, "go"), []byte(fake), 0o700))
	return &runnerStub{
		t: t, ref: ref, inputs: inputs, path: []string{tools},
		environment: []string{"GATECERT_RELEASES=" + r.URL, "CURL_CA_BUNDLE=" + certificate},
	}
}

const builtFromSource = "go install -trimpath -buildvcs=false ./cmd/gatecert, in action"

func TestTheActionInstallsTheReleaseOfItsTag(t *testing.T) {
	t.Parallel()
	served := release(t)
	r := served.stub(t, "v1.2.3", map[string]string{"rows": "http:404", "surfaces": "chat", "level": "edge"})
	require.NoError(t, r.play(readAction(t)), r.printed)
	assert.Equal(t, []string{"Install the release", "Certify", "Outcome"}, r.ran)
	assert.Equal(t, []string{"actions/upload-artifact"}, r.used, "no Go is set up")
	assert.Contains(t, r.printed, "1 of 1 selected row passes")
	assert.Equal(t, "0", r.outputs["run.exit-code"])
	assert.NotContains(t, r.printed, "go install")
	assert.FileExists(t, filepath.Join(r.dir, "gatecert-report", "junit.xml"))
}

func TestTheActionRefusesAnotherArchiveThanTheReleaseNames(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*releases){
		"another archive": func(r *releases) {
			for file := range r.files {
				if strings.HasSuffix(file, ".gz") {
					r.files[file] = append(r.files[file], 0)
				}
			}
		},
		"no checksum of it": func(r *releases) { r.files["/v1.2.3/checksums.txt"] = []byte("") },
	} {
		t.Run(name, func(t *testing.T) {
			served := release(t)
			spoil(served)
			r := served.stub(t, "v1.2.3", nil)
			require.Error(t, r.play(readAction(t)))
			assert.Equal(t, []string{"Install the release", "Outcome"}[:1], r.ran[:1])
			assert.NotContains(t, r.ran, "Certify")
			assert.Contains(t, r.printed, "::error title=gatecert::gatecert_1.2.3_linux_"+runtime.GOARCH+".tar.gz does not match its checksum")
			assert.NotContains(t, r.printed, "go install", "nothing else is tried after a spoiled release")
		})
	}
}

// A commit is built from the action's own folder, which the runner has checked out at the ref, and so is a tag without a release.
func TestTheActionBuildsWhatHasNoRelease(t *testing.T) {
	t.Parallel()
	const commit = "0a1727cb1554b5d66a3885b54b1d30136fcd23e4"
	for _, c := range []struct {
		name, ref, version, built string
		asked                     []string
	}{
		{"a commit", commit, "", builtFromSource, nil},
		{"a branch", "main", "", builtFromSource, nil},
		{"a tag that moves", "v1", "", builtFromSource, nil},
		{"a tag without a release", "v1.2.4", "", builtFromSource, []string{"/v1.2.4/checksums.txt"}},
		{"a release by input", commit, "v1.2.3", "", []string{"/v1.2.3/checksums.txt", "/v1.2.3/gatecert_1.2.3_linux_" + runtime.GOARCH + ".tar.gz"}},
		{"a commit by input", "v1.2.3", commit, "go install github.com/gatecert/gatecert/cmd/gatecert@" + commit, nil},
		{"the newest by input", "v1.2.3", "latest", "go install github.com/gatecert/gatecert/cmd/gatecert@latest", nil},
		{"another path by input", "v1.2.3", "v1.2.3/../../x", "go install github.com/gatecert/gatecert/cmd/gatecert@v1.2.3/../../x", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			served := release(t)
			r := served.stub(t, c.ref, map[string]string{"version": c.version, "rows": "no-such-row"})
			require.Error(t, r.play(readAction(t)), "its exit code is that of the run, 2")
			assert.Equal(t, "2", r.outputs["run.exit-code"], r.printed)
			served.mu.Lock()
			defer served.mu.Unlock()
			assert.Equal(t, c.asked, served.asked)
			if c.built == "" {
				assert.NotContains(t, r.printed, "go install")
				return
			}
			assert.Contains(t, r.printed, c.built)
			assert.Contains(t, r.used, "actions/setup-go")
		})
	}
}
