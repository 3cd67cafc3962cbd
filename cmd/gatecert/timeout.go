package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/targets/profile"
)

type timeoutCommand struct {
	caseFlags
	Rate      float64       `help:"Healthy requests per second. Default: load.rate in the profile, or 30." placeholder:"RATE"`
	Outage    time.Duration `help:"Duration of the upstream outage. Default: load.outage in the profile; otherwise 3.5s if the upstream hangs, and 3s if it returns errors." placeholder:"DURATION"`
	SlowCalls int           `help:"Number of calls that a hanging upstream holds open at once. The calls exhaust any gateway connection pool whose size is at most two thirds of this number. Default: load.slow_calls in the profile, or 160." placeholder:"N"`
}

// defaultSlowCalls exhaust a pool of 100 places, the default of many HTTP clients.
const defaultSlowCalls = 160

// Help implements kong's HelpProvider.
func (timeoutCommand) Help() string {
	return `gatecert load timeout sends healthy calls at a steady rate while the upstream hangs, stalls or fails on other calls. The
gateway must end each faulty call with the right error by the time the gateway's timeout expires, and cancel the upstream call. The
gateway must serve healthy calls as reliably and quickly as before, leave no call open, and recover immediately. By default, enough calls
hang at the same time to exhaust a pool of 100 connections to the upstream. The gateway must route calls to the mock upstream (upstream
in the profile).

Examples:
  gatecert load timeout                            test the built-in reference gateway
  gatecert load timeout --target my-gateway.yaml   test your gateway, and also verify limits.timeout if the profile contains it
  gatecert load timeout --target my-gateway.yaml --outage 30s --slow-calls 300`
}

func (cmd timeoutCommand) Run(ctx context.Context, c *console) error {
	if cmd.Rate < 0 || cmd.Outage < 0 || cmd.SlowCalls < 0 {
		return fmt.Errorf("%w: --rate %g, --outage %s, --slow-calls %d: none of these values may be negative", errUsage, cmd.Rate, plain.Duration(cmd.Outage), cmd.SlowCalls)
	}
	config, err := cmd.config(c)
	if err != nil {
		return err
	}
	cmd.settle(&config.Target.Load)
	return cmd.certify(ctx, c, config, contract.SlowUpstream, contract.UpstreamError)
}

// settle puts the flags, and the defaults, into the settings of the profile.
func (cmd timeoutCommand) settle(l *profile.LoadSettings) {
	l.Rate = cmp.Or(cmd.Rate, l.Rate)
	l.Outage = cmp.Or(cmd.Outage, l.Outage)
	l.SlowCalls = cmp.Or(cmd.SlowCalls, l.SlowCalls, defaultSlowCalls)
}
