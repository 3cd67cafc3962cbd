package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/targets/profile"
)

type timeoutCommand struct {
	caseFlags
	Rate      float64       `help:"Healthy requests per second. Default: load.rate of the profile, or 30." placeholder:"RATE"`
	Outage    time.Duration `help:"How long the upstream fails. Default: load.outage of the profile, or 3.5s where it hangs and 3s where not." placeholder:"DURATION"`
	SlowCalls int           `help:"How many calls a hanging upstream holds at once: pools in the gateway of up to two thirds of so many places are seen to be exhausted. Default: load.slow_calls of the profile, or 160." placeholder:"N"`
}

// defaultSlowCalls exhaust a pool of 100 places, the default of many HTTP clients.
const defaultSlowCalls = 160

// Help implements kong's HelpProvider.
func (timeoutCommand) Help() string {
	return `Healthy calls are sent at a steady rate while the upstream hangs, stalls or fails on others. The gateway has to answer the faulty
calls at its time limit with the right error, cancel their upstream calls, serve the healthy calls as reliably and as quickly as
before, leave no call open, and recover at once. By default so many calls hang at once that a pool of 100 places in the gateway
would be exhausted. It needs the mock upstream behind the gateway: upstream in the profile.

Examples:
  gatecert load timeout                            the embedded reference gateway
  gatecert load timeout --target my-gateway.yaml   with limits.timeout in the profile, the time limit itself is verified
  gatecert load timeout --target my-gateway.yaml --outage 30s --slow-calls 300`
}

func (cmd timeoutCommand) Run(ctx context.Context, c *console) error {
	if cmd.Rate < 0 || cmd.Outage < 0 || cmd.SlowCalls < 0 {
		return fmt.Errorf("%w: --rate %g, --outage %s, --slow-calls %d: none may be negative", errUsage, cmd.Rate, cmd.Outage, cmd.SlowCalls)
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
