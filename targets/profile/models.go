package profile

import (
	"cmp"
	"slices"

	"github.com/gatecert/gatecert/dialect"
)

// Models contains model names by surface.
type Models struct {
	// Default is used for surfaces without a name of their own.
	Default        string `yaml:"default,omitempty"`
	Chat           string `yaml:"chat,omitempty"`
	Completion     string `yaml:"completions,omitempty"`
	Responses      string `yaml:"responses,omitempty"`
	Messages       string `yaml:"messages,omitempty"`
	Gemini         string `yaml:"gemini,omitempty"`
	Embeddings     string `yaml:"embeddings,omitempty"`
	Images         string `yaml:"images,omitempty"`
	Speech         string `yaml:"speech,omitempty"`
	Transcriptions string `yaml:"transcriptions,omitempty"`
	Moderations    string `yaml:"moderations,omitempty"`
	Rerank         string `yaml:"rerank,omitempty"`
	CountTokens    string `yaml:"count-tokens,omitempty"`
	Models         string `yaml:"models,omitempty"`
	// Relay lists the models that the gateway routes to the mock upstream. If it is empty and there is a mock upstream, all of the models above are
	// routed there. The first model is used until the gateway stops serving it.
	Relay ModelNames `yaml:"relay,omitempty"`
	// More lists additional names from a command line. They are tried if an endpoint does not serve the model that would otherwise be used.
	More []string `yaml:"-"`
}

// ModelNames is one model name or several. In a file, it is a name or a list of names.
type ModelNames []string

// UnmarshalYAML reads a name or a list of names.
func (n *ModelNames) UnmarshalYAML(unmarshal func(any) error) error {
	var value any
	if err := unmarshal(&value); err != nil {
		return err
	}
	*n = nil
	list, isList := value.([]any)
	if !isList {
		list = []any{value}
	}
	for _, item := range list {
		name, _ := item.(string) // "" for anything else, which the check of the profile refuses at its place
		*n = append(*n, name)
	}
	return nil
}

// MarshalYAML writes a single name without a list.
func (n ModelNames) MarshalYAML() (any, error) {
	if len(n) == 1 {
		return n[0], nil
	}
	return []string(n), nil
}

// own are the names of single surfaces, each with and without streaming.
func (m *Models) own() map[dialect.Surface]*string {
	return map[dialect.Surface]*string{
		dialect.Chat: &m.Chat, dialect.Completions: &m.Completion, dialect.Responses: &m.Responses,
		dialect.Messages: &m.Messages, dialect.GenerateContent: &m.Gemini, dialect.Embeddings: &m.Embeddings,
		dialect.Images: &m.Images, dialect.Speech: &m.Speech, dialect.Transcriptions: &m.Transcriptions, dialect.Moderations: &m.Moderations,
		dialect.Rerank: &m.Rerank, dialect.CountTokens: &m.CountTokens, dialect.Models: &m.Models,
	}
}

// On returns the model to use on a surface, or "" if the profile has none.
func (m Models) On(s dialect.Surface) string {
	own := m.own()[s.Endpoint()]
	switch {
	case own == nil:
		return m.Default
	case s == dialect.CountTokens: // counts what messages would ask
		return cmp.Or(*own, m.Messages, m.Default)
	default:
		return cmp.Or(*own, m.Default)
	}
}

// Routed returns the model on a surface that is routed to the mock upstream, or "" if there is none.
func (m Models) Routed(s dialect.Surface) string {
	if len(m.Relay) > 0 {
		return m.Relay[0]
	}
	return m.On(s)
}

// Others returns all names except that of a surface, without duplicates. The surface may serve one of them.
func (m Models) Others(s dialect.Surface) []string {
	names := []string{
		m.Default, m.Chat, m.Completion, m.Responses, m.Messages, m.Gemini, m.Embeddings, m.Images, m.Speech, m.Transcriptions, m.Moderations,
		m.Rerank, m.CountTokens, m.Models,
	}
	var others []string
	for _, name := range slices.Concat(m.More, names, m.Relay) {
		if name != "" && name != m.On(s) && !slices.Contains(others, name) {
			others = append(others, name)
		}
	}
	return others
}

// With returns the models with another name for a surface, with and without streaming.
func (m Models) With(s dialect.Surface, name string) Models {
	if own := m.own()[s.Endpoint()]; own != nil {
		*own = name
	}
	return m
}

// LimitedKey returns the key that has the declared rate limit, or "" if no limit is declared.
func (p Profile) LimitedKey() string {
	if p.Limits.Rate.Key == "" && p.Limits.Rate.Model != "" {
		return p.Keys.Valid
	}
	return p.Limits.Rate.Key
}

// limitsAll reports whether the limited model is one that the other calls need too.
func (p Profile) limitsAll() bool {
	rate := p.Limits.Rate
	all := append(p.Models.Others(""), p.Models.On(""))
	return rate.Key == "" && rate.Model != "" && slices.Contains(all, rate.Model)
}

func (n ModelNames) usable() bool { return !slices.Contains(n, "") }
