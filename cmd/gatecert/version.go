package main

import (
	"fmt"

	"github.com/gatecert/gatecert"
	"github.com/gatecert/gatecert/contract"
)

type versionCommand struct{}

func (versionCommand) Run(c *console) error {
	_, err := fmt.Fprintf(c.out, "gatecert %s\ncontract %s\n", gatecert.Version, contract.Digest())
	return err
}
