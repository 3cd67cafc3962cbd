package main

import (
	"context"

	"github.com/gatecert/gatecert/contract"
)

type timeoutCommand struct{ caseFlags }

// Help implements kong's HelpProvider.
func (timeoutCommand) Help() string {
	return `Healthy calls are sent at a steady rate while the upstream hangs, stalls or fails on one call in five. The gateway has to answer
the faulty calls at its time limit with the right error, cancel their upstream calls, serve the healthy calls as reliably and as
quickly as before, leave no call open, and recover at once. It needs the mock upstream behind the gateway: upstream in the profile.

Examples:
  gatecert load timeout                            the embedded reference gateway
  gatecert load timeout --target my-gateway.yaml   with limits.timeout in the profile, the time limit itself is verified`
}

func (cmd timeoutCommand) Run(ctx context.Context, c *console) error {
	config, err := cmd.config(c)
	if err != nil {
		return err
	}
	return cmd.certify(ctx, c, config, contract.SlowUpstream, contract.UpstreamError)
}
