package profile

import (
	"fmt"
	"slices"

	"github.com/gatecert/gatecert/internal/yamlfile"
)

// checkVariables refuses a variable that would be sent to the gateway and that the profile neither declares under env nor
// uses as a key. A stranger's profile has to say at its top which of the user's variables it sends.
func (x *expansion) checkVariables(d *yamlfile.Document, env []string) error {
	declared := slices.Clone(env)
	for _, u := range x.uses {
		if u.known && u.at.holdsKey() {
			declared = append(declared, u.names...)
		}
	}
	for _, u := range x.uses {
		for _, name := range u.names {
			if (!u.known || u.at.sent()) && !slices.Contains(declared, name) {
				return d.Fault(u.path, fmt.Sprintf("the variable %s would be sent to the gateway: if you intend this, declare it with env: [%s]", name, name))
			}
		}
	}
	return nil
}

// holdsKey reports whether a string is a key of the gateway's callers.
func (p place) holdsKey() bool {
	return p.parent == "" && (p.field == "keys" || p.field == "key") || p.parent == "limits" && p.field == "key"
}

// sent reports whether a string is part of what goes to the gateway, or to the server that it names, and is no credential for it.
func (p place) sent() bool {
	switch p.parent {
	case "":
		return slices.Contains([]string{
			"base_url", "prefix", "models", "headers", "surface_headers", "model", "prompt", "path", "method", "body", "directive",
		}, p.field)
	case "upstream":
		return p.field == "attach" || p.field == "url"
	case "balance":
		return true
	case "limits":
		return p.field == "model"
	}
	return false
}
