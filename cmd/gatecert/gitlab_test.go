//go:build !race

package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var pipelineInput = regexp.MustCompile(`\$\[\[ inputs\.(\w+) \]\]`)

// playComponent runs the scripts of the GitLab component as a runner does, with the inputs given and a wget that finds the releases.
func playComponent(t *testing.T, served *releases, inputs map[string]string) (dir, printed string, err error) {
	t.Helper()
	var spec struct {
		Spec struct {
			Inputs map[string]struct{ Default *string }
		}
	}
	var job struct {
		Gatecert struct {
			Variables map[string]string
			Script    []string
			Before    []string `yaml:"before_script"`
		}
	}
	text := fileText(t, "../../templates/gatecert.yml")
	head, body, found := strings.Cut(text, "\n---\n")
	require.True(t, found)
	require.NoError(t, yaml.Unmarshal([]byte(head), &spec))
	body = pipelineInput.ReplaceAllStringFunc(body, func(expression string) string {
		name := pipelineInput.FindStringSubmatch(expression)[1]
		input, declared := spec.Spec.Inputs[name]
		require.True(t, declared, "input %s is not declared", name)
		if value, given := inputs[name]; given {
			return value
		}
		require.NotNil(t, input.Default, "input %s is required", name)
		return *input.Default
	})
	require.NoError(t, yaml.Unmarshal([]byte(body), &job))
	tools, dir := t.TempDir(), t.TempDir()
	for path, content := range served.files {
		require.NoError(t, os.WriteFile(filepath.Join(tools, filepath.Base(path)), content, 0o600))
	}
	wget := "#!/bin/sh\nfor url in \"$@\"; do case \"$url\" in -q) ;; */v1.2.3/*) cp \"" + tools + "/${url##*/}\" . ;; *) exit 8 ;; esac; done\n"
	require.NoError(t, os.WriteFile(filepath.Join(tools, "wget"), []byte(wget), 0o700))
	var out bytes.Buffer
	script := exec.CommandContext(t.Context(), "sh", "-e", "-c", strings.Join(append(job.Gatecert.Before, job.Gatecert.Script...), "\n"))
	script.Dir, script.Stdout, script.Stderr = dir, &out, &out
	script.Env = []string{"HOME=" + dir, "PATH=" + tools + string(os.PathListSeparator) + os.Getenv("PATH")}
	for name, value := range job.Gatecert.Variables {
		script.Env = append(script.Env, name+"="+value)
	}
	err = script.Run()
	return dir, out.String(), err
}

func TestTheGitLabComponentCertifies(t *testing.T) {
	t.Parallel()
	dir, printed, err := playComponent(t, release(t), map[string]string{"version": "v1.2.3", "rows": "http:404", "level": "edge"})
	require.NoError(t, err, printed)
	assert.Contains(t, printed, "1 of 1 selected row passes")
	assert.FileExists(t, filepath.Join(dir, "gatecert-report", "junit.xml"))
}

func TestTheGitLabComponentVerifiesWhatItRuns(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(map[string][]byte){
		"another archive": func(files map[string][]byte) {
			for file := range files {
				if strings.HasSuffix(file, ".gz") {
					files[file] = append(files[file], 0)
				}
			}
		},
		"no checksum of it": func(files map[string][]byte) { files["/v1.2.3/checksums.txt"] = []byte("0  another.tar.gz\n") },
	} {
		t.Run(name, func(t *testing.T) {
			served := release(t)
			spoil(served.files)
			_, printed, err := playComponent(t, served, map[string]string{"version": "v1.2.3"})
			require.Error(t, err)
			assert.NotContains(t, printed, "conformant")
		})
	}
	_, _, err := playComponent(t, release(t), map[string]string{"version": "v9.9.9"})
	require.Error(t, err)
	_, printed, err := playComponent(t, release(t), map[string]string{"version": "v1.2.3", "rows": "$(touch pwned); x"})
	require.Error(t, err, printed)
	assert.Equal(t, 2, err.(*exec.ExitError).ExitCode(), "an input is a word") //nolint:errorlint // Run returns it as it is
}
