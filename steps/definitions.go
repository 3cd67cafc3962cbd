package steps

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	"github.com/cucumber/godog"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

// definition binds one sentence to one verb.
type definition struct {
	sentence *regexp.Regexp
	verb     any
}

// definitions is every sentence of the features. The expressions are compiled once: godog would compile strings anew
// for every scenario, ten times the cost of all else it does.
var definitions = []definition{
	{regexp.MustCompile(`^the circumstance "([^"]+)": (.+)$`), givenTheCircumstance},
	{regexp.MustCompile(`^a caller asks on "([^"]+)"$`), aCallerAsks},
	{regexp.MustCompile(`^a caller asks on "([^"]+)" in the way "([^"]+)"$`), aCallerAsksInTheWay},
	{regexp.MustCompile(`^many callers ask on "([^"]+)"$`), manyCallersAsk},
	{regexp.MustCompile(`^the status is (.+)$`), theStatusIs},
	{regexp.MustCompile(`^the error code is "([^"]+)"$`), theErrorCodeIs},
	{regexp.MustCompile(`^the error code is one of table 2$`), theErrorCodeIsOfTable2},
	{regexp.MustCompile(`^the answer says when to come back$`), theAnswerSaysWhenToComeBack},
	{regexp.MustCompile(`^the error is whole and in the caller's dialect$`), theErrorIsWhole},
	{regexp.MustCompile(`^nothing that must stay inside is shown$`), nothingInsideIsShown},
	{regexp.MustCompile(`^the provider is (?:not asked|asked within bounds)$`), theProviderIsSpared},
}

// underLoad is every sentence about many calls. They hold the obligations of the experiments in package load.
var underLoad = []definition{
	holding(`^as many are admitted as the limit allows, one by one and all at once$`, contract.LimitExact, contract.LimitBurst),
	holding(`^every other answer is the error of this row, whole and in the caller's dialect$`, answered...),
	holding(`^what the answers say about the limit is true$`, contract.RetryAfterTrue, contract.RateHeaders, contract.UpstreamRefusal),
	holding(`^the refused calls are free, and nobody else feels them$`, contract.RefusedFree, contract.KeyIsolation, contract.StreamShare),
	holding(`^calls are admitted again when the limit is$`, contract.Recovery),
	holding(`^the gateway gives up on the provider in its time$`, contract.InTime),
	holding(`^the provider is left in peace when its caller has gone$`, contract.UpstreamFreed, contract.RetriesBounded, contract.Departure),
	holding(`^the healthy calls beside it are as sure and as quick as before$`, contract.HealthyServed, contract.HealthySpared),
	holding(`^nothing is left behind, and all is well again in time$`, contract.NothingLeft, contract.Recovery),
}

// answered are the obligations of an answer, whatever was asked and whoever failed.
var answered = []contract.Requirement{
	contract.Answered, contract.NotSuccess, contract.StatusClass, contract.StatusExact, contract.StatusBlame, contract.Code,
	contract.CodePlace, contract.CodeKnown, contract.RetryAfter, contract.ContentType, contract.Whole, contract.Envelope,
	contract.Message, contract.Fields, contract.StreamError, contract.StreamEnd, contract.StreamFormat, contract.Secrecy,
}

// holding binds a sentence to obligations.
func holding(sentence string, obligations ...contract.Requirement) definition {
	return definition{regexp.MustCompile(sentence), func(ctx context.Context) error { return world(ctx).hold(obligations...) }}
}

func givenTheCircumstance(ctx context.Context, id, sentence string) error {
	return world(ctx).givenCircumstance(id, sentence)
}

func aCallerAsks(ctx context.Context, surface string) error {
	return world(ctx).ask(ctx, dialect.Surface(surface), "")
}

func aCallerAsksInTheWay(ctx context.Context, surface, variant string) error {
	return world(ctx).ask(ctx, dialect.Surface(surface), variant)
}

func manyCallersAsk(ctx context.Context, surface string) error {
	return world(ctx).runLoad(ctx, dialect.Surface(surface))
}

func theStatusIs(ctx context.Context, status string) error {
	w := world(ctx)
	if row, _ := contract.RowByID(w.current.Row); row.Status.String() != status {
		return fmt.Errorf("%w: status %s, the contract says %s", errDisagrees, status, row.Status)
	}
	return w.hold(contract.Answered, contract.NotSuccess, contract.StatusClass, contract.StatusExact, contract.StatusBlame)
}

func theErrorCodeIs(ctx context.Context, code string) error {
	w := world(ctx)
	if row, _ := contract.RowByID(w.current.Row); row.Code() != code {
		return fmt.Errorf("%w: code %q, the contract says %q", errDisagrees, code, row.Code())
	}
	return w.hold(contract.Code, contract.CodePlace)
}

func theErrorCodeIsOfTable2(ctx context.Context) error { return world(ctx).hold(contract.CodeKnown) }

func theAnswerSaysWhenToComeBack(ctx context.Context) error {
	return world(ctx).hold(contract.RetryAfter)
}

func theErrorIsWhole(ctx context.Context) error {
	return world(ctx).hold(contract.ContentType, contract.Whole, contract.Envelope, contract.Message, contract.Fields,
		contract.StreamError, contract.StreamEnd, contract.StreamFormat)
}

func nothingInsideIsShown(ctx context.Context) error { return world(ctx).hold(contract.Secrecy) }

func theProviderIsSpared(ctx context.Context) error {
	return world(ctx).hold(contract.UpstreamUnused, contract.RetriesBounded, contract.UpstreamFreed, contract.NotBilled)
}

func register(sc *godog.ScenarioContext) {
	for _, d := range slices.Concat(definitions, underLoad) {
		sc.Step(d.sentence, d.verb)
	}
}
