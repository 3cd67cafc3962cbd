package gatecert_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	modulePath       = "github.com/gatecert/gatecert"
	architecturePage = "docs/architecture.md"
)

// goPackage is what the tests of this file read of `go list -json`.
type goPackage struct {
	ImportPath string
	Name       string
	Doc        string
	Standard   bool
	GoFiles    []string
	Imports    []string
}

// goList returns the packages that `go list` prints for args. Test files and what only they import are left out.
func goList(t *testing.T, args ...string) []goPackage {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", append([]string{"list", "-json=ImportPath,Name,Doc,Standard,GoFiles,Imports"}, args...)...)
	command.Stderr = os.Stderr
	out, err := command.Output()
	require.NoError(t, err)
	var packages []goPackage
	for decoder := json.NewDecoder(strings.NewReader(string(out))); decoder.More(); {
		var p goPackage
		require.NoError(t, decoder.Decode(&p))
		packages = append(packages, p)
	}
	return packages
}

// packageName is the name of a package on the architecture page: its path below the module, "gatecert" for the root package.
// ok is false for a package of another module.
func packageName(importPath string) (name string, ok bool) {
	if importPath == modulePath {
		return "gatecert", true
	}
	return strings.CutPrefix(importPath, modulePath+"/")
}

// layers reads the block ```layers of the architecture page: a number and the packages of that layer on every line.
func layers(t *testing.T, page string) map[string]int {
	t.Helper()
	_, rest, found := strings.Cut(page, "\n```layers\n")
	require.True(t, found, "%s: want a block that begins with ```layers", architecturePage)
	block, _, found := strings.Cut(rest, "\n```\n")
	require.True(t, found, "%s: the block ```layers has no end", architecturePage)
	layerOf := make(map[string]int)
	for line := range strings.Lines(block) {
		fields := strings.Fields(line)
		require.NotEmpty(t, fields, "%s: empty line in the block ```layers", architecturePage)
		layer, err := strconv.Atoi(fields[0])
		require.NoError(t, err, "%s: a line of the block ```layers begins with its number: %q", architecturePage, line)
		for _, name := range fields[1:] {
			require.NotContains(t, layerOf, name, "%s: package %s is in two layers", architecturePage, name)
			layerOf[name] = layer
		}
	}
	return layerOf
}

// TestEveryImportPointsDown compares the picture of docs/architecture.md with the imports of the code.
func TestEveryImportPointsDown(t *testing.T) {
	raw, err := os.ReadFile(architecturePage)
	require.NoError(t, err)
	page := string(raw)
	layerOf := layers(t, page)

	var packages []string
	for _, p := range goList(t, "./...") {
		name, ok := packageName(p.ImportPath)
		if !ok || len(p.GoFiles) == 0 { // a folder of tests only
			continue
		}
		packages = append(packages, name)
		layer, placed := layerOf[name]
		if !placed {
			t.Errorf("%s: package %s is missing: put it into a layer of the block ```layers above everything it imports, and into the table", architecturePage, name)
			continue
		}
		for _, imported := range p.Imports {
			below, ok := packageName(imported)
			if lower, placed := layerOf[below]; ok && placed && lower >= layer {
				t.Errorf("%s imports %s: layer %d must not import layer %d: move the code down, or the package up in %s", name, below, layer, lower, architecturePage)
			}
		}
		if !strings.Contains(page, "\n| `"+name+"` |") {
			t.Errorf("%s: package %s has no line in the table of packages: want one that begins with \"| `%s` |\"", architecturePage, name, name)
		}
	}
	for name := range layerOf {
		assert.Contains(t, packages, name, "%s: the block ```layers names a package that does not exist", architecturePage)
	}
	for _, line := range regexp.MustCompile("(?m)^\\| `([a-z/]+)` \\|").FindAllStringSubmatch(page, -1) {
		assert.Contains(t, packages, line[1], "%s: the table names a package that does not exist", architecturePage)
	}
}

// TestLinkedModules holds what an embedder, a renderer and the rules of the contract link.
func TestLinkedModules(t *testing.T) {
	for _, tt := range []struct {
		packages []string
		never    []string // prefixes of import paths
		reason   string
	}{
		{
			[]string{".", "./gatecerttest"},
			[]string{"modernc.org/", "github.com/tiktoken-go/", "github.com/chromedp/", "github.com/alecthomas/kong", "github.com/vbauerster/mpb", "github.com/stretchr/testify", "go.opentelemetry.io/",
				"github.com/nats-io/", modulePath + "/load/fleet", modulePath + "/targets/reference", modulePath + "/targets/newapi", modulePath + "/targets/store", modulePath + "/reports/certificate"},
			"a gateway's tests link the static driver only: other drivers and stores are injected by who needs them",
		},
		{
			[]string{"./reports/..."},
			[]string{"net/http", "github.com/tsenart/vegeta", "github.com/tiktoken-go/", "github.com/goccy/go-yaml", "github.com/cucumber/godog", "modernc.org/",
				modulePath + "/load", modulePath + "/targets", modulePath + "/exchange", modulePath + "/steps", modulePath + "/internal/runner"},
			"reports, baselines and certificates are functions of the log: they need no engine, no network client, no tokenizer, no profile and no YAML parser",
		},
	} {
		for _, p := range goList(t, append([]string{"-deps"}, tt.packages...)...) {
			if slices.ContainsFunc(tt.never, func(prefix string) bool { return strings.HasPrefix(p.ImportPath, prefix) }) {
				t.Errorf("%s link %s: %s; `go list -deps -f '{{.ImportPath}}: {{.Imports}}' %[1]s` shows the way", strings.Join(tt.packages, " "), p.ImportPath, tt.reason)
			}
		}
	}
}

// TestContractAndDialectAreStandardLibraryOnly keeps the two lowest layers free of every other module.
func TestContractAndDialectAreStandardLibraryOnly(t *testing.T) {
	for _, p := range goList(t, "-deps", "./contract", "./dialect") {
		if name, ok := packageName(p.ImportPath); !p.Standard && (!ok || name != "contract" && name != "dialect") {
			t.Errorf("./contract ./dialect link %s: they may import each other and the standard library", p.ImportPath)
		}
	}
}

// TestEveryPackageHasADocComment keeps the first sentence that pkg.go.dev and `go doc` show of a package.
func TestEveryPackageHasADocComment(t *testing.T) {
	for _, p := range goList(t, "./...") {
		if len(p.GoFiles) == 0 {
			continue
		}
		want := "Package " + p.Name + " "
		if p.Name == "main" {
			want = "Command "
		}
		assert.True(t, strings.HasPrefix(p.Doc, want), "%s: its package comment begins with %q, got %q", p.ImportPath, want, p.Doc)
	}
}
