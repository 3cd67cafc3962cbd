package newapi

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// findings are what is known of a deployment before anything is changed on it, and what the run would change.
type findings struct {
	version string
	options map[string]string
	// unit is the quota that one unit of a price stands for.
	unit float64
	// retries is how often the gateway itself tries once more.
	retries int
	// word is one that the gateway refuses, "" when the product has no such list.
	word string
	// always are the settings changed for the whole run, briefly those changed around the cases that need it, by purpose.
	always  []setting
	briefly map[string][]setting
	changes []targets.Change
}

// setting is an option and the value it needs.
type setting struct{ key, value string }

// The purposes for which options are changed around single cases.
const (
	retryOnce      = "retry once"
	refuseUnpriced = "refuse unpriced models"
	watchWords     = "watch for words"
	limitRate      = "limit the rate"
)

// The limited user's calls in a window of the gateway's own length.
const limitedCalls = 3

// look reads the deployment and decides what has to be changed. It changes nothing.
func look(ctx context.Context, admin *client, p profile.Profile, tag string) (f findings, err error) {
	s, err := admin.status(ctx)
	if err != nil {
		return f, err
	}
	if s.Setup != nil && !*s.Setup {
		return f, fmt.Errorf("%w: nobody has set it up yet: open %s in a browser, or POST /api/setup", targets.ErrUnfit, p.BaseURL)
	}
	if f.options, err = admin.options(ctx); err != nil {
		return f, fmt.Errorf("read the options, which takes the root user: %w", err)
	}
	f.version, f.briefly = s.Version, map[string][]setting{}
	f.unit = 500_000 // of both products, where nobody has changed it
	if unit, err := strconv.ParseFloat(f.options["QuotaPerUnit"], 64); err == nil && unit >= 1 {
		f.unit = unit
	}
	f.retries, _ = strconv.Atoi(f.options["RetryTimes"]) // none where the option is missing
	if f.options["PasswordLoginEnabled"] == "false" {
		return f, fmt.Errorf("%w: PasswordLoginEnabled is off, and keys can be made only by users who have signed in", targets.ErrUnfit)
	}
	if f.options["TurnstileCheckEnabled"] == "true" && admin.product == newAPI {
		return f, fmt.Errorf("%w: TurnstileCheckEnabled is on, and keys can be made only by users who have signed in", targets.ErrUnfit)
	}
	after := "deleted at the end"
	if admin.product == oneAPI {
		after += "; one-api keeps the users' rows, renamed and shut out"
	}
	f.object("users, tokens", "made for the run, named "+tag+"-…, "+after, "callers with keys in every state")
	f.object("channels", "made for groups of their own, named "+tag+"-…, deleted at the end", "routes to the provider that gatecert plays")
	if admin.product == oneAPI {
		f.during("AutomaticDisableChannelEnabled", "false", "the gateway would disable our channels one after the other")
	} else {
		f.newAPI(tag)
	}
	if p.Store.Present() {
		f.object("the store", "tables tokens and "+readTable(admin.product)+" renamed for a moment in the store's cases, and writes to our user refused",
			"the circumstances of a failing store; calls of others fail in these moments")
	}
	return f, nil
}

// newAPI adds what new-api needs and one-api does not have.
func (f *findings) newAPI(tag string) {
	f.during("performance_setting.monitor_enabled", "false", "a machine with 90 % of CPU in use answers every call with 503")
	f.object("option ModelPrice", "prices for our models added, taken out at the end", "unpriced models are refused")
	f.object("option ModelRequestRateLimitGroup", "limits for our groups added, taken out at the end", "429, and no limit for the rest of the run")
	if f.retries == 0 {
		f.around(retryOnce, "a channel that vanishes is noticed by a retry alone", setting{"RetryTimes", "1"})
	}
	if f.options["SelfUseModeEnabled"] == "true" {
		f.around(refuseUnpriced, "in this mode nothing is unpriced", setting{"SelfUseModeEnabled", "false"})
	}
	if f.options["ModelRequestRateLimitEnabled"] != "true" {
		f.around(limitRate, "429; meanwhile the limits that are set for everybody hold too", setting{"ModelRequestRateLimitEnabled", "true"})
	}
	f.word = firstWord(f.options["SensitiveWords"])
	if f.options["CheckSensitiveEnabled"] != "true" || f.options["CheckSensitiveOnPromptEnabled"] != "true" || f.word == "" {
		f.word = tag + "-word"
		// Our word replaces the list first: no other caller shall meet words that were not watched for.
		f.around(watchWords, "a listed word", setting{"SensitiveWords", f.word},
			setting{"CheckSensitiveEnabled", "true"}, setting{"CheckSensitiveOnPromptEnabled", "true"})
	}
}

func firstWord(list string) string {
	for line := range strings.Lines(list) {
		if word := strings.TrimSpace(line); word != "" {
			return word
		}
	}
	return ""
}

func (f *findings) object(what, how, why string) {
	f.changes = append(f.changes, targets.Change{What: what, How: how, Why: why})
}

// during changes an option for the whole run, where the gateway has it and it is different.
func (f *findings) during(key, value, why string) {
	now, ok := f.options[key]
	if !ok || now == value {
		return
	}
	f.always = append(f.always, setting{key, value})
	f.object("option "+key, now+" -> "+value+", during the run", why)
}

// around changes options just while the cases of a purpose run.
func (f *findings) around(purpose, why string, settings ...setting) {
	for _, s := range settings {
		if f.options[s.key] == s.value {
			continue
		}
		f.briefly[purpose] = append(f.briefly[purpose], s)
		f.object("option "+s.key, fmt.Sprintf("%s -> %s, around the cases that need it", clip(f.options[s.key]), s.value), why)
	}
}

// clip shortens a list of words to what fits on a line.
func clip(text string) string {
	text = strings.ReplaceAll(text, "\n", " ")
	if len(text) > 40 {
		return strings.ToValidUTF8(text[:40], "") + "…"
	}
	return text
}

// readTable is the table without which a call fails after the caller is known.
func readTable(p product) string {
	if p == oneAPI {
		return "abilities"
	}
	return "user_subscriptions"
}
