package main

import (
	"fmt"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/runner"
)

type versionCommand struct{}

func (versionCommand) Run(c *console) error {
	_, err := fmt.Fprintf(c.out, "gatecert %s\ncontract %s\n", runner.Version, contract.Digest())
	return err
}
