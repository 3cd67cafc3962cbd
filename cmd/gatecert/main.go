// Command gatecert certifies LLM API gateways against the published error contract.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/gatecert/gatecert/internal/version"
)

// cli is the command line. Each command has a file in this folder.
type cli struct {
	Run      runCommand      `cmd:"" help:"Certify a gateway: the matrix on the terminal, reports in a folder."`
	Init     initCommand     `cmd:"" help:"Ask a gateway what it offers, and write a commented profile for it."`
	Check    checkCommand    `cmd:"" help:"Check profiles and baselines without sending anything."`
	Load     loadCommand     `cmd:"" help:"Test a gateway under load: rate-limit, timeout, capacity, soak."`
	Watch    watchCommand    `cmd:"" help:"Certify a gateway again and again: history, metrics, and a message for each change."`
	Clean    cleanCommand    `cmd:"" help:"Undo what a killed run left behind on the gateway that its driver prepared."`
	Trust    trustCommand    `cmd:"" help:"Agree to what a profile runs: its shell lines and SQL statements."`
	Report   reportCommand   `cmd:"" help:"Render reports again from a run's log."`
	Matrix   matrixCommand   `cmd:"" help:"Show several runs side by side: rows by targets."`
	Hall     hallCommand     `cmd:"" help:"Make static pages of the results of many gateways, from a folder of logs and certificates."`
	Diff     diffCommand     `cmd:"" help:"Compare two runs. Exit 1 when a case got worse."`
	Certify  certifyCommand  `cmd:"" help:"Audit a run's log and sign its result: a conformance report and an attestation."`
	Verify   verifyCommand   `cmd:"" help:"Verify a certificate: its signature, and every verdict in its log."`
	Keygen   keygenCommand   `cmd:"" help:"Make a key pair for certificates."`
	Replay   replayCommand   `cmd:"" help:"Run one case of an earlier run again: fixed, still failing or different."`
	List     listCommand     `cmd:"" help:"List what gatecert knows: rows, circumstances, cases, surfaces, levels, directives, mutants, permitted behaviours."`
	Explain  explainCommand  `cmd:"" help:"Explain a row: the contract, the circumstances that cause it, and the scenario."`
	Gateway  gatewayCommand  `cmd:"" help:"Serve the reference gateway, and write a profile for it."`
	Upstream upstreamCommand `cmd:"" help:"Serve the mock upstream."`
	Clients  clientsCommand  `cmd:"" help:"See what real client libraries make of each answer: retries, errors, codes, errors taken for answers."`
	Selftest selftestCommand `cmd:"" help:"Check that each known fault is caught and no false alarm is raised."`
	Version  versionCommand  `cmd:"" help:"Print the version, the commit and the digest of the contract."`

	Completion completionCommand `cmd:"" help:"Print the completion script of a shell."`
	Man        manCommand        `cmd:"" help:"Print the manual page."`
	Complete   completeCommand   `cmd:"" hidden:""`

	ShowVersion kong.VersionFlag `name:"version" help:"Print the version and leave."`
}

const description = `gatecert certifies LLM API gateways against the published error contract: 32 rows, each an executable scenario.

Exit codes: 0 conformant; 1 not conformant; 2 usage or configuration; 3 nothing ran or the run is incomplete;
4 baseline out of date; 5 target unreachable, inconclusive or harness fault.`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second signal ends the process at once: the first one gave the run its chance to end cleanly.
	context.AfterFunc(ctx, stop)
	code := execute(ctx, os.Args[1:], newConsole())
	stop()
	os.Exit(code)
}

// newParser returns the parser of a command line.
func newParser(ctx context.Context, c *console) (*kong.Kong, error) {
	options := append(numberMappers(), kong.Name("gatecert"), kong.Description(description),
		kong.Writers(c.out, c.err), kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Vars{"version": version.Tool()},
		kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(c), kong.Resolvers(kong.ResolverFunc(fromEnvironment)))
	parser, err := kong.New(new(cli), options...)
	if err != nil {
		return nil, err
	}
	return parser, nameVariables(parser.Model.Node)
}

// execute parses and runs one command line and returns its exit code.
func execute(ctx context.Context, args []string, c *console) int {
	parser, err := newParser(ctx, c)
	if err != nil {
		fmt.Fprintln(c.err, "gatecert:", err)
		return exitHarness
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(c.err, "gatecert:", parseFault(err))
		fmt.Fprintln(c.err, helpFor(err))
		return exitUsage
	}
	err = parsed.Run()
	if err != nil && !silent(err) {
		fmt.Fprintln(c.err, "gatecert:", err)
	}
	return exitCode(err)
}
