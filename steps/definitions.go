package steps

import (
	"context"
	"fmt"
	"regexp"
	"sync"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

// definition binds a sentence of the features to what it does.
type definition struct {
	sentence *regexp.Regexp
	// verb is a function that godog calls with the context and the sentence's groups. It returns an error only when the
	// scenario cannot be judged; a requirement that does not hold is not an error, so that the steps after it are judged too.
	verb any
	// requirements are those that the sentence states.
	requirements []contract.Requirement
}

// definitions are all sentences of the features. The expressions are compiled once: godog would compile strings again
// for every scenario, which costs ten times as much as all else it does. They are compiled when a run begins: that takes 2 ms.
var definitions = sync.OnceValue(func() []definition {
	return []definition{
		{regexp.MustCompile(`^the circumstance "([^"]+)": (.+)$`), func(ctx context.Context, id, sentence string) error {
			return world(ctx).setCircumstance(id, sentence)
		}, nil},
		{regexp.MustCompile(`^a client calls "([^"]+)"(?: with variant "([^"]+)")?$`), func(ctx context.Context, surface, variant string) error {
			return world(ctx).call(ctx, dialect.Surface(surface), variant)
		}, nil},
		{regexp.MustCompile(`^many clients call "([^"]+)"$`), func(ctx context.Context, surface string) error {
			return world(ctx).runLoad(ctx, dialect.Surface(surface))
		}, nil},

		quoting(`^the status is (.+)$`, "the scenario has status %s, but the contract specifies %s", func(c contract.Case) string { return c.Status().String() },
			contract.Answered, contract.NotSuccess, contract.StatusClass, contract.StatusExact, contract.StatusBlame),
		quoting(`^the error code is "([^"]+)"$`, "the scenario has code %q, but the contract specifies %q", publishedCode, contract.Code, contract.CodePlace),
		requiring("the error code is listed in table 2 of the contract", contract.CodeKnown),
		requiring("the response says when to retry", contract.RetryAfter),
		requiring("the error is complete and in the client's API format", contract.ContentType, contract.Whole, contract.Envelope,
			contract.Message, contract.Fields, contract.Consistent, contract.StreamError, contract.StreamEnd, contract.StreamFormat),
		requiring("the response leaks no internals", contract.Secrecy),
		// Whether others are affected is tried after one case of each kind.
		requiring("the upstream is not called, and no other caller is affected",
			contract.UpstreamUnused, contract.RetriesBounded, contract.NoCollateral),
		requiring("the upstream is called no more often than limits.attempts allows, and no other caller is affected",
			contract.UpstreamUnused, contract.RetriesBounded, contract.NoCollateral),
		requiring("the upstream is called no more often than limits.attempts allows, the gateway's key is sent to no other host, and no other caller is affected",
			contract.UpstreamUnused, contract.RetriesBounded, contract.KeyKept, contract.NoCollateral),
		requiring("the upstream is called no more often than limits.attempts allows", contract.RetriesBounded), // by load cases
		requiring("the gateway times out as declared and cancels the upstream call", contract.AnsweredInTime, contract.UpstreamFreed),
		requiring("the request is not billed", contract.NotBilled),
		requiring("the request is not billed, and a 429 says when to retry", contract.NotBilled, contract.RetryAfter),

		requiring("the gateway admits exactly as many calls as the limit allows, whether they are sent one at a time or all at once", contract.LimitExact, contract.LimitBurst),
		requiring("every error response has this row's status and code, is complete and in the client's API format, and leaks no internals",
			contract.Answered, contract.NotSuccess, contract.StatusClass, contract.StatusExact, contract.StatusBlame, contract.Code,
			contract.CodePlace, contract.CodeKnown, contract.RetryAfter, contract.ContentType, contract.Whole, contract.Envelope,
			contract.Message, contract.Fields, contract.Consistent, contract.StreamError, contract.StreamEnd, contract.StreamFormat, contract.Secrecy),
		requiring("Retry-After and the rate-limit headers are correct", contract.RetryAfterTrue, contract.RateHeaders),
		requiring("the gateway passes on the Retry-After of a 429 from the upstream", contract.UpstreamRefusal),
		requiring("refused calls cost nothing, and the gateway admits calls again once the limit allows them", contract.RefusedFree, contract.Recovery),
		requiring("other keys are not affected; streaming calls share the limit or have a separate limit, as the profile declares; calls no longer count against the limit once their client disconnects",
			contract.KeyIsolation, contract.StreamShare, contract.DepartedFree),
		requiring("the gateway stops waiting for the upstream when its declared timeout expires", contract.InTime),
		requiring("the upstream call is cancelled once the gateway times out or the client disconnects", contract.UpstreamFreed, contract.Departure),
		requiring("healthy calls succeed as often and as fast as before the outage", contract.HealthyServed, contract.HealthySpared),
		requiring("no upstream call stays open, calls succeed again within settle.recovery, and the gateway handles as many concurrent calls as before the outage",
			contract.NothingLeft, contract.Recovery, contract.CapacityKept),
	}
})

// requiring binds a sentence without groups to the requirements that it states.
func requiring(sentence string, requirements ...contract.Requirement) definition {
	return definition{
		regexp.MustCompile("^" + regexp.QuoteMeta(sentence) + "$"),
		func(ctx context.Context) { world(ctx).check(requirements) },
		requirements,
	}
}

// quoting binds a sentence that quotes the contract to the requirements that it states. The group of the expression is
// what the contract says of the case.
func quoting(sentence, difference string, published func(contract.Case) string, requirements ...contract.Requirement) definition {
	return definition{regexp.MustCompile(sentence), func(ctx context.Context, quoted string) error {
		w := world(ctx)
		if says := published(w.current); says != quoted {
			return fmt.Errorf("%w: "+difference, errDisagrees, quoted, says)
		}
		w.check(requirements)
		return nil
	}, requirements}
}

func publishedCode(c contract.Case) string {
	row, _ := contract.RowByID(c.Row)
	return row.Code()
}
