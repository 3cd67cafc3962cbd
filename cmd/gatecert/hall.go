package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/internal/yamlfile"
	"github.com/gatecert/gatecert/reports"
	"github.com/gatecert/gatecert/reports/certificate"
	"github.com/gatecert/gatecert/reports/hall"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/targets/profile"
)

type hallCommand struct {
	Logs   string   `arg:"" name:"dir" help:"Folder that contains run logs (run.ndjson, or any *.ndjson or *.ndjson.gz file) and their certificates." type:"path"`
	Out    string   `required:"" help:"Folder to write the pages to. The output folder must be new or empty, or contain pages from an earlier gatecert hall." placeholder:"SITE" type:"path"`
	Level  string   `complete:"levels" help:"Certification level to list. 'full without load cases' counts as a separate level. Default: the most common level among the gateways."`
	Key    []string `help:"Public key for verifying certificates (PEM, Ed25519). Repeatable." placeholder:"FILE" type:"path"`
	Signed bool     `help:"List only logs that have a valid certificate. --signed requires --key."`
	Now    string   `help:"Date (UTC) to use as the current date when computing the age of the runs, such as 2026-11-29. Default: today." placeholder:"DATE"`
	URL    string   `name:"url" help:"URL at which the pages will be published. The feed needs this URL for absolute links." placeholder:"URL"`
}

// Help implements kong's HelpProvider.
func (hallCommand) Help() string {
	return `gatecert hall generates static pages from the logs of many gateways: a matrix of gateways and rows, each gateway's response for each row,
each gateway's runs over time, data.json, an Atom feed and badges. The pages load no external resources and can be published as they are
(see docs/hall.md).

For each gateway, the matrix shows the newest run of the newest version. gatecert hall audits every log in the same way as gatecert
verify. A log is not listed if it is incomplete, does not support its verdicts, was judged against a different contract or at a different
level, covers only selected rows, or is older than 90 days. Both the page and this command show why a log is not listed.

Examples:
  gatecert hall results --out site
  gatecert hall results --out site --key release.pub.pem --signed --url https://results.example

Exit codes: 0 every log is listed; 1 the pages are generated, but some logs are not listed; 2 the output folder contains other files;
3 no log can be listed, so no pages are generated.`
}

func (r hallCommand) Run(ctx context.Context, c *console) error {
	options, err := r.options()
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(r.Logs) // no name in it leads out of it
	if err != nil {
		return fmt.Errorf("%w: %w: specify the folder that contains the run logs", errUsage, err)
	}
	defer root.Close() //nolint:errcheck // it was only read
	if inside(r.Out, r.Logs) {
		return fmt.Errorf("%w: --out %s is inside the log folder: choose a folder outside it", errUsage, r.Out)
	}
	h, err := hall.Read(ctx, root.FS(), options)
	for _, refusal := range h.Refused {
		fmt.Fprintf(c.err, "not listed (%s): %s: %s\n", refusal.Kind, plain.Text(refusal.Path, maxReason), refusal.Reason)
	}
	if err != nil {
		return err
	}
	if err := h.Write(ctx, r.Out); err != nil {
		return err
	}
	for _, g := range h.Gateways {
		run := g.Current.Run
		name := strings.TrimSpace(g.Name + " " + plain.Text(run.Target.Version, maxReason))
		fmt.Fprintf(c.out, "%s %s: %s\n", reports.Sign(run.Verdict()), name, reports.Sentence(run))
	}
	fmt.Fprintf(c.out, "%s: %s\n", h.Sentence(), filepath.Join(r.Out, "index.html"))
	if len(h.Refused) > 0 {
		return shownError{exitNotConformant, "some logs are not listed"}
	}
	return nil
}

func (r hallCommand) options() (hall.Options, error) {
	o := hall.Options{Auditor: auditor, Signed: r.Signed, Today: time.Now(), URL: r.URL}
	if r.Level != "" {
		if o.Scope = string(contract.LevelOf(r.Level)); !slices.Contains(hall.Scopes(), o.Scope) {
			return o, fmt.Errorf("%w: --level: there is no level %q: %s", errUsage, r.Level, yamlfile.DidYouMean(r.Level, hall.Scopes(), "use one of "+plain.Joined(hall.Scopes())))
		}
	}
	if r.Now != "" {
		day, err := time.Parse(time.DateOnly, r.Now)
		if err != nil {
			return o, fmt.Errorf("%w: --now %q: must be a date such as 2026-11-29", errUsage, r.Now)
		}
		o.Today = day
	}
	if r.URL != "" && !profile.AbsoluteURL(r.URL) {
		return o, fmt.Errorf("%w: --url %q: must be an http or https URL", errUsage, r.URL)
	}
	for _, path := range r.Key {
		data, err := readSmall(path)
		if err != nil {
			return o, err
		}
		key, err := certificate.ParseKey(data)
		if err != nil {
			return o, fmt.Errorf("%s: %w", path, err)
		}
		if key.Private() {
			return o, fmt.Errorf("%w: --key %s is a private key: use the public key of the pair, and keep the private key secret", errUsage, path)
		}
		o.Keys = append(o.Keys, key)
	}
	if r.Signed && len(o.Keys) == 0 {
		return o, fmt.Errorf("%w: --signed requires a public key: add --key FILE", errUsage)
	}
	return o, nil
}

// inside reports whether a path is a folder or below it.
func inside(path, folder string) bool {
	path, errPath := filepath.Abs(path)
	folder, errFolder := filepath.Abs(folder)
	if errors.Join(errPath, errFolder) != nil {
		return false
	}
	below, err := filepath.Rel(folder, path)
	return err == nil && filepath.IsLocal(below)
}
