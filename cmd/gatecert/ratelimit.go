package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/load/limits"
)

type rateLimitCommand struct {
	URL     string        `arg:"" optional:"" help:"Root URL of the gateway (without /v1). No URL and no --target: the embedded reference gateway."`
	Target  string        `help:"Profile of the gateway (YAML, docs/profile.md)." placeholder:"FILE" type:"path"`
	Key     string        `help:"A valid key of the gateway, with a URL." env:"GATEWAY_KEY"`
	Model   string        `help:"A model the key may use, with a URL."`
	Surface string        `help:"Surface to call. Default: ${default}." default:"chat"`
	Calls   int           `help:"Calls to make at most. Default: ${default}." default:"4000"`
	For     time.Duration `help:"Time to take at most. Default: ${default}." default:"3m"`
	Yes     bool          `help:"Send it to a gateway that is not on this machine; and agree to what a driver has to change."`
}

// Help implements kong's HelpProvider.
func (rateLimitCommand) Help() string {
	return `With limits.rate in the profile, the declared limit is verified: exact call by call and in a burst, every refusal a whole
429, Retry-After true, other keys untouched, refused calls free. Without it the limit of the key is inferred: its kind
(fixed window, sliding log, sliding counter, token bucket, concurrency) and its numbers.

Examples:
  gatecert load rate-limit                                           the embedded reference gateway, verified
  gatecert load rate-limit http://127.0.0.1:3000 --model m --for 5m  inferred`
}

func (cmd rateLimitCommand) Run(ctx context.Context, c *console) (err error) {
	surface := contract.Surface(cmd.Surface)
	if !surface.Valid() {
		return fmt.Errorf("%w: no surface %q: gatecert list surfaces shows them", errUsage, cmd.Surface)
	}
	config, err := runCommand{URL: cmd.URL, Target: cmd.Target, Key: cmd.Key, Model: cmd.Model}.config()
	if err != nil {
		return err
	}
	journal, err := c.mayChange(&config, "reports/load", cmd.Yes)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, journal.Close()) }()
	prepared, err := gatecert.Prepare(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, prepared.Close(context.WithoutCancel(ctx))) }()
	fmt.Fprintf(c.err, "plan: at most %d calls in at most %s, to %s\n", cmd.Calls, cmd.For, prepared.Profile.BaseURL)
	if !cmd.Yes && !staysHere(prepared.Profile.BaseURL) {
		return fmt.Errorf("%w: %s is not on this machine: --yes sends it, with the consent of whoever runs it", errTooMuch, prepared.Profile.BaseURL)
	}
	found, err := gatecert.CheckRateLimit(ctx, prepared, surface, limits.Budget{Calls: cmd.Calls, Time: cmd.For})
	tellRateLimit(c, found)
	if err != nil {
		return err
	}
	return loadOutcome(contract.VerdictOf(found.Findings))
}

func tellRateLimit(c *console, r gatecert.RateLimit) {
	fmt.Fprintf(c.out, "limiter   %s\n", r.Model)
	for _, sentence := range r.Model.Evidence {
		fmt.Fprintf(c.out, "          %s\n", sentence)
	}
	for _, e := range r.Experiments {
		fmt.Fprintf(c.out, "%-9s %s (%d calls, %s)\n", e.Name, e.Sentence, e.Calls, e.Took.Round(time.Millisecond))
	}
	if !r.Declared {
		return
	}
	fmt.Fprintf(c.out, "calls     %d: %d admitted, %d refused, %d failed; recovered after %s; took %s\n", r.Evidence.Calls,
		r.Evidence.Admitted, r.Evidence.Refused, r.Evidence.Failed,
		r.Evidence.Recovery.Round(time.Millisecond), r.Evidence.Took.Round(time.Millisecond))
	for _, check := range r.Evidence.Checks {
		fmt.Fprintf(c.out, "%-9s %-16s %s\n", check.Result, check.Obligation, check.Sentence)
	}
	for _, f := range r.Findings {
		fmt.Fprintf(c.out, "  %s\n", f)
	}
}

// staysHere reports whether a URL's host is an address of this machine alone. A name other than localhost may lead anywhere.
func staysHere(baseURL string) bool {
	u, err := url.Parse(baseURL)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
