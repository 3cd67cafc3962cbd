package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/atomicfile"
	"github.com/gatecert/gatecert/internal/version"
	"github.com/gatecert/gatecert/targets/mutants"
	"github.com/gatecert/gatecert/targets/reference"
	"github.com/gatecert/gatecert/targets/upstream"
)

type gatewayCommand struct {
	Listen          string        `help:"Address to serve the gateway on. Default: ${default}." default:"127.0.0.1:9900"`
	Upstream        string        `help:"Address to serve the mock upstream on. Default: ${default}." default:"127.0.0.1:9901"`
	UpstreamProfile string        `help:"Make the mock upstream's healthy responses match a model's responses in timing and length: ttft=lognormal:200ms,itl=20ms,tokens=256. Default: respond immediately." placeholder:"MODEL"`
	ProfileOut      string        `help:"Write the gateway's profile to this file, for use with gatecert run --target." placeholder:"FILE" type:"path"`
	ReadyFile       readyFile     `help:"Create this file when the gateway and its mock upstream are ready, and remove the file at exit." placeholder:"FILE" type:"path"`
	Timeout         time.Duration `help:"Timeout for the upstream's response, or for the first byte of its stream. Default: ${default}." default:"1.5s"`
	Idle            time.Duration `help:"Maximum time between two reads from the upstream's stream. Default: the value of --timeout." name:"idle-timeout"`
	Limiter         string        `help:"Type of rate limiter for the limited key: ${enum}. Default: ${default}." enum:"fixed-window,sliding-log,sliding-counter,token-bucket,concurrency" default:"sliding-log"`
	Rate            int           `help:"Number of calls that the limited key may make per window or, with --limiter concurrency, at the same time. Default: ${default}." default:"20"`
	Window          time.Duration `help:"Length of the --rate window, at most 59s. Default: ${default}." default:"10s"`
	Burst           int           `help:"Capacity of the token bucket. Default: the value of --rate."`
	Tokens          int           `help:"Number of tokens that the limited key may use per window, in addition to the limit on calls. Default: no token limit."`
	Mutant          []string      `complete:"mutants,permitted" help:"Mutants and permitted behaviours to add to the gateway; to see their names, run gatecert list mutants or gatecert list permitted. Default: none." placeholder:"NAME"`
	Store           string        `help:"SQLite file to create for the gateway's database. Default: a temporary file." placeholder:"FILE" type:"path"`
	Verbose         bool          `help:"Log every failed call and its cause to standard error."`
}

// Help implements kong's HelpProvider.
func (gatewayCommand) Help() string {
	return `Try it:
  gatecert gateway --profile-out gateway.yaml &
  gatecert run --target gateway.yaml --wait 30s

gatecert gateway also serves a mock upstream, so that healthy calls succeed. The profile contains this gateway's keys. To test the
gateway through a proxy, change base_url in the profile.`
}

func (g gatewayCommand) Run(ctx context.Context, c *console) (err error) {
	model, err := playedModel(g.UpstreamProfile)
	if err != nil {
		return err
	}
	options := reference.Options{
		StorePath: g.Store, Upstream: "http://" + g.Upstream, Timeout: g.Timeout, IdleTimeout: g.Idle,
		Rate: reference.RateLimit{Kind: contract.LimiterKind(g.Limiter), Requests: g.Rate, Window: g.Window, Burst: g.Burst},
	}
	if g.Tokens != 0 {
		options.Tokens = reference.TokenLimit{Tokens: g.Tokens, Window: g.Window}
	}
	if err := mutants.Install(&options, g.Mutant...); err != nil {
		return fmt.Errorf("%w: --mutant: %w", errUsage, err)
	}
	if g.Verbose {
		options.Logger = slog.New(slog.NewTextHandler(c.err, nil))
	}
	if g.ProfileOut != "" {
		// This gateway would refuse the keys of an earlier one.
		if err := os.Remove(g.ProfileOut); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove the earlier profile: %w", err)
		}
	}
	if err := g.ReadyFile.clear(); err != nil {
		return err
	}
	server, err := reference.Serve(ctx, g.Listen, options)
	if err != nil {
		if ctx.Err() != nil {
			return nil // interrupted before it had begun
		}
		if errors.Is(err, reference.ErrOptions) || errors.Is(err, reference.ErrStoreExists) {
			return fmt.Errorf("%w: %w", errUsage, err)
		}
		return listenFault("--listen", err)
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	token, _ := controlToken(g.Upstream, "")
	mock := upstream.New(upstream.Options{Keys: []string{server.Gateway.Fixtures().UpstreamKey}, ControlToken: token, Model: model})
	serving, err := upstream.Listen(ctx, g.Upstream, mock)
	if err != nil {
		return listenFault("--upstream", err)
	}
	defer func() { err = errors.Join(err, serving.Close()) }()
	if err := g.writeProfile(c, server, token); err != nil {
		return fmt.Errorf("write the profile: %w", err)
	}
	if err := g.ReadyFile.write(server.URL()); err != nil {
		return err
	}
	<-ctx.Done()
	return g.ReadyFile.clear()
}

// writeProfile writes the profile into its file or to the console, and the certificate to trust, if any, next to its file.
func (g gatewayCommand) writeProfile(c *console, server *reference.Server, token string) error {
	profile := server.Gateway.Profile(server.URL(), "")
	profile.Upstream.Attach, profile.Upstream.Token = "http://"+g.Upstream, token
	if server.Certificate != nil {
		if g.ProfileOut == "" {
			return fmt.Errorf("%w: to serve https, add --profile-out FILE: gatecert writes the gateway's certificate next to the profile", errUsage)
		}
		profile.TLS.CA = g.ProfileOut + ".pem"
		if err := atomicfile.WriteBytes(profile.TLS.CA, 0o600, server.Certificate); err != nil {
			return err
		}
	}
	text, err := profile.YAML()
	if err != nil {
		return err
	}
	text = append([]byte(version.SchemaComment("profile")), text...)
	if g.ProfileOut == "" {
		fmt.Fprintf(c.out, "# gateway at %s\n%s", server.URL(), text)
		return nil
	}
	// It breaks this gateway's own store, and nothing else. A process that waits for the file must find it whole, and trusted.
	if err := errors.Join(toActions.add(g.ProfileOut, digestOf(text)), toUse.add(g.ProfileOut, reachDigest(profile))); err != nil {
		fmt.Fprintf(c.err, "note: gatecert could not mark this profile as trusted, so runs with the profile require --allow-actions: %v\n", err)
	}
	if err := atomicfile.WriteBytes(g.ProfileOut, 0o600, text); err != nil {
		return err
	}
	fmt.Fprintf(c.out, "gateway at %s, profile in %s\n", server.URL(), g.ProfileOut)
	return nil
}
