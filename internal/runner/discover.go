package runner

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// Found describes what a gateway at a URL offers.
type Found struct {
	// Surfaces are the surfaces whose control calls behaved as required. Models are the models to request on these surfaces.
	Surfaces []dialect.Surface
	Models   profile.Models
	// Failed explains, for each of the other surfaces, why its control calls failed. Each explanation is one line that is safe to show.
	Failed []string
	// Offered contains the entries of the gateway's list of models that look like names. It is nil if the gateway has no such list.
	Offered []string
}

// Discover makes the control calls of every surface of a target that has not been prepared. If the target has no model, Discover takes some from the
// gateway's list.
//
// It returns [ErrUsage] if there is no model to request, [ErrInconclusive] if no surface can be judged, and the errors of [Prepare].
func Discover(ctx context.Context, driver targets.Driver, target profile.Profile) (found Found, err error) {
	prepared, err := Prepare(ctx, driver, target)
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, prepared.Close(context.WithoutCancel(ctx))) }()
	session := targets.NewSession(prepared, targets.Host{})
	defer func() { err = errors.Join(err, session.Close()) }()
	listed, err := session.ListModels(ctx)
	if err != nil {
		return found, fmt.Errorf("%w: %w", ErrHarness, err)
	}
	found.Offered = slices.DeleteFunc(listed, func(name string) bool { return !ordinaryName.MatchString(name) })
	p := &session.Profile
	named := slices.ContainsFunc(p.Surfaces, func(s dialect.Surface) bool { return p.Models.On(s) != "" })
	if !named {
		if *p, err = p.WithModels(chooseModels(found.Offered)...); err != nil {
			return found, fmt.Errorf("%w: %w", ErrHarness, err)
		}
	}
	r := &runner{session: session, journal: newJournal(nil), surfaces: p.Surfaces}
	if !named && len(found.Offered) == 0 {
		p.Models.Default, r.surfaces = unnamed, dialect.Surfaces() // to find out whether that is all that is wrong
	}
	if r.before, err = callControls(ctx, session, r.surfaces, runlog.BeforeCases); err != nil {
		return found, fmt.Errorf("%w: %w", ErrHarness, err)
	}
	if err := r.tryOtherModels(ctx); err != nil {
		return found, fmt.Errorf("%w: %w", ErrHarness, err)
	}
	if err := checkControls(ctx, session, r.before, r.surfaces); err != nil {
		if strings.Contains(err.Error(), unnamed) {
			err = fmt.Errorf("%w: the gateway at %s lists no models: use --model to specify a model that the gateway serves", ErrUsage, shownRoot(*p))
		}
		return found, err
	}
	found.Models = p.Models
	for _, s := range r.surfaces {
		if reason := r.before.failed[s]; reason != "" {
			found.Failed = append(found.Failed, plain.Text(string(s)+": "+strings.TrimPrefix(reason, "control failed: "), maxQuote))
			continue
		}
		found.Surfaces = append(found.Surfaces, s)
	}
	return found, nil
}

// unnamed is asked for where there is no model to ask for.
const unnamed = "gatecert-no-such-model"

// ordinaryName matches the names of models that may be written into a profile: a gateway could name one ${SECRET}.
var ordinaryName = regexp.MustCompile(`^[\w.:/@+-]{1,100}$`)

// kindsOfModels are words in the names of models that serve an endpoint or an API format, by its name. Where no name has one of
// them, nothing is asked for there but the default.
var kindsOfModels = []struct {
	name  string
	words *regexp.Regexp
}{
	{string(dialect.Embeddings), regexp.MustCompile(`(?i)embed`)},
	{string(dialect.Images), regexp.MustCompile(`(?i)image|dall-e|flux|diffusion`)},
	{string(dialect.Speech), regexp.MustCompile(`(?i)tts|speech`)},
	{string(dialect.Transcriptions), regexp.MustCompile(`(?i)whisper|transcri`)},
	{string(dialect.Moderations), regexp.MustCompile(`(?i)moderation`)},
	{string(dialect.Rerank), regexp.MustCompile(`(?i)rerank`)},
	{string(dialect.Anthropic), regexp.MustCompile(`(?i)claude|messages`)},
	{string(dialect.Gemini), regexp.MustCompile(`(?i)gemini`)},
}

// small are words in the names of models that cost little.
var small = regexp.MustCompile(`(?i)mini|flash|haiku|nano|lite|small|chat`)

// chooseModels are the words of a command line that select models from a gateway's list: for each kind the first that is
// small, or the first, and of the others one for everything else.
func chooseModels(offered []string) (words []string) {
	others := slices.Clone(offered)
	pick := func(names []string) string {
		if i := slices.IndexFunc(names, small.MatchString); i >= 0 {
			return names[i]
		}
		return names[0]
	}
	for _, kind := range kindsOfModels {
		var names []string
		for _, name := range offered {
			if kind.words.MatchString(name) {
				names = append(names, name)
				others = slices.DeleteFunc(others, func(n string) bool { return n == name })
			}
		}
		if len(names) > 0 {
			words = append(words, kind.name+"="+pick(names))
		}
	}
	if len(others) > 0 {
		words = append(words, pick(others))
	}
	return words
}
