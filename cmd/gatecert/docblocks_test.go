//go:build !race

// These run cases one command after the other, as the tests of the root package do with the race detector.

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/freeport"
	"github.com/gatecert/gatecert/targets/reference"
)

// docBlock is a block of a document that a reader types or saves.
type docBlock struct {
	place string // page and line
	mark  string // what the comment above it says
	text  string
}

// The marks that a block may have. The reason why one is not run is for readers of the document's source.
var (
	runMark    = regexp.MustCompile(`^run( on a faulty gateway| in test-whole)?(?:, exit (\d))?$`)
	fileMark   = regexp.MustCompile(`^file (\S+)$`)
	otherMarks = regexp.MustCompile(`^(output( of the next block)?|not run: \S.{20,})$`)
	comment    = regexp.MustCompile(`^<!-- (.*) -->$`)
)

// What the mark of a block that is run may add.
const (
	inWhole  = " in test-whole"
	onFaulty = " on a faulty gateway"

	// nextOutput marks what the next block prints.
	nextOutput = "output of the next block"
)

// docBlocks are the blocks of a page that need a mark (indented ones, and fenced ones for a shell) or have one.
func docBlocks(page, text string) []docBlock {
	var blocks []docBlock
	var block *docBlock
	mark, fence, wanted := "", false, false
	end := func() {
		if block != nil {
			block.text = strings.TrimRight(block.text, "\n") + "\n"
			blocks = append(blocks, *block)
		}
		block, mark = nil, ""
	}
	for number, line := range strings.Split(text, "\n") {
		place := fmt.Sprintf("%s:%d", filepath.Base(page), number+1)
		language, isFence := strings.CutPrefix(line, "```")
		code, indented := strings.CutPrefix(line, "    ")
		switch {
		case fence && isFence:
			if fence = false; wanted {
				end()
			}
			block, mark = nil, ""
		case fence:
			if block != nil {
				block.text += line + "\n"
			}
		case isFence:
			if block != nil {
				end()
			}
			fence, wanted = true, mark != "" || language == "" || language == "sh" || language == "bash"
			if wanted {
				block = &docBlock{place: place, mark: mark}
			}
		case indented && block == nil:
			block = &docBlock{place: place, mark: mark, text: code + "\n"}
		case indented:
			block.text += code + "\n"
		case line == "":
			if block != nil {
				block.text += "\n"
			}
		default:
			if block != nil {
				end()
			}
			mark = ""
			if match := comment.FindStringSubmatch(line); match != nil {
				mark = match[1]
			}
		}
	}
	end()
	return blocks
}

// docPages are the documents whose blocks are tested.
func docPages(t *testing.T) map[string]string {
	t.Helper()
	pages := make(map[string]string)
	for _, pattern := range []string{"../../*.md", "../../docs/*.md", "../../docs/*/*.md"} {
		found, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, page := range found {
			raw, err := os.ReadFile(page)
			require.NoError(t, err)
			pages[page] = string(raw)
		}
	}
	return pages
}

// Every block that a reader would type is run by a test, or says why not.
func TestEveryBlockOfTheDocumentsIsMarked(t *testing.T) {
	t.Parallel()
	run := 0
	for page, text := range docPages(t) {
		for _, b := range docBlocks(page, text) {
			if runMark.MatchString(b.mark) {
				run++
			}
			assert.True(t, runMark.MatchString(b.mark) || fileMark.MatchString(b.mark) || otherMarks.MatchString(b.mark),
				"%s: write <!-- run -->, <!-- file NAME -->, <!-- output --> or <!-- not run: why --> above the block, not %q:\n%s", b.place, b.mark, b.text)
			assert.NotRegexp(t, `\bsleep\b`, b.text, "%s: wait for readiness: --wait, --ready-file", b.place)
		}
	}
	assert.GreaterOrEqual(t, run, 10, "so few blocks are run: does the pattern still find them?")
}

func TestDocumentedMakeTargetsExist(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile("../../Makefile")
	require.NoError(t, err)
	target := regexp.MustCompile(`(?m)(?:^|[\s;` + "`" + `])make ([a-z][a-z-]+)`)
	found := 0
	for page, text := range docPages(t) {
		if filepath.Base(page) == "CHANGELOG.md" {
			continue
		}
		for _, b := range docBlocks(page, text) {
			for _, match := range target.FindAllStringSubmatch(b.text, -1) {
				found++
				assert.Contains(t, string(makefile), "\n"+match[1]+":", "%s: make %s", b.place, match[1])
			}
		}
	}
	assert.Greater(t, found, 8)
}

// docWorld is the folder in which the blocks of a page are run, one after the other, and the gateways that it calls.
type docWorld struct {
	dir             string
	gateway, faulty string // profiles
	// listening is the URL and the key of a gateway whose upstream is not there: a run plays it.
	listening, listeningKey, upstream string
	replaced                          *strings.Replacer
	env                               []string
}

// docSurfaces are the endpoints that the blocks run, to be quick. make test-whole runs all.
const docSurfaces = "chat,embeddings"

// docRows are the rows that the blocks of a page run, to be quick. few says that its gateways are faulty in these rows only, so
// that make test-whole must not run more either.
func docRows(page string) (rows string, few bool) {
	switch filepath.Base(page) {
	case "self-test.md":
		return "code:insufficient_user_quota", true
	case "ci.md":
		return "code:bad_request_body,code:model_not_found", true
	default:
		return "code:bad_request_body,code:model_not_found", false
	}
}

func newDocWorld(t *testing.T) *docWorld {
	w := &docWorld{dir: t.TempDir(), gateway: serveGateway(t), upstream: freeport.Address(t)}
	w.faulty = serveGateway(t, "--mutant", "malformed-body-as-500,unknown-embedding-model-as-400")
	server, err := reference.Serve(t.Context(), "127.0.0.1:0", reference.Options{Upstream: "http://" + w.upstream})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, server.Close()) })
	w.listening, w.listeningKey = server.URL(), server.Gateway.Fixtures().Keys.Valid
	url, key := baseURL(t, w.gateway)
	model := server.Gateway.Profile("", "").Models.On(dialect.Chat)
	w.replaced = strings.NewReplacer("https://gateway.example", url, "gpt-4o-mini", model, "routed-to-gatecert", model, "sk-…", key, "127.0.0.1:9901", w.upstream,
		"2027-03-31", time.Now().AddDate(1, 0, 0).Format(time.DateOnly))
	w.addPrograms(t)
	w.env = append(os.Environ(), "PATH="+filepath.Join(w.dir, "bin")+":"+os.Getenv("PATH"), "GATEWAY_KEY="+key)
	return w
}

// addPrograms puts gatecert and make where the blocks find them: gatecert is this binary, and make builds nothing again.
func (w *docWorld) addPrograms(t *testing.T) {
	self, err := filepath.Abs(os.Args[0])
	require.NoError(t, err)
	repository, err := filepath.Abs("../..")
	require.NoError(t, err)
	bin := filepath.Join(w.dir, "bin")
	require.NoError(t, os.MkdirAll(bin, 0o750))
	// Another test, or somebody else, may have the addresses that a gateway has by default.
	elsewhere := fmt.Sprintf(`[ "$1" != gateway ] || set -- "$@" --listen %s --upstream %s`, freeport.Address(t), freeport.Address(t))
	for name, line := range map[string]string{
		"gatecert": elsewhere + "\n" + asCommand + "=1 exec '" + self + `' "$@"`,
		"make":     "exec '" + mustLook(t, "make") + "' --dry-run -C '" + repository + `' "$@"`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+line+"\n"), 0o700))
	}
}

func mustLook(t *testing.T, program string) string {
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("no %s: %v", program, err)
	}
	return path
}

// save writes a block that is a file. A profile whose upstream a run plays is that of the gateway without one.
func (w *docWorld) save(t *testing.T, name, text string) {
	if strings.Contains(text, "listen:") {
		text = strings.NewReplacer("https://gateway.example", w.listening, "${GATEWAY_KEY}", w.listeningKey).Replace(text)
	}
	require.NoError(t, os.WriteFile(filepath.Join(w.dir, name), []byte(w.replaced.Replace(text)), 0o600))
}

// run runs a block as bash does, which ends at the first command that fails, and returns the exit code of that. What it left
// running ends with it.
func (w *docWorld) run(t *testing.T, block string) (code int, printed string) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, mustLook(t, "bash"), "-euo", "pipefail", "-c", w.replaced.Replace(block))
	cmd.Dir, cmd.Env = w.dir, w.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := os.CreateTemp(t.TempDir(), "printed")
	require.NoError(t, err)
	defer out.Close()
	cmd.Stdout, cmd.Stderr = out, out // a file: a process that stays behind would keep a pipe open
	err = cmd.Run()
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
	text, readErr := os.ReadFile(out.Name())
	require.NoError(t, readErr)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return cmd.ProcessState.ExitCode(), string(text)
}

// prepare writes the files that a block expects to be there.
func (w *docWorld) prepare(t *testing.T, faulty bool) {
	from := w.gateway
	if faulty {
		from = w.faulty
	}
	for _, name := range []string{"gateway.yaml", "my-gateway.yaml"} {
		if path := filepath.Join(w.dir, name); name == "gateway.yaml" || gone(path) {
			raw, err := os.ReadFile(from)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, raw, 0o600))
		}
	}
}

// runDocuments runs the blocks of every page, and expects each to succeed.
// With whole, they run all cases, where the page is not about a few.
func runDocuments(t *testing.T, whole bool) {
	for page, text := range docPages(t) {
		blocks := docBlocks(page, text)
		if !strings.Contains(text, "<!-- run") {
			continue
		}
		t.Run(filepath.Base(page), func(t *testing.T) {
			t.Parallel()
			w := newDocWorld(t)
			if rows, few := docRows(page); few || !whole {
				w.env = append(w.env, "GATECERT_ROWS="+rows, "GATECERT_SURFACES="+docSurfaces)
			}
			for i, b := range blocks {
				if match := fileMark.FindStringSubmatch(b.mark); match != nil {
					w.save(t, match[1], b.text)
				}
				match := runMark.FindStringSubmatch(b.mark)
				if match == nil || match[1] == inWhole && !whole {
					continue
				}
				w.prepare(t, match[1] == onFaulty)
				w.earlierRuns(t, b.text)
				began := time.Now()
				want, _ := strconv.Atoi(match[2])
				code, printed := w.run(t, b.text)
				require.Equal(t, want, code, "%s:\n%s\n%s", b.place, b.text, printed)
				if i > 0 && blocks[i-1].mark == nextOutput {
					requirePrinted(t, blocks[i-1], printed)
				}
				t.Logf("%s: %.1f s", b.place, time.Since(began).Seconds())
			}
		})
	}
}

// requirePrinted compares what a document shows of an output with the output, line by line; … stands for lines that are left out.
func requirePrinted(t *testing.T, shown docBlock, printed string) {
	for line := range strings.Lines(shown.text) {
		if line = strings.TrimRight(line, "\n"); strings.TrimSpace(line) == "…" {
			continue
		}
		_, rest, found := strings.Cut("\n"+printed, "\n"+line+"\n")
		require.True(t, found, "%s: the command does not print this, or not in this order: %s\n%s", shown.place, line, printed)
		printed = rest
	}
}

// earlierRuns makes the runs that a block compares with.
func (w *docWorld) earlierRuns(t *testing.T, block string) {
	for _, name := range []string{"runs/last-release", "runs/candidate"} {
		if !strings.Contains(block, name) || !gone(filepath.Join(w.dir, name)) {
			continue
		}
		code, printed := w.run(t, "gatecert run --target gateway.yaml --out "+name+" || test $? = 1")
		require.Zero(t, code, printed)
	}
}

// The blocks of the documents do what the documents say.
func TestTheDocumentsRun(t *testing.T) {
	t.Parallel()
	runDocuments(t, false)
}

func TestDocBlocks(t *testing.T) {
	t.Parallel()
	blocks := docBlocks("page.md", "text\n\n    unmarked\n\n<!-- run -->\n\n    a\n\n      b\n\ntext\n<!-- file x.yaml -->\n```yaml\nk: v\n```\n```go\nx\n```\n```sh\nls\n```\n")
	require.Len(t, blocks, 4)
	assert.Equal(t, docBlock{"page.md:3", "", "unmarked\n"}, blocks[0])
	assert.Equal(t, docBlock{"page.md:7", "run", "a\n\n  b\n"}, blocks[1])
	assert.Equal(t, docBlock{"page.md:13", "file x.yaml", "k: v\n"}, blocks[2])
	assert.Equal(t, docBlock{"page.md:19", "", "ls\n"}, blocks[3])
}
