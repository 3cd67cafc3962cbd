package dialect

import (
	"net/url"
	"slices"
	"strings"
)

// Dialect is an API format: the family to which an endpoint belongs. The format determines how a credential is sent and how an error is structured.
type Dialect string

// The three formats.
const (
	OpenAI    Dialect = "openai"
	Anthropic Dialect = "anthropic"
	Gemini    Dialect = "gemini"
)

// Dialects returns the three formats.
func Dialects() []Dialect { return []Dialect{OpenAI, Anthropic, Gemini} }

// clientSide is what the clients of a format send with every request, and what they expect of an error.
type clientSide struct {
	// credential is the header field that carries the key, after scheme.
	credential, scheme string
	// keyInQuery permits ?key= in place of the header field.
	keyInQuery bool
	// versionField and version name the API version where the format asks for one.
	versionField, version string
	// newerVersion is one that clients of the format send too, "" for none.
	newerVersion string
	// envelope and codePlace are CONTRACT.md's table of dialects, as findings quote it.
	envelope, codePlace string
	// readError reads what is peculiar to the format.
	readError func(e *ErrorObject, outer, inner members, known func(code string) bool)
}

// Valid reports whether the format is one of the three.
func (d Dialect) Valid() bool { return slices.Contains(Dialects(), d) }

// Name returns the format's display name, such as "OpenAI".
func (d Dialect) Name() string {
	switch d {
	case Anthropic:
		return "Anthropic"
	case Gemini:
		return "Gemini"
	default:
		return "OpenAI"
	}
}

// Format returns the server side of the format. For an unknown format, it returns the server side of [OpenAI].
func (d Dialect) Format() Format {
	switch d {
	case Anthropic:
		return anthropic{}
	case Gemini:
		return gemini{}
	default:
		return openAI{}
	}
}

func (d Dialect) clientSide() clientSide {
	switch d {
	case Anthropic:
		return anthropicClients
	case Gemini:
		return geminiClients
	default:
		return openAIClients
	}
}

// Credential returns the name and the value of the header field that carries a key.
func (d Dialect) Credential(key string) (name, value string) {
	c := d.clientSide()
	return c.credential, c.scheme + key
}

// Version returns the header field that names the API version. The name is "" if the format has no such field.
func (d Dialect) Version() (name, value string) {
	c := d.clientSide()
	return c.versionField, c.version
}

// NewerVersion returns a later API version that clients of the format also send, or "" if there is none. Not every gateway supports it.
func (d Dialect) NewerVersion() string { return d.clientSide().newerVersion }

// EnvelopeShape returns the error envelope of the format, as written in the contract.
func (d Dialect) EnvelopeShape() string { return d.clientSide().envelope }

// CodePlace returns where the business code must be in an error of the format.
func (d Dialect) CodePlace() string { return d.clientSide().codePlace }

func escapeModel(model string) string {
	return strings.ReplaceAll(url.PathEscape(model), ":", "%3A")
}
