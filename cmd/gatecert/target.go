package main

import (
	"fmt"
	"strings"

	"github.com/gatecert/gatecert/targets/profile"
)

// targetFlags say which gateway is tested. Every command that calls a gateway embeds them.
type targetFlags struct {
	URL    string `arg:"" optional:"" help:"Root URL of the gateway (without /v1). Without URL and --target: the embedded reference gateway, or for replay the target in the log."`
	Target string `help:"Profile of the gateway (YAML, docs/profile.md)." placeholder:"FILE" type:"path"`
	Key    string `help:"With a URL: a valid key of the gateway." env:"GATEWAY_KEY"`
	Model  string `help:"With a URL: a model that the key may use."`
}

// profile returns the profile that the flags describe, the zero value for the reference gateway. It returns [errUsage], and
// the errors of [profile.Load].
func (f targetFlags) profile() (profile.Profile, error) {
	switch {
	case f.URL != "" && f.Target != "":
		return profile.Profile{}, fmt.Errorf("%w: give a URL or --target, not both", errUsage)
	case f.URL == "" && f.Model != "":
		return profile.Profile{}, fmt.Errorf("%w: --model needs a URL", errUsage)
	case f.Target != "":
		return loadProfile(f.Target)
	case f.URL == "":
		return profile.Profile{}, nil
	case f.Key == "" || f.Model == "":
		return profile.Profile{}, fmt.Errorf("%w: a URL needs --key (or $GATEWAY_KEY) and --model", errUsage)
	case !profile.AbsoluteURL(f.URL):
		hint := ""
		if !strings.Contains(f.URL, "://") {
			hint = "; did you mean http://" + f.URL + "?"
		}
		return profile.Profile{}, fmt.Errorf("%w: %q is not an http or https URL%s", errUsage, f.URL, hint)
	default:
		return profile.FromURL(f.URL, f.Key, f.Model), nil
	}
}
