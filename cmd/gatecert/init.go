package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/atomicfile"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/internal/version"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/static"
)

type initCommand struct {
	URL   string   `arg:"" help:"The gateway's root URL (a trailing /v1 is ignored)."`
	Key   string   `help:"A valid API key for the gateway. The profile refers to $$GATEWAY_KEY and does not contain the key itself." env:"GATEWAY_KEY"`
	Model []string `help:"A model that the key can access, in the same form as gatecert run --model. Default: models from the gateway's model list." placeholder:"NAME" sep:"none"`
	claimFlags
	Out string `help:"File to write the profile to (it must not exist yet), or - to print the profile. Default: ${default}." default:"gatecert.yaml" placeholder:"FILE"`
}

// Help implements kong's HelpProvider.
func (initCommand) Help() string {
	return `Examples:
  gatecert init https://gateway.example                      use models from the gateway's model list and the key in $GATEWAY_KEY
  gatecert init https://gateway.example --model gpt-4o-mini --out my-gateway.yaml
  gatecert run --target my-gateway.yaml --level edge

To find out which endpoints work, gatecert init sends a healthy call to every endpoint and, if the call succeeds and the endpoint is not free
of charge, a call with an unknown model. If the gateway calls a real upstream, these calls use a few tokens, generate an image and synthesize
a sentence of speech (docs/profile.md).`
}

func (i initCommand) Run(ctx context.Context, c *console) error {
	if info, err := os.Stat(i.URL); err == nil && !info.IsDir() {
		return fmt.Errorf("%w: %q is a file, not a URL: gatecert init queries a gateway, so specify its URL, such as https://gateway.example", errUsage, i.URL)
	}
	flags := targetFlags{URL: i.URL, Key: i.Key, Model: i.Model, claimFlags: i.claimFlags}
	if len(i.Model) == 0 {
		flags.Model = []string{"-"} // replaced below
	}
	target, err := flags.profile()
	if err != nil {
		return err
	}
	if len(i.Model) == 0 {
		target.Models = profile.Models{}
		target.Surfaces = dialect.Surfaces()
	}
	if i.Out != "-" {
		if _, err := os.Lstat(i.Out); !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("%w: %s already exists: choose another file with --out, or remove the existing file", errUsage, i.Out)
		}
	}
	flags.tellRoot(c)
	found, err := runner.Discover(ctx, static.Driver{}, target)
	if err != nil {
		return err
	}
	text := i.text(target, found)
	known := func(string) (string, bool) { return "key", true }
	written, err := profile.Parse(i.Out, []byte(text), known)
	if err != nil {
		return fmt.Errorf("gatecert init generated an invalid profile: %w", err)
	}
	if i.Out == "-" {
		_, err := io.WriteString(c.out, text)
		return err
	}
	if err := atomicfile.WriteBytes(i.Out, 0o600, []byte(text)); err != nil {
		return fmt.Errorf("write the profile: %w", err)
	}
	next := "gatecert run --target " + i.Out
	if i.Out == foundProfile {
		// The user has just sent this key to this gateway.
		if err := toUse.add(i.Out, reachDigest(written)); err != nil {
			fmt.Fprintf(c.err, "note: gatecert run will ask for your consent before it uses %s, because gatecert init could not record that this file needs no consent: %v\n", i.Out, err)
		}
		next = "gatecert run"
	}
	fmt.Fprintf(c.out, "%s: %s; next: %s --level edge\n", i.Out, plain.Count(len(found.Surfaces), "endpoint"), next)
	return nil
}

// relayPart is the rest of a profile: what the levels above edge need, as comments.
const relayPart = `
# Level relay: the gateway calls gatecert's mock upstream for the models above, or for a separate model.
# upstream:
#   listen: 127.0.0.1:9901
#   url: http://host.docker.internal:9901    # if the gateway is in a container; also set listen: 0.0.0.0:9901
# In models:
#   relay: routed-to-gatecert

# Level account, under keys:
#   revoked: "${REVOKED_KEY}"
#   restricted: "${RESTRICTED_KEY}"          # a key that may not use the models above
#   spent_account: "${SPENT_KEY}"

# Level full:
# limits:
#   timeout: 30s                             # how long the gateway waits for its upstream
#   rate: {key: "${LIMITED_KEY}", requests: 20, window: 10s}

# docs/profile.md explains every field.
`

// text is the profile with comments. Every value is quoted: model names come from the gateway.
func (i initCommand) text(target profile.Profile, found runner.Found) string {
	var b strings.Builder
	line := func(format string, values ...any) { fmt.Fprintf(&b, format+"\n", values...) }
	b.WriteString(version.SchemaComment("profile"))
	line("# Written by gatecert init. gatecert reads the key from $GATEWAY_KEY.")
	line("name: %s", strconv.Quote(folderPart(target)))
	line("base_url: %s", strconv.Quote(target.BaseURL))
	line("")
	line("# These endpoints served a healthy call and, unless calls to them are free, rejected a call with an unknown model.")
	line("surfaces:")
	for _, s := range found.Surfaces {
		line("- %s", s)
	}
	if len(found.Failed) > 0 {
		line("# These endpoints did not serve a healthy call, or did not reject a call with an unknown model:")
		for _, failed := range found.Failed {
			line("#   %s", failed)
		}
	}
	line("")
	if !target.Claims.NoClientKeys() || i.Key != "" {
		line("keys:")
		line(`  valid: "${GATEWAY_KEY}"`)
	}
	line("models:")
	first := found.Models.On(found.Surfaces[0])
	line("  default: %s", strconv.Quote(first))
	var written []dialect.Surface
	for _, s := range found.Surfaces {
		if e := s.Endpoint(); found.Models.On(s) != first && !slices.Contains(written, e) {
			written = append(written, e)
			line("  %s: %s", e, strconv.Quote(found.Models.On(s)))
		}
	}
	if len(found.Offered) > 0 {
		const most = 20
		line("# The gateway's model list contains %s: %s", plain.Count(len(found.Offered), "model"), strings.Join(found.Offered[:min(len(found.Offered), most)], ", ")+more(len(found.Offered)-most))
	}
	if len(i.Claim) > 0 {
		line("claims:")
		for _, claim := range i.Claim {
			name, value, _ := strings.Cut(claim, "=")
			line("  %s: %s", name, value)
		}
	}
	b.WriteString(relayPart)
	return b.String()
}

func more(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf(" and %d more", n)
}
