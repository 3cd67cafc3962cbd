package clients

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/reports/clientlog"
	"github.com/gatecert/gatecert/targets/profile"
)

// plan is what one client plays.
type plan struct {
	probes []work
	// together are cases that disturb nobody, alone those that change what others meet.
	together, alone []contract.Case
}

// planFor chooses the cases and probes of a client.
func (s *playing) planFor(c *crew, surfaces []dialect.Surface) (p plan) {
	name := c.client.Name
	for _, circumstance := range contract.Circumstances() {
		cases, reason := s.choose(circumstance, surfaces)
		if len(cases) == 0 && reason != "" {
			s.skip(clientlog.Skip{Client: name, Row: circumstance.Row, Reason: circumstance.ID + ": " + reason})
		}
		for _, k := range cases {
			if s.Session.Exclusive(k) || k.Circumstance == contract.OverRateLimit {
				p.alone = append(p.alone, k)
			} else {
				p.together = append(p.together, k)
			}
		}
	}
	for _, probe := range probes() {
		on := probe.on
		if on == nil {
			on = notStreaming
		}
		switch i := slices.IndexFunc(surfaces, on); {
		case !slices.Contains(s.Probes, probe.name), i < 0:
		case probe.slow && !s.Slow:
			s.skip(clientlog.Skip{Client: name, Probe: probe.name, Reason: "this probe makes a client wait for minutes, so it runs only with --slow"})
		default:
			surface := surfaces[i]
			p.probes = append(p.probes, work{
				call: clientlog.Call{Client: name, Surface: surface, Probe: probe.name}, model: "gatecert-probe", prompt: "Say hello.", whole: probe.whole,
				handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { probe.serve(r.Context(), w, surface) }),
			})
		}
	}
	return p
}

// choose returns the cases of a circumstance that a client plays: one at rest, and one in the middle of a stream. reason says why
// there is none.
func (s *playing) choose(circumstance contract.Circumstance, surfaces []dialect.Surface) (cases []contract.Case, reason string) {
	find := func(streams bool) {
		for _, surface := range surfaces {
			if surface.Streaming() != streams {
				continue
			}
			for _, v := range circumstance.Variants {
				k := contract.Case{Row: circumstance.Row, Circumstance: circumstance.ID, Surface: surface, Variant: v.Name}
				if !slices.Contains(v.Surfaces, surface) || v.MidStream != streams || v.Name == contract.ListVariant || k.IsLoad() || !s.Asks(k) {
					continue
				}
				pr, err := s.Session.RequestOf(k)
				if err == nil {
					_, err = exchange.Prepare(pr.Call, s.Redactor)
				}
				if err == nil {
					cases = append(cases, k)
					return
				}
				reason = strings.TrimPrefix(err.Error(), profile.ErrNotOffered.Error()+": ")
			}
		}
	}
	find(false)
	find(true)
	return cases, reason
}

// sort puts the log in the order of the contract and of the probes, and there in that of the clients.
func (s *playing) sort() {
	order := make(map[string]int)
	for i, k := range contract.Cases() { // the surfaces of a variant follow each other: clients differ in theirs
		if first, seen := order[k.Circumstance+"/"+k.Variant]; seen {
			i = first
		}
		order[k.Circumstance+"/"+k.Variant], order[k.ID()] = i, i
	}
	for i, p := range probes() {
		order[p.name] = len(contract.Cases()) + i
	}
	clients := make(map[string]int)
	for i, a := range s.Adapters {
		clients[a.Name] = i
	}
	place := func(c clientlog.Call) int {
		if c.Probe == HealthyProbe {
			return -1
		}
		if c.Case != "" {
			return order[c.Case]
		}
		return order[c.Probe]
	}
	slices.SortStableFunc(s.log.Calls, func(a, b clientlog.Call) int {
		if byPlace := place(a) - place(b); byPlace != 0 {
			return byPlace
		}
		return clients[a.Client] - clients[b.Client]
	})
	slices.SortStableFunc(s.log.Skipped, func(a, b clientlog.Skip) int { return clients[a.Client] - clients[b.Client] })
}
