package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/kong"

	"github.com/gatecert/gatecert/internal/version"
)

type manCommand struct{}

// Help implements kong's HelpProvider.
func (manCommand) Help() string {
	return `Example:
  gatecert man >~/.local/share/man/man1/gatecert.1`
}

// Run prints the page in roff's man macros, which every man program can read. The same build always prints the same page.
func (manCommand) Run(c *console, parsed *kong.Context) error {
	var page manPage
	build := version.Current()
	date := ""
	if !build.Date.IsZero() {
		date = build.Date.UTC().Format("2006-01-02")
	}
	page.line(`.TH GATECERT 1 "%s" "gatecert %s" "User Commands"`, date, build.Version)
	page.line(".SH NAME")
	page.line(`gatecert \- certify LLM API gateways against the published error contract`)
	page.line(".SH SYNOPSIS")
	page.line(`.B gatecert`)
	page.line(`.I COMMAND`)
	page.line(`[\fIflags\fR]`)
	page.line(".SH DESCRIPTION")
	about, codes, _ := strings.Cut(description, "\n\nExit codes: ")
	page.text(about)
	page.line(".SH COMMANDS")
	page.commands(parsed.Model.Node, "gatecert")
	page.line(".SH ENVIRONMENT")
	page.term("GATEWAY_KEY")
	page.text("A valid API key for the gateway, used if --key is not set.")
	page.term("NO_COLOR")
	page.text("If NO_COLOR is set, gatecert prints without colours.")
	page.line(".SH EXIT STATUS")
	for part := range strings.SplitSeq(strings.TrimSuffix(strings.ReplaceAll(codes, "\n", " "), "."), "; ") {
		code, meaning, _ := strings.Cut(part, " ")
		page.term(code)
		page.text(meaning + ".")
	}
	page.line(".SH FILES")
	page.term("reports/latest/")
	page.text("The log and the reports of the newest run that was started in the current directory.")
	page.line(".SH SEE ALSO")
	page.text("https://github.com/gatecert/gatecert/tree/main/docs")
	_, err := fmt.Fprint(c.out, page.String())
	return err
}

type manPage struct{ strings.Builder }

func (p *manPage) line(format string, values ...any) { fmt.Fprintf(p, format+"\n", values...) }

// escaped is a text that roff prints as it stands.
func escaped(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`).Replace(text)
	var ascii strings.Builder
	for _, c := range text {
		if c < utf8.RuneSelf {
			ascii.WriteRune(c)
		} else {
			fmt.Fprintf(&ascii, `\[u%04X]`, c)
		}
	}
	return ascii.String()
}

// text is a paragraph. A line that begins like a request of roff does not.
func (p *manPage) text(text string) {
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		if line = escaped(line); strings.HasPrefix(line, ".") {
			line = `\&` + line
		}
		p.line("%s", line)
	}
}

func (p *manPage) term(text string) {
	p.line(".TP")
	p.line(`\fB%s\fR`, escaped(text))
}

// example is text whose line breaks and spaces stand.
func (p *manPage) example(text string) {
	p.line(".PP")
	p.line(".EX")
	p.text(text)
	p.line(".EE")
}

func (p *manPage) commands(node *kong.Node, name string) {
	for _, child := range node.Children {
		if child.Type != kong.CommandNode || child.Hidden {
			continue
		}
		whole := name + " " + child.Name
		if len(child.Children) == 0 {
			p.command(child, whole)
		}
		p.commands(child, whole)
	}
}

func (p *manPage) command(node *kong.Node, name string) {
	for _, argument := range node.Positional {
		name += " " + argument.Summary()
	}
	p.line(".SS %s", escaped(name))
	p.text(node.Help)
	if node.Detail != "" {
		p.example(node.Detail)
	}
	for _, argument := range node.Positional {
		p.term(argument.Summary())
		p.text(argument.Help)
	}
	for _, group := range node.AllFlags(true) {
		for _, flag := range group {
			if flag.Name == "help" || flag.Name == "version" {
				continue
			}
			summary := "--" + flag.Name
			if !flag.IsBool() && !flag.IsCounter() {
				summary += "=" + flag.FormatPlaceHolder()
			}
			p.term(summary)
			p.text(flag.Help)
			for _, variable := range flag.Envs {
				p.text("Environment: " + variable + ".")
			}
		}
	}
}
