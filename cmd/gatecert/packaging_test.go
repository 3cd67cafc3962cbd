package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/internal/version"
)

func fileText(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(raw)
}

// TestReleasesAreBuiltInOneWay: who builds a commit by any of the ways gets the same bytes.
func TestReleasesAreBuiltInOneWay(t *testing.T) {
	var releaser struct {
		Builds []struct {
			Env, Flags, Ldflags, Goos, Goarch []string
		}
		Kos []struct {
			BaseImage string `yaml:"base_image"`
			Platforms []string
		}
	}
	require.NoError(t, yaml.Unmarshal([]byte(fileText(t, "../../.goreleaser.yaml")), &releaser))
	var ko struct {
		DefaultBaseImage string   `yaml:"defaultBaseImage"`
		DefaultPlatforms []string `yaml:"defaultPlatforms"`
		Builds           []struct{ Env, Flags, Ldflags []string }
	}
	require.NoError(t, yaml.Unmarshal([]byte(fileText(t, "../../.ko.yaml")), &ko))
	makefile := fileText(t, "../../Makefile")
	b := releaser.Builds[0]
	assert.Contains(t, makefile, fmt.Sprintf("STATIC_FLAGS := %s '-ldflags=%s'\n", strings.Join(b.Flags, " "), strings.Join(b.Ldflags, " ")))
	assert.Contains(t, makefile, "\t"+b.Env[0]+" $(GO) build $(STATIC_FLAGS)")
	assert.Equal(t, b.Env, ko.Builds[0].Env)
	assert.Equal(t, b.Flags, ko.Builds[0].Flags)
	assert.Equal(t, strings.Join(b.Ldflags, " "), strings.Join(ko.Builds[0].Ldflags, " "))
	assert.Equal(t, []string{"linux", "darwin", "windows"}, b.Goos)
	assert.Equal(t, []string{"amd64", "arm64"}, b.Goarch)
	assert.Equal(t, ko.DefaultBaseImage, releaser.Kos[0].BaseImage)
	assert.Equal(t, ko.DefaultPlatforms, releaser.Kos[0].Platforms)
	assert.Contains(t, fileText(t, "../../Dockerfile"), "\nFROM "+ko.DefaultBaseImage+"\n")
}

// TestTheDockerfileKeepsTheRulesThatMatter holds the rules of hadolint and of the Docker documentation by which images are refused.
func TestTheDockerfileKeepsTheRulesThatMatter(t *testing.T) {
	images := strings.Split(fileText(t, "../../Dockerfile"), "\nFROM ")
	require.Len(t, images, 3, "one builds, one is released")
	last := images[2]
	for _, part := range images[1:] {
		image := strings.Fields(strings.TrimPrefix(part, "--platform=$BUILDPLATFORM "))[0]
		assert.Regexp(t, `:[\w.-]+$`, image, "a base image has a tag")
		assert.NotRegexp(t, `:latest$`, image)
	}
	assert.Regexp(t, `(?m)^USER [1-9]\d*:[1-9]\d*$`, last, "a number, so that Kubernetes can check runAsNonRoot")
	assert.Regexp(t, `(?m)^ENTRYPOINT \["/`, last, "without a shell, so that signals arrive")
	assert.Regexp(t, `(?m)^WORKDIR /`, last)
	assert.NotRegexp(t, `(?m)^(ADD|RUN|ENV|ARG) `, last, "the image is the base and one file")
	assert.Equal(t, 1, strings.Count(last, "COPY "))
	ignored := strings.Split(fileText(t, "../../.dockerignore"), "\n")
	assert.Contains(t, ignored, "*.pem", "keys of certificates do not enter the build")
	assert.NotContains(t, ignored, "reports/", "it is a package too")
}

func TestTheFormulaNamesTheArchivesOfItsRelease(t *testing.T) {
	var sums strings.Builder
	n := 0
	for _, system := range []string{"darwin", "linux", "windows"} {
		for _, machine := range []string{"amd64", "arm64"} {
			extension := "tar.gz"
			if system == "windows" {
				extension = "zip"
			}
			n++
			fmt.Fprintf(&sums, "%064x  gatecert_1.2.3-rc.1_%s_%s.%s\n", n, system, machine, extension)
		}
	}
	path := filepath.Join(t.TempDir(), "checksums.txt")
	formula := func(checksums string) (string, error) {
		require.NoError(t, os.WriteFile(path, []byte(checksums), 0o600))
		out, err := exec.CommandContext(t.Context(), "../../packaging/homebrew.sh", path).CombinedOutput()
		return string(out), err
	}
	text, err := formula(sums.String())
	require.NoError(t, err, text)
	pairs := regexp.MustCompile(`url "(\S+)"\s+sha256 "0*(\d+)"`).FindAllStringSubmatch(text, -1)
	require.Len(t, pairs, 4)
	base := "https://github.com/gatecert/gatecert/releases/download/v1.2.3-rc.1/gatecert_1.2.3-rc.1_"
	for i, want := range []string{"2 darwin_arm64", "1 darwin_amd64", "4 linux_arm64", "3 linux_amd64"} {
		sum, name, _ := strings.Cut(want, " ")
		assert.Equal(t, []string{base + name + ".tar.gz", sum}, pairs[i][1:])
	}
	if ruby, err := exec.LookPath("ruby"); err == nil {
		out, err := exec.CommandContext(t.Context(), ruby, "-c", "-e", text).CombinedOutput()
		assert.NoError(t, err, string(out))
	}
	for _, broken := range []string{"", strings.Replace(sums.String(), "linux_arm64", "plan9_arm64", 1)} {
		text, err := formula(broken)
		assert.Error(t, err, "a formula with a hole: %s", text)
	}
}

var writtenFlag = regexp.MustCompile(`--[a-z]+(?:-[a-z]+)*`)

// What is deployed calls commands with flags that they have, and is of this version.
func TestDeploymentsCallTheCommandAsItIs(t *testing.T) {
	known := make(map[string]bool)
	parser, err := newParser(t.Context(), &console{out: io.Discard, err: io.Discard})
	require.NoError(t, err)
	for _, command := range parser.Model.Children {
		if command.Name == "watch" || command.Name == "run" {
			for _, flag := range command.Flags {
				known["--"+flag.Name] = true
			}
		}
	}
	for _, file := range []string{
		"kubernetes/watch.yaml", "kubernetes/cronjob.yaml",
		"helm/gatecert/templates/_helpers.tpl", "helm/gatecert/templates/watch.yaml", "helm/gatecert/templates/cronjob.yaml",
	} {
		flags := writtenFlag.FindAllString(fileText(t, "../../deploy/"+file), -1)
		assert.NotEmpty(t, flags, file)
		for _, flag := range flags {
			assert.True(t, known[flag], "%s: %s", file, flag)
		}
	}
	assert.Contains(t, fileText(t, "../../deploy/helm/gatecert/Chart.yaml"), "\nappVersion: "+version.Number+"\n")
	assert.Contains(t, fileText(t, "../../deploy/kubernetes/watch.yaml"), "gatecert:"+version.Number+"\n")
	assert.Equal(t, fileText(t, "../../deploy/prometheus/gatecert.rules.yaml"), fileText(t, "../../deploy/helm/gatecert/gatecert.rules.yaml"))
}

// What .goreleaser.yaml and the targets name is there.
func TestWorkflowsCallTargetsOfTheMakefile(t *testing.T) {
	makefile := fileText(t, "../../Makefile")
	for _, workflow := range []string{"release.yml", "ci.yml"} {
		text := fileText(t, "../../.github/workflows/"+workflow)
		for _, call := range regexp.MustCompile(`run: make ([a-z-]+)`).FindAllStringSubmatch(text, -1) {
			assert.Contains(t, makefile, "\n"+call[1]+":", workflow)
		}
		for _, action := range regexp.MustCompile(`uses: (\S+)`).FindAllStringSubmatch(text, -1) {
			assert.Regexp(t, `@[0-9a-f]{40}$`, action[1], "%s: an action is pinned by its commit", workflow)
		}
		assert.Contains(t, text, "\npermissions:\n  contents: read\n", workflow)
	}
}
