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
	Run      runCommand      `cmd:"" help:"Certify a gateway: print the result matrix and write reports to a folder."`
	Init     initCommand     `cmd:"" help:"Detect what a gateway offers, and write a commented profile for it."`
	Check    checkCommand    `cmd:"" help:"Check profiles and baselines without sending any requests."`
	Load     loadCommand     `cmd:"" help:"Test a gateway under load: rate-limit, timeout, capacity, compare, soak."`
	Watch    watchCommand    `cmd:"" help:"Certify a gateway at regular intervals, and report each change."`
	Clean    cleanCommand    `cmd:"" help:"Undo the changes that a killed run left on a gateway."`
	Trust    trustCommand    `cmd:"" help:"Permit a profile's shell commands and SQL statements."`
	Report   reportCommand   `cmd:"" help:"Render a run's reports from its log."`
	Matrix   matrixCommand   `cmd:"" help:"Show several runs in one matrix of rows and targets."`
	Hall     hallCommand     `cmd:"" help:"Generate static pages that show the results of many gateways, from a folder of logs and certificates."`
	Diff     diffCommand     `cmd:"" help:"Compare two runs, and exit with code 1 if a case got worse."`
	Certify  certifyCommand  `cmd:"" help:"Audit a run's log and sign the result: a conformance report and an attestation."`
	Verify   verifyCommand   `cmd:"" help:"Verify a certificate: its signature, and every verdict in its log."`
	Keygen   keygenCommand   `cmd:"" help:"Create a key pair for certificates."`
	Replay   replayCommand   `cmd:"" help:"Rerun one case of an earlier run and compare the results."`
	List     listCommand     `cmd:"" help:"List rows, circumstances, cases, endpoints, levels, directives, mutants or permitted behaviours."`
	Explain  explainCommand  `cmd:"" help:"Explain a row: what the contract requires, the circumstances that cause it, and its scenario."`
	Gateway  gatewayCommand  `cmd:"" help:"Serve the reference gateway, and write a profile for it."`
	Upstream upstreamCommand `cmd:"" help:"Serve the mock upstream."`
	Clients  clientsCommand  `cmd:"" help:"Show how real client libraries handle each response: retries, errors, codes, and errors mistaken for normal responses."`
	Selftest selftestCommand `cmd:"" help:"Check that gatecert catches each known fault and raises no false alarms."`
	Fleet    fleetCommand    `cmd:"" help:"Print files that start workers on other machines: Kubernetes manifests, a Compose file or a systemd script."`
	Worker   workerCommand   `cmd:"" help:"Send part of the load for a coordinator on another machine."`
	Version  versionCommand  `cmd:"" help:"Print the version, the commit and the digest of the contract."`

	Completion completionCommand `cmd:"" help:"Print the completion script for a shell."`
	Man        manCommand        `cmd:"" help:"Print the manual page."`
	Complete   completeCommand   `cmd:"" hidden:""`

	ShowVersion kong.VersionFlag `name:"version" help:"Print the version and exit."`
}

const description = `gatecert certifies LLM API gateways against the published error contract. Executable scenarios test all 32 rows of the contract.

Exit codes: 0 conformant; 1 not conformant; 2 usage or configuration error; 3 nothing ran or the run is incomplete;
4 conformant, but the baseline is out of date; 5 target unreachable, inconclusive result, or fault in gatecert itself.`

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
		kong.Writers(c.out, c.err), kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true}), kong.ValueFormatter(withVariables),
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
