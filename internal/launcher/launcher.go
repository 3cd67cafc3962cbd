// Package launcher writes the files that start the workers of a fleet elsewhere: Kubernetes manifests, a compose file, and a systemd
// script. It starts nothing itself.
package launcher

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"
	"text/template"
)

//go:embed templates
var templates embed.FS

// ErrOptions is returned for options that cannot be written into a manifest.
var ErrOptions = errors.New("invalid launcher options")

// Options describe the workers to start.
type Options struct {
	// Fleet is the name of the fleet. Workers is the number of its workers, 1 to 10,000.
	Fleet   string
	Workers int
	// Image is an image whose entry point is gatecert. NATSImage is the image of the NATS server.
	Image, NATSImage string
	// Targets are the URLs that the workers may send to.
	Targets []string
	// Namespace is the namespace in the manifests, or "" for none. Join is the URL of the NATS server. It is needed for systemd, because the systemd
	// script does not start a server.
	Namespace, Join string
}

// Launcher is a way to start workers.
type Launcher string

// The launchers.
const (
	Kubernetes Launcher = "kubernetes.yaml"
	Compose    Launcher = "compose.yaml"
	Systemd    Launcher = "systemd.sh"
)

// label is a name in Kubernetes (RFC 1123).
var label = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?$`)

// image is a reference to an image: what none of YAML, Kubernetes and a shell reads as anything else.
var image = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,250}$`)

func (o Options) check(l Launcher) error {
	switch {
	case !label.MatchString(o.Fleet):
		return fmt.Errorf("%w: the fleet name %.40q is not valid: use 1 to 42 lowercase letters, digits and hyphens, and no hyphen at either end", ErrOptions, o.Fleet)
	case o.Workers < 1 || o.Workers > 10_000:
		return fmt.Errorf("%w: the number of workers is %d, but must be between 1 and 10,000", ErrOptions, o.Workers)
	case o.Namespace != "" && !label.MatchString(o.Namespace):
		return fmt.Errorf("%w: the namespace %.40q is not valid: use 1 to 42 lowercase letters, digits and hyphens, and no hyphen at either end", ErrOptions, o.Namespace)
	case l != Systemd && (!image.MatchString(o.Image) || !image.MatchString(o.NATSImage)):
		return fmt.Errorf("%w: the image %.60q or the NATS image %.60q is not valid: use image references such as registry.example/gatecert:1.0", ErrOptions, o.Image, o.NATSImage)
	case len(o.Targets) == 0:
		return fmt.Errorf("%w: no target is specified: name at least one gateway that the workers may send requests to", ErrOptions)
	}
	for _, text := range append([]string{}, append(o.Targets, o.joins()...)...) {
		if u, err := url.Parse(text); err != nil || u.Host == "" || u.User != nil || strings.ContainsAny(text, "'\"\\ \n$`") {
			return fmt.Errorf("%w: %.60q is not a URL", ErrOptions, text)
		}
	}
	return nil
}

func (o Options) joins() []string {
	if o.Join == "" {
		return nil
	}
	return []string{o.Join}
}

// Write writes the file of a launcher. It returns [ErrOptions], and the errors of w.
func Write(w io.Writer, l Launcher, o Options) error {
	if err := o.check(l); err != nil {
		return err
	}
	functions := template.FuncMap{"quote": func(s string) (string, error) {
		text, err := json.Marshal(s) // a string of JSON is one of YAML
		return string(text), err
	}}
	t, err := template.New(string(l)+".tmpl").Funcs(functions).ParseFS(templates, "templates/"+string(l)+".tmpl")
	if err != nil {
		return fmt.Errorf("launcher %s: %w", l, err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, o); err != nil {
		return fmt.Errorf("launcher %s: %w", l, err)
	}
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return nil
}
