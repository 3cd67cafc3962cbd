package steps

import (
	"context"
	"fmt"
	"regexp"

	"github.com/cucumber/godog"

	"github.com/gatecert/gatecert/contract"
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
	{regexp.MustCompile(`^the status is (.+)$`), theStatusIs},
	{regexp.MustCompile(`^the error code is "([^"]+)"$`), theErrorCodeIs},
	{regexp.MustCompile(`^the error code is one of table 2$`), theErrorCodeIsOfTable2},
	{regexp.MustCompile(`^the answer says when to come back$`), theAnswerSaysWhenToComeBack},
	{regexp.MustCompile(`^the error is whole and in the caller's dialect$`), theErrorIsWhole},
	{regexp.MustCompile(`^nothing that must stay inside is shown$`), nothingInsideIsShown},
	{regexp.MustCompile(`^the provider is (?:not asked|asked within bounds)$`), theProviderIsSpared},
}

func givenTheCircumstance(ctx context.Context, id, sentence string) error {
	return world(ctx).givenCircumstance(id, sentence)
}

func aCallerAsks(ctx context.Context, surface string) error {
	return world(ctx).ask(ctx, contract.Surface(surface), "")
}

func aCallerAsksInTheWay(ctx context.Context, surface, variant string) error {
	return world(ctx).ask(ctx, contract.Surface(surface), variant)
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
	for _, d := range definitions {
		sc.Step(d.sentence, d.verb)
	}
}
