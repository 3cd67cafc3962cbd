package load

import (
	"net/http"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

// Under load nobody knows beforehand which answer is due. An error is judged by the row that it claims for itself:
// the code in its envelope where that is one of table 2, else the line of its status in table 1.

func gatewayError(s dialect.Surface) contract.Case {
	return contract.Case{Row: "http:5xx", Circumstance: "gateway-error", Surface: s}
}

// circumstanceOf finds the case by which an answer that is not healthy is judged.
func circumstanceOf(s dialect.Surface, o contract.Observation) contract.Case {
	switch o.Status {
	case http.StatusTooManyRequests:
		return contract.Case{Row: "http:429", Circumstance: "over-rate-limit", Surface: s}
	case http.StatusUnauthorized:
		return contract.Case{Row: "http:401", Circumstance: "wrong-key", Surface: s, Variant: "header"}
	}
	if o.Status/100 == 2 {
		if s.Streaming() && o.Stream != nil && len(o.Stream.Events) > 0 {
			return contract.Case{Row: "http:5xx", Circumstance: "upstream-error", Surface: s, Variant: "mid-stream"}
		}
		return gatewayError(s)
	}
	if c, ok := caseOfCode(s, codeIn(s.Dialect(), o.Body)); ok {
		return c
	}
	switch {
	case o.Status == http.StatusForbidden:
		return contract.Case{Row: "http:403", Circumstance: "no-model-access", Surface: s}
	case o.Status == http.StatusNotFound:
		return contract.Case{Row: "http:404", Circumstance: "unknown-model", Surface: s}
	case o.Status/100 == 4:
		return contract.Case{Row: "http:400", Circumstance: "malformed-parameter", Surface: s, Variant: "wrong-type"}
	default:
		return gatewayError(s)
	}
}

// caseOfCode is the first case of a code's row on a surface.
func caseOfCode(s dialect.Surface, code string) (contract.Case, bool) {
	if !contract.IsCode(code) {
		return contract.Case{}, false
	}
	for _, c := range contract.Cases() {
		if c.Row == contract.RowID("code:"+code) && c.Surface == s {
			return c, true
		}
	}
	return contract.Case{}, false
}

// codeIn is the business code of an error envelope, where the dialect keeps it; "" for none.
func codeIn(d dialect.Dialect, body []byte) string {
	e, err := dialect.DecodeError(d, body, contract.IsCode)
	if err != nil {
		return ""
	}
	return e.Business
}
