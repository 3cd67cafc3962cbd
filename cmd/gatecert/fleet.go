package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/gatecert/gatecert/internal/launcher"
)

type fleetCommand struct {
	YAML    fleetYAML    `cmd:"" name:"yaml" help:"Print Kubernetes manifests for a NATS server and for the workers (an Indexed Job)."`
	Compose fleetCompose `cmd:"" help:"Print a Compose file for a NATS server and the workers."`
	Systemd fleetSystemd `cmd:"" help:"Print a shell script that starts workers on one machine as systemd units."`
}

// launchFlags say what is started.
type launchFlags struct {
	Workers     int      `help:"Number of workers. Default: ${default}." default:"4" placeholder:"N"`
	FleetName   string   `help:"Name of the fleet. Default: ${default}." default:"default" placeholder:"NAME"`
	AllowTarget []string `help:"URL of a gateway to which the workers may send requests. Repeatable." required:"" placeholder:"URL"`
}

// imageFlags name the images.
type imageFlags struct {
	Image     string `help:"Container image of gatecert." required:"" placeholder:"IMAGE"`
	NATSImage string `name:"nats-image" help:"Container image of the NATS server. Default: ${default}." default:"nats:2.12-alpine" placeholder:"IMAGE"`
}

type fleetYAML struct {
	launchFlags
	imageFlags
	Namespace string `help:"Kubernetes namespace for the objects. Default: the current namespace." placeholder:"NAME"`
}

// Help implements kong's HelpProvider.
func (fleetYAML) Help() string {
	return `Examples:
  gatecert fleet yaml --workers 20 --image registry.example/gatecert:1.0 --allow-target https://gateway.example >fleet.yaml
  kubectl apply -f fleet.yaml`
}

func (cmd fleetYAML) Run(c *console) error {
	o := cmd.options(cmd.imageFlags)
	o.Namespace = cmd.Namespace
	return c.launch(launcher.Kubernetes, o)
}

type fleetCompose struct {
	launchFlags
	imageFlags
}

func (cmd fleetCompose) Run(c *console) error {
	return c.launch(launcher.Compose, cmd.options(cmd.imageFlags))
}

type fleetSystemd struct {
	launchFlags
	Join string `help:"URL of the fleet's NATS server: nats://host:4222 or tls://host:4222." required:"" placeholder:"URL"`
}

func (cmd fleetSystemd) Run(c *console) error {
	o := cmd.options(imageFlags{})
	o.Join = cmd.Join
	return c.launch(launcher.Systemd, o)
}

func (f launchFlags) options(images imageFlags) launcher.Options {
	return launcher.Options{Fleet: f.FleetName, Workers: f.Workers, Targets: f.AllowTarget, Image: images.Image, NATSImage: images.NATSImage}
}

// launch prints what a launcher needs.
func (c *console) launch(l launcher.Launcher, o launcher.Options) error {
	err := c.print(func(w io.Writer) error { return launcher.Write(w, l, o) })
	if errors.Is(err, launcher.ErrOptions) {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	return err
}
