package main

import (
	"context"

	"github.com/gatecert/gatecert/contract"
)

type timeoutCommand struct{ caseFlags }

// Help implements kong's HelpProvider.
func (timeoutCommand) Help() string {
	return `Healthy calls go on at a steady rate while the provider hangs, falls silent or fails on every fifth call. The gateway has to
answer these at its time limit with the right error, cancel the provider's call, let the healthy ones be as sure and as
quick as before, leave nothing behind, and be well again at once. The provider has to be ours: the profile needs upstream.

Examples:
  gatecert load timeout                            the embedded reference gateway
  gatecert load timeout --target my-gateway.yaml   with limits.timeout in the profile, the limit itself is verified`
}

func (cmd timeoutCommand) Run(ctx context.Context, c *console) error {
	config, err := cmd.config()
	if err != nil {
		return err
	}
	return cmd.certify(ctx, c, config,
		"code:channel:response_time_exceeded/slow-upstream/"+cmd.Surface+"/"+contract.LoadVariant,
		"http:5xx/upstream-error/"+cmd.Surface+"/"+contract.LoadVariant)
}
