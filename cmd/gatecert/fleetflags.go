package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/internal/tokencount"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/load/fleet"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/targets/profile"
)

// natsFlags say how to reach the NATS server of a fleet.
type natsFlags struct {
	FleetName   string `help:"Name of the fleet. Fleets that use the same NATS server must have different names. Default: ${default}." default:"default" placeholder:"NAME"`
	FleetSecret string `help:"File with the shared secret that encrypts the messages between the coordinator and the workers. --fleet-secret is required for a nats:// URL on another machine, but not for tls:// URLs." placeholder:"FILE" type:"path"`
	Creds       string `help:"NATS credentials file (the user's JWT and NKey seed)." placeholder:"FILE" type:"path"`
	NKey        string `name:"nkey" help:"NATS nkey seed file." placeholder:"FILE" type:"path"`
	NATSUser    string `name:"nats-user" help:"NATS user. gatecert reads the user's password from NATS_PASSWORD." env:"NATS_USER" placeholder:"NAME"`
	NATSCA      string `name:"nats-ca" help:"PEM file with CA certificates for verifying the NATS server. Default: the system's CA certificates." placeholder:"FILE" type:"path"`
	NATSCert    string `name:"nats-cert" help:"PEM file with the client certificate for the NATS server." placeholder:"FILE" type:"path"`
	NATSKey     string `name:"nats-key" help:"PEM file with the private key for --nats-cert." placeholder:"FILE" type:"path"`
}

// leastSecret is the length of the shortest secret that is accepted, in characters.
const leastSecret = 16

func (f natsFlags) access(url string) (fleet.Access, error) {
	a := fleet.Access{
		URL: url, User: f.NATSUser, Password: os.Getenv("NATS_PASSWORD"), Credentials: f.Creds, NKey: f.NKey, CA: f.NATSCA, Certificate: f.NATSCert, Key: f.NATSKey,
	}
	if f.FleetSecret != "" {
		text, err := os.ReadFile(f.FleetSecret)
		if err != nil {
			return a, fmt.Errorf("%w: --fleet-secret: %w", errUsage, err)
		}
		a.Secret = strings.TrimSpace(string(text))
		if len(a.Secret) < leastSecret {
			return a, fmt.Errorf("%w: --fleet-secret: the secret has %s but must have at least %d: generate one with openssl rand -hex 32", errUsage, plain.Count(len(a.Secret), "character"), leastSecret)
		}
	}
	return a, a.Check()
}

// fleetFlags send a load from workers.
type fleetFlags struct {
	natsFlags
	Workers     int           `help:"Send the load from N worker processes, on this machine or (with --fleet) on the machines that run gatecert worker. Default: send the load from this process." placeholder:"N"`
	Fleet       string        `help:"URL of the NATS server that the workers connect to: nats://host:4222 or tls://host:4222. JetStream must be enabled on the NATS server." placeholder:"URL"`
	JoinWithin  time.Duration `help:"Maximum time to wait for the workers of the fleet to join. Default: ${default}." default:"1m" placeholder:"DURATION"`
	Source      []string      `help:"Source IP addresses for the workers on this machine, assigned to the workers in turn." placeholder:"IP,…"`
	ShowWorkers bool          `help:"Show a progress line for each worker."`
}

// asked reports whether a fleet is to send the load.
func (f fleetFlags) asked() bool { return f.Workers > 0 || f.Fleet != "" }

func (f fleetFlags) checkFleet() error {
	for name, given := range map[string]bool{
		"--source": len(f.Source) > 0, "--show-workers": f.ShowWorkers, "--fleet-secret": f.FleetSecret != "", "--creds": f.Creds != "", "--nkey": f.NKey != "",
		"--nats-ca": f.NATSCA != "", "--nats-cert": f.NATSCert != "",
	} {
		if given && !f.asked() {
			return fmt.Errorf("%w: %s requires --workers: add --workers N, the number of processes that send the load", errUsage, name)
		}
	}
	switch {
	case f.Workers < 0 || f.Workers > 10_000:
		return fmt.Errorf("%w: --workers %d: must be between 1 and 10,000", errUsage, f.Workers)
	case f.Fleet != "" && f.Workers == 0:
		return fmt.Errorf("%w: --fleet requires --workers: add --workers N, the number of workers to wait for", errUsage)
	case f.Fleet != "" && len(f.Source) > 0:
		return fmt.Errorf("%w: --source applies only to workers on this machine: to set the source address of fleet workers, start them with gatecert worker --source IP", errUsage)
	case f.Fleet == "" && f.Workers > mostLocalWorkers:
		return fmt.Errorf("%w: --workers %d: use at most %d on one machine, because more workers would only compete for CPU cores", errUsage, f.Workers, mostLocalWorkers)
	}
	for _, source := range f.Source {
		if _, err := parseSource(source); err != nil {
			return err
		}
	}
	return nil
}

// parseSource reads an address of --source.
func parseSource(text string) (netip.Addr, error) {
	source, err := netip.ParseAddr(text)
	if err != nil {
		return source, fmt.Errorf("%w: --source %q: must be an IP address of this machine", errUsage, text)
	}
	return source, nil
}

// mostLocalWorkers bounds the workers on this machine.
const mostLocalWorkers = 64

// team is a fleet with what was started for it. A nil team is none.
type team struct {
	*fleet.Fleet

	flags    fleetFlags
	console  *console
	sessions []*loadSession
	server   *fleet.Server
	local    *fleet.Local
}

// start starts the workers on this machine, or waits for those of --fleet. targets are where they are allowed to send.
func (t *team) start(ctx context.Context, targets []string) (err error) {
	f, c := t.flags, t.console
	config := fleet.Config{Name: f.FleetName, Workers: f.Workers, Wait: f.JoinWithin, ShowWorkers: f.ShowWorkers, Targets: targets}
	if _, locked := c.err.(*lockedWriter); !locked {
		c.err = &lockedWriter{w: c.err}
	}
	config.Show = func(sentence string) { fmt.Fprintln(c.err, "fleet: "+plain.Text(sentence, maxReason)) }
	if f.Fleet != "" {
		config.Access, err = f.access(f.Fleet)
	} else {
		config.Access, err = t.startLocal(f, c, targets)
	}
	if err != nil {
		return err
	}
	if f.Fleet != "" {
		fmt.Fprintf(c.err, "waiting for %s to join the fleet %s at %s\n", plain.Count(f.Workers, "worker"), f.FleetName, f.Fleet)
	}
	t.Fleet, err = fleet.Open(ctx, config)
	return err
}

// startLocal starts a NATS server in this process, and the workers.
func (t *team) startLocal(f fleetFlags, c *console, targets []string) (fleet.Access, error) {
	self, err := os.Executable()
	if err != nil {
		return fleet.Access{}, fmt.Errorf("start workers: %w", err)
	}
	if t.server, err = fleet.StartServer(); err != nil {
		return fleet.Access{}, err
	}
	access := t.server.Access
	access.Secret = rand.Text()
	all := make([]fleet.Inherited, f.Workers)
	for i := range all {
		all[i] = fleet.Inherited{Access: access, Fleet: f.FleetName, Name: fmt.Sprintf("w%d", i+1), Targets: targets}
		if len(f.Source) > 0 {
			all[i].Source = f.Source[i%len(f.Source)]
		}
	}
	t.local, err = fleet.StartLocal([]string{self, "worker", "--inherit"}, all, c.err)
	return access, err
}

func (t *team) close(ctx context.Context) (err error) {
	if t == nil {
		return nil
	}
	if t.Fleet != nil {
		err = t.Close(ctx)
	}
	if t.local != nil {
		err = errors.Join(err, t.local.Close())
	}
	if t.server != nil {
		err = errors.Join(err, t.server.Close(ctx))
	}
	return err
}

// fleetFor returns the fleet that is to send what sessions measure, nil when none was asked for. The caller closes it. Its workers join when
// the plan is agreed to ([agree]).
func fleetFor(c *console, f fleetFlags, sessions ...*loadSession) *team {
	if !f.asked() {
		return nil
	}
	t := &team{flags: f, console: c, sessions: sessions}
	for _, s := range sessions {
		s.fleet = t
	}
	return t
}

// join lets the workers join, and makes them the generators of the sessions' engines.
func (t *team) join(ctx context.Context) error {
	if t == nil || t.Fleet != nil {
		return nil
	}
	var targets []string
	for _, s := range t.sessions {
		targets = append(targets, targetsOf(s.prepared.Profile)...)
	}
	if err := t.start(ctx, targets); err != nil {
		return err
	}
	for _, s := range t.sessions {
		setup, err := setupOf(s.prepared.Profile, s.options)
		if err != nil {
			return err
		}
		s.generateBy(t.For(setup))
		if s.flags.Out != "" {
			fmt.Fprintln(t.console.err, "note: fleet workers send totals, not individual results, so gatecert does not write "+resultsName)
		}
	}
	return nil
}

// generateBy makes an engine whose phases are run by generators.
func (s *loadSession) generateBy(g load.Generators) {
	options := s.options
	options.Generators = g
	s.engine.Close()
	s.engine = load.NewEngine(options)
}

// errNotJoined is returned for a phase before the workers have joined.
var errNotJoined = errors.New("the workers have not joined yet")

// notJoined stands for the workers while a load is planned: the descriptors of this process do not bound it.
type notJoined struct{}

// RunPhase implements [load.Generators].
func (notJoined) RunPhase(context.Context, load.Phase, load.Plan) (load.Measurement, load.Plan, error) {
	return load.Measurement{}, load.Plan{}, errNotJoined
}

// targetsOf are the URLs that a load on a target sends to: its gateway, and the mock upstream that it is compared with.
func targetsOf(p profile.Profile) []string {
	targets := []string{p.BaseURL}
	if direct, ok := runner.DirectRequest(p, dialect.Chat); ok {
		targets = append(targets, direct.Call.BaseURL)
	}
	return targets
}

// setupOf is what workers need to know of a target.
func setupOf(p profile.Profile, o load.Options) (fleet.Setup, error) {
	pem, err := p.TLS.PEM()
	if err != nil {
		return fleet.Setup{}, err
	}
	if o.TLS != nil && pem == nil {
		return fleet.Setup{}, fmt.Errorf("%w: the workers do not trust the CA that issued this target's certificate: set tls.ca in the profile to the CA's PEM file", errUsage)
	}
	return fleet.Setup{Secrets: o.Secrets, Roots: pem, Codes: o.Codes, CountTokens: o.CountTokens != nil}, nil
}

type workerCommand struct {
	natsFlags
	Join        string   `help:"URL of the fleet's NATS server: nats://host:4222 or tls://host:4222." env:"GATECERT_JOIN" placeholder:"URL"`
	AllowTarget []string `help:"URL of a gateway to which this worker may send requests. The worker refuses to send requests to any other URL. Repeatable." env:"GATECERT_ALLOW_TARGET" placeholder:"URL"`
	Target      string   `help:"Profile of a gateway to which this worker may send requests, as an alternative to --allow-target." placeholder:"FILE" type:"path"`
	Name        string   `help:"Name of the worker in reports. Default: this machine's hostname." env:"GATECERT_WORKER_NAME" placeholder:"NAME"`
	Source      string   `help:"Source IP address of the requests." placeholder:"IP"`
	Once        bool     `help:"Exit when the coordinator finishes or disappears, instead of waiting for the next load. For batch jobs."`
	Inherit     bool     `hidden:"" help:"Read the worker's configuration from standard input."`
}

// Help implements kong's HelpProvider.
func (workerCommand) Help() string {
	return `A worker sends its share of the load for a coordinator, which is a gatecert load command with --fleet. The coordinator and the workers
communicate through a NATS server with JetStream. The workers of a fleet share one request schedule. A worker sends requests only to the
gateways that its flags allow, and only while it receives heartbeats from its coordinator. See docs/fleet.md for details.

Examples:
  gatecert worker --join tls://nats.example:4222 --creds fleet.creds --allow-target https://gateway.example
  gatecert worker --join nats://10.0.0.5:4222 --fleet-secret secret.txt --allow-target https://gateway.example
  gatecert load capacity https://gateway.example --model m --workers 8 --fleet nats://10.0.0.5:4222 --fleet-secret secret.txt --yes
  gatecert load capacity --workers 4                 start 4 workers on this machine; gatecert worker is not needed
  gatecert fleet yaml --workers 20 --image IMAGE     print manifests for Kubernetes`
}

func (cmd workerCommand) Run(ctx context.Context, c *console) error {
	options := fleet.WorkerOptions{Fleet: cmd.FleetName, Name: cmd.Name, Once: cmd.Once, CountTokens: tokencount.New().Count}
	options.Show = func(sentence string) { fmt.Fprintln(c.err, "worker: "+plain.Text(sentence, maxReason)) }
	source := cmd.Source
	if cmd.Inherit {
		inherited, until, err := fleet.ReadInherited(ctx, os.Stdin)
		if err != nil {
			return err
		}
		ctx, source = until, inherited.Source
		options.Access, options.Fleet, options.Name, options.Targets, options.Show = inherited.Access, inherited.Fleet, inherited.Name, inherited.Targets, nil
	} else {
		var err error
		if options.Targets, err = cmd.targets(); err != nil {
			return err
		}
		if options.Access, err = cmd.access(cmd.Join); err != nil {
			return err
		}
	}
	if source != "" {
		var err error
		if options.Source, err = parseSource(source); err != nil {
			return err
		}
	}
	return fleet.Join(ctx, options)
}

// targets are the URLs of the flags and of the profile.
func (cmd workerCommand) targets() ([]string, error) {
	targets := slices.Clone(cmd.AllowTarget)
	if cmd.Target != "" {
		p, err := loadProfile(cmd.Target)
		if err != nil {
			return nil, err
		}
		targets = append(targets, p.BaseURL)
		if runner.OnThisMachine(p.BaseURL) { // otherwise the address of its mock upstream is one of another machine
			targets = targetsOf(p)
		}
	}
	switch {
	case cmd.Join == "" && len(targets) == 0:
		return nil, fmt.Errorf("%w: a worker needs a fleet to join: add --join nats://host:4222 and --allow-target URL; see gatecert worker --help", errUsage)
	case cmd.Join == "":
		return nil, fmt.Errorf("%w: --join is missing: specify the URL of the NATS server through which the coordinator and the workers communicate", errUsage)
	case len(targets) == 0:
		return nil, fmt.Errorf("%w: --allow-target is missing: specify the gateways to which this worker may send requests", errUsage)
	}
	return targets, nil
}
