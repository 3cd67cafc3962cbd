package newapi

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// inspection is what is known of a deployment before anything is changed on it, and what the run would change.
type inspection struct {
	version string
	options map[string]string
	// unit is the quota that one unit of a price stands for.
	unit float64
	// retries is how often the gateway itself retries.
	retries int
	// listedWord is a word that the gateway refuses, "" when the product has no such list.
	listedWord string
	// wholeRun are the settings for the whole run, perPurpose those for the cases that need them.
	wholeRun   []setting
	perPurpose map[string][]setting
	changes    []targets.Change
}

// setting is an option and the value that the run needs.
type setting struct{ key, value string }

// The purposes for which options are changed while some cases run.
const (
	retryOnce      = "retry once"
	refuseUnpriced = "refuse unpriced models"
	checkWords     = "check for words"
	limitRate      = "limit the rate"
)

// limitedCalls is the limited user's number of calls in a window; the gateway decides how long that is.
const limitedCalls = 3

// defaultUnit is the quota for one unit of a price in both products, where nobody has changed it.
const defaultUnit = 500_000

// inspect reads the deployment and decides what has to be changed. It changes nothing.
//
// It returns [targets.ErrCannotPrepare] when the deployment lacks something, and the errors of the client.
func inspect(ctx context.Context, admin *client, p profile.Profile, tag string) (i inspection, err error) {
	s, err := admin.status(ctx)
	if err != nil {
		return i, err
	}
	if s.Setup != nil && !*s.Setup {
		return i, fmt.Errorf("%w: the gateway has not been set up yet: open %s in a browser or send POST /api/setup", targets.ErrCannotPrepare, p.BaseURL)
	}
	i = inspection{version: s.Version, unit: defaultUnit, perPurpose: map[string][]setting{}}
	if i.options, err = admin.options(ctx); err != nil {
		return i, fmt.Errorf("read the options (only the root user may read them): %w", err)
	}
	if unit, err := strconv.ParseFloat(i.options["QuotaPerUnit"], 64); err == nil && unit >= 1 {
		i.unit = unit
	}
	i.retries, _ = strconv.Atoi(i.options["RetryTimes"]) // 0 where the option is missing
	if err := i.checkSignIn(admin.product); err != nil {
		return i, err
	}
	removal := "deleted at the end of the run"
	if admin.product == oneAPI {
		removal += "; one-api keeps the users in its database, but renames and disables them"
	}
	i.announce("users, tokens", "created for the run, named "+tag+"-…, "+removal, "the cases need keys of several kinds, such as a revoked key and a key with no quota left")
	i.announce("channels", "created for the run's own groups, named "+tag+"-…, deleted at the end of the run", "the cases need routes to the mock upstream")
	if admin.product == oneAPI {
		i.changeForRun("AutomaticDisableChannelEnabled", "false", "the upstream fails in many cases, and the gateway would otherwise disable the run's channels one after another")
	} else {
		i.inspectNewAPI(tag)
	}
	if p.Store.Present() {
		i.announce("the store", "during the store cases, the tables tokens and "+admin.product.readTable()+" are briefly renamed, and writes to the database row of the run's user are blocked",
			"to simulate a failing store; meanwhile, other clients' calls fail")
	}
	return i, nil
}

// checkSignIn returns [targets.ErrCannotPrepare] when the users of a run could not sign in to create their keys.
func (i *inspection) checkSignIn(p product) error {
	const why = "the users created for the run must sign in to create their keys"
	if i.options["PasswordLoginEnabled"] == "false" {
		return fmt.Errorf("%w: PasswordLoginEnabled is off, but %s: turn it on for the run", targets.ErrCannotPrepare, why)
	}
	if i.options["TurnstileCheckEnabled"] == "true" && p == newAPI {
		return fmt.Errorf("%w: TurnstileCheckEnabled is on, but %s: turn it off for the run", targets.ErrCannotPrepare, why)
	}
	return nil
}

func (i *inspection) inspectNewAPI(tag string) {
	i.changeForRun("performance_setting.monitor_enabled", "false", "the gateway would otherwise return 503 for every call when CPU usage exceeds 90 %")
	i.announce("option ModelPrice", "prices are added for the run's models and removed at the end of the run", "the gateway refuses models without a price")
	i.announce("option ModelRequestRateLimitGroup", "limits are added for the run's groups and removed at the end of the run", "to test status 429 without limiting the rest of the run")
	if i.retries == 0 {
		i.changeForCases(retryOnce, "one case disables a channel during a call, and the gateway notices this only when it retries the call", setting{"RetryTimes", "1"})
	}
	if i.options["SelfUseModeEnabled"] == "true" {
		i.changeForCases(refuseUnpriced, "these cases test models without a price, which the gateway accepts in self-use mode", setting{"SelfUseModeEnabled", "false"})
	}
	if i.options["ModelRequestRateLimitEnabled"] != "true" {
		i.changeForCases(limitRate, "to test status 429; while this option is on, any limits configured for all users apply as well", setting{"ModelRequestRateLimitEnabled", "true"})
	}
	i.listedWord = firstWord(i.options["SensitiveWords"])
	if i.options["CheckSensitiveEnabled"] != "true" || i.options["CheckSensitiveOnPromptEnabled"] != "true" || i.listedWord == "" {
		i.listedWord = tag + "-word"
		// The list is replaced first: no other caller may run into words that were not checked before.
		i.changeForCases(checkWords, "to test a prompt that contains a sensitive word", setting{"SensitiveWords", i.listedWord},
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

// minutes reads an option that holds whole minutes.
func (i *inspection) minutes(option string) (time.Duration, bool) {
	n, err := strconv.Atoi(i.options[option])
	return time.Duration(n) * time.Minute, err == nil && n > 0
}

// announce adds a change to those that need consent.
func (i *inspection) announce(what, how, why string) {
	i.changes = append(i.changes, targets.Change{What: what, How: how, Why: why})
}

// changeForRun changes an option for the whole run, where the gateway has it with another value.
func (i *inspection) changeForRun(key, value, why string) {
	now, ok := i.options[key]
	if !ok || now == value {
		return
	}
	i.wholeRun = append(i.wholeRun, setting{key, value})
	i.announce("option "+key, now+" -> "+value+", during the run", why)
}

// changeForCases changes options only while the cases of a purpose run.
func (i *inspection) changeForCases(purpose, why string, settings ...setting) {
	for _, s := range settings {
		if i.options[s.key] == s.value {
			continue
		}
		i.perPurpose[purpose] = append(i.perPurpose[purpose], s)
		i.announce("option "+s.key, fmt.Sprintf("%s -> %s, only while the cases that need this value run", shortened(i.options[s.key]), s.value), why)
	}
}

// shortened is a list of words as far as it fits on a line.
func shortened(text string) string {
	const most = 40 // bytes
	text = strings.ReplaceAll(text, "\n", " ")
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}
