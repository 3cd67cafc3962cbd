package reports

import (
	"maps"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// surfaceProtocol is in which protocols the gateway called the mock upstream for the calls on a surface.
type surfaceProtocol struct {
	Surface dialect.Surface `json:"surface"`
	// Seen are the API formats of the calls that reached the upstream.
	Seen []string `json:"seen"`
	// Named is the API format that the profile declares, or "" if it declares none.
	Named string `json:"named,omitempty"`
}

func (p surfaceProtocol) differs() bool {
	return p.Named != "" && slices.ContainsFunc(p.Seen, func(seen string) bool { return seen != p.Named })
}

// upstreamProtocols lists the surfaces of which calls reached the mock upstream. Only the cases that need no more of a
// gateway than one model routed there count: others may use a channel that was prepared for them.
func upstreamProtocols(run runlog.Run) []surfaceProtocol {
	seen := make(map[dialect.Surface]map[string]bool)
	for _, c := range run.Cases {
		known, err := contract.ParseCase(c.ID)
		if err != nil || known.Level() != contract.Relay || c.Observation == nil || c.Observation.Upstream == nil {
			continue
		}
		for _, a := range c.Observation.Upstream.Attempts {
			if a.Redirected || !slices.Contains(dialect.Dialects(), dialect.Dialect(a.Protocol)) {
				continue
			}
			if seen[c.Surface] == nil {
				seen[c.Surface] = make(map[string]bool)
			}
			seen[c.Surface][a.Protocol] = true
		}
	}
	list := []surfaceProtocol{}
	for _, s := range dialect.Surfaces() {
		if len(seen[s]) > 0 {
			list = append(list, surfaceProtocol{s, slices.Sorted(maps.Keys(seen[s])), run.Target.UpstreamProtocols[s]})
		}
	}
	return list
}

// translates reports whether a call reached the upstream in another protocol than that of its endpoint.
func (p surfaceProtocol) translates() bool {
	return len(p.Seen) != 1 || p.Seen[0] != string(p.Surface.Dialect())
}

// protocolSentence says in one line how the gateway spoke to the mock upstream, and where the profile names another
// protocol; "" where no call reached it.
//
//	The gateway called the upstream in each endpoint's own API format
//	The gateway called the upstream in openai format for messages, messages-stream; for every other endpoint, it used that endpoint's own API format
func protocolSentence(run runlog.Run) string {
	on, other := make(map[string][]string), make(map[string][]string)
	list, own := upstreamProtocols(run), 0
	if len(list) == 0 {
		return ""
	}
	for _, p := range list {
		if p.differs() {
			other[p.Named] = append(other[p.Named], string(p.Surface))
		}
		if !p.translates() {
			own++
			continue
		}
		for _, protocol := range p.Seen {
			on[protocol] = append(on[protocol], string(p.Surface))
		}
	}
	var parts []string
	for _, protocol := range slices.Sorted(maps.Keys(on)) {
		parts = append(parts, "in "+protocol+" format for "+strings.Join(on[protocol], ", "))
	}
	switch {
	case len(parts) == 0:
		parts = []string{"in each endpoint's own API format"}
	case own > 0:
		parts = append(parts, "for every other endpoint, it used that endpoint's own API format")
	}
	var sentence strings.Builder
	sentence.WriteString("The gateway called the upstream " + strings.Join(parts, "; "))
	for _, named := range slices.Sorted(maps.Keys(other)) {
		sentence.WriteString(". The profile (upstream.protocol) specifies " + plain.Text(named, nameLimit) + " for " + strings.Join(other[named], ", "))
	}
	return sentence.String()
}
