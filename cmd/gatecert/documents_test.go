//go:build !race

// All documents are parsed by one goroutine.

package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestDocumentedCommandsExist parses every command line that the documents print: its command, flags and values.
func TestDocumentedCommandsExist(t *testing.T) {
	found := 0
	for _, pattern := range []string{"../../*.md", "../../docs/*.md", "../../docs/*/*.md"} {
		pages, err := filepath.Glob(pattern)
		require.NoError(t, err)
		for _, page := range pages {
			raw, err := os.ReadFile(page)
			require.NoError(t, err)
			for _, command := range documentedCommands(string(raw)) {
				found++
				var line cli
				parser, err := kong.New(&line, kong.Writers(io.Discard, io.Discard), kong.BindTo(context.Background(), (*context.Context)(nil)), kong.Bind(&console{}))
				require.NoError(t, err)
				words := shellWords(command)
				_, err = parser.Parse(words)
				if err != nil && len(words) == 1 && incomplete.MatchString(err.Error()) {
					continue // a sentence that names a command, without its arguments
				}
				assert.NoError(t, err, "%s: gatecert %s", page, command)
			}
		}
	}
	assert.Greater(t, found, 30, "so few commands are documented: does the pattern still find them?")
}

var (
	codeLine = regexp.MustCompile(`^(?:- )?(?:bin/)?gatecert ([a-z].*)`)
	// incomplete are kong's errors about a command that lacks an argument or a flag.
	incomplete = regexp.MustCompile(`^(expected|missing flags)`)
	inlined    = regexp.MustCompile("`gatecert ([a-z][^`]*)`")
)

// documentedCommands returns the arguments of every gatecert command of a page: the lines of its code blocks that begin
// with the program's name, and the words between backticks that do.
func documentedCommands(page string) []string {
	var commands []string
	fenced := false
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		if fenced || strings.HasPrefix(line, "    ") {
			if match := codeLine.FindStringSubmatch(strings.TrimSpace(line)); match != nil {
				commands = append(commands, match[1])
			}
			continue
		}
		for _, match := range inlined.FindAllStringSubmatch(line, -1) {
			commands = append(commands, match[1])
		}
	}
	return commands
}

// shellWords are the words of a command up to a comment, a pipe or a redirection, without their quotes.
func shellWords(command string) []string {
	var words []string
	for word := range strings.FieldsSeq(command) {
		if strings.ContainsAny(word[:1], "#&|>\\") {
			break
		}
		words = append(words, strings.Trim(word, `'"`))
	}
	return words
}
