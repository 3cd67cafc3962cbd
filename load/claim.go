package load

import (
	"net/http"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
)

// claimedCase returns the case by which an unexpected error is judged. Why a gateway fails under load is not known, so the
// error is judged by the row that it claims for itself: that of its code in table 2, or else that of its status in table 1.
func claimedCase(s dialect.Surface, o contract.Observation) contract.Case {
	switch {
	case o.Status/100 == 2:
		if s.Streaming() && o.Stream != nil && len(o.Stream.Events) > 0 {
			return contract.CaseOf(contract.UpstreamError, s, contract.MidStream)
		}
		return gatewayError(s)
	case o.Status == http.StatusTooManyRequests:
		return contract.CaseOf(contract.OverRateLimit, s, "")
	case o.Status == http.StatusUnauthorized:
		return contract.CaseOf("wrong-key", s, "header")
	}
	if e, err := dialect.DecodeError(s.Dialect(), o.Body, contract.IsCode); err == nil {
		if c, ok := caseOfCode(s, e.Business); ok {
			return c
		}
	}
	switch {
	case o.Status == http.StatusForbidden:
		return contract.CaseOf("no-model-access", s, "")
	case o.Status == http.StatusNotFound:
		return contract.CaseOf("unknown-model", s, "")
	case o.Status/100 == 4:
		return contract.CaseOf("malformed-parameter", s, "wrong-type")
	default:
		return gatewayError(s)
	}
}

func gatewayError(s dialect.Surface) contract.Case {
	return contract.CaseOf(contract.GatewayError, s, "")
}

// caseOfCode returns the first case on a surface of the row of a code.
func caseOfCode(s dialect.Surface, code string) (contract.Case, bool) {
	if !contract.IsCode(code) {
		return contract.Case{}, false
	}
	for _, c := range contract.Cases() {
		if c.Surface == s && c.Row == contract.RowID("code:"+code) {
			return c, true
		}
	}
	return contract.Case{}, false
}
