package main

import (
	"embed"
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

//go:embed completions
var completionScripts embed.FS

type completionCommand struct {
	Shell string `arg:"" help:"Shell: bash, zsh, fish or powershell." enum:"bash,zsh,fish,powershell"`
}

// Help implements kong's HelpProvider.
func (completionCommand) Help() string {
	return `Examples:
  gatecert completion bash >~/.local/share/bash-completion/completions/gatecert
  gatecert completion zsh >"${fpath[1]}/_gatecert"
  gatecert completion fish >~/.config/fish/completions/gatecert.fish
  gatecert completion powershell | Out-String | Invoke-Expression

The script completes commands, flags, rows, endpoints, levels, cases, mutants and formats. For all other arguments, the shell completes
file names.`
}

func (s completionCommand) Run(c *console) error {
	extension := s.Shell
	if extension == "powershell" {
		extension = "ps1"
	}
	script, err := completionScripts.ReadFile("completions/gatecert." + extension)
	if err != nil {
		return fmt.Errorf("print the completion script for %s: %w", s.Shell, err)
	}
	_, err = c.out.Write(script)
	return err
}

// completeCommand is what the scripts ask.
type completeCommand struct {
	Words []string `arg:"" optional:"" passthrough:""`
}

// emptyWord stands for an empty word where a shell cannot pass one.
const emptyWord = "%empty%"

// Run prints the possible completions of the last word, one per line, each followed by a tab and a description.
func (w completeCommand) Run(c *console, parsed *kong.Context) error {
	words := w.Words
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	if n := len(words); n > 0 && words[n-1] == emptyWord {
		words[n-1] = ""
	}
	for _, found := range complete(parsed.Model.Node, words) {
		line := found.value
		if found.about != "" {
			line += "\t" + strings.ReplaceAll(found.about, "\n", " ")
		}
		fmt.Fprintln(c.out, line)
	}
	return nil
}
