package convert

import (
	"cmp"

	"github.com/gatecert/gatecert/dialect"
)

// EncodeError encodes the error envelope of a surface's format as the body of a response (CONTRACT.md, "What every error answer owes"). A status of 0
// counts as 500. The problem's type is OpenAI's; "" means the type for the status. The other formats have their own types.
func EncodeError(surface dialect.Surface, p dialect.Problem) []byte {
	format := surface.Dialect().Format()
	return dialect.Encode(format.ErrorBody(described(format, p)))
}

// statusTypes are the types of an error where the gateway's differ from those of the format's own API. 502 has no
// canonical code in google/rpc/code.proto and is, for a client, what 503 is.
var statusTypes = map[dialect.Dialect]map[int]string{
	dialect.OpenAI: {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"},
	dialect.Gemini: {402: "RESOURCE_EXHAUSTED", 499: "CANCELLED", 502: "UNAVAILABLE", 529: "UNAVAILABLE"},
}

// described fills in the type of a problem. Code and message stay the gateway's: an API's own code, such as
// invalid_api_key, says something about the upstream.
func described(format dialect.Format, p dialect.Problem) dialect.Problem {
	p.Status, p.Domain = cmp.Or(p.Status, 500), "gatecert"
	if format.Dialect() != dialect.OpenAI {
		p.Type = ""
	}
	p.Type = cmp.Or(p.Type, statusTypes[format.Dialect()][p.Status])
	described := format.Describe(p)
	described.Code, described.Message = p.Code, p.Message
	return described
}
