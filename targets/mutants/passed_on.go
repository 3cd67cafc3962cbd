package mutants

import (
	"errors"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/reference"
)

// passedOnMutants pass the upstream's errors on as they are.
func passedOnMutants() []Mutant {
	return []Mutant{
		mutant("upstream-errors-passed-on", "On the OpenAI endpoints, the gateway passes on the error object of the upstream's 500 response unchanged.",
			changeError(func(c *reference.Call, a *reference.Answer) {
				upstream, _ := errors.AsType[*reference.UpstreamError](c.Failure)
				editError(func(e map[string]any) {
					e["message"], e["type"], e["param"], e["code"] = upstream.Refusal.Message, upstream.Refusal.Type, nil, nil
				})(c, a)
			}, in(dialect.OpenAI), upstreamStatus(500), upstreamErrorObject, withoutUpstreamCode),
			warns(contract.CodeKnown, upstreamErrors(openAI(), "error-object", "compressed-error")...).and(contract.PassedOn)),
	}
}

func withoutUpstreamCode(_ *reference.Call, f *reference.Failure) bool {
	return upstreamAnswered(f, func(e *reference.UpstreamError) bool { return e.Refusal.Code == "" })
}
