package contract

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAspectsOfAnAnswer(t *testing.T) {
	const order = "status envelope code stream leaks effects"
	none := &CodeClaim{None: true}
	for _, tt := range []struct {
		name, id string
		o        Observation
		want     string
	}{
		{"conformant", absentModel + "chat", jsonAnswer(404, openaiNotFound), "held held held untested held untested"},
		{"another status", absentModel + "chat", jsonAnswer(400, openaiNotFound), "violated held held untested held untested"},
		{"another code", absentModel + "chat", jsonAnswer(404, openaiError("other")), "held held violated untested held untested"},
		{"no codes claimed", absentModel + "chat", claiming(jsonAnswer(404, openaiError("other")), none), "held held untested untested held untested"},
		{"not an error object", absentModel + "chat", jsonAnswer(404, "{}"), "held violated violated untested held untested"},
		{"a leak", absentModel + "chat", with(jsonAnswer(404, openaiNotFound), func(o *Observation) { o.Leaks = []Leak{{"caller key", "body"}} }),
			"held held held untested violated untested"},
		{"an upstream call", "http:401/missing-key/chat", with(jsonAnswer(401, openaiError("access_denied")), func(o *Observation) {
			o.Upstream = &Seen{Attempts: []Attempt{{}}}
		}), "held held held untested held violated"},
		{"no answer", absentModel + "chat", Observation{Failure: &Failure{Kind: Closed, Detail: "x"}}, "violated untested untested untested untested untested"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := ParseCase(tt.id)
			require.NoError(t, err)
			results := Judge(c, tt.o).Aspects()
			var got []string
			for _, a := range Aspects() {
				got = append(got, string(results[a]))
			}
			assert.Equal(t, tt.want, strings.Join(got, " "), order)
		})
	}
}

// Every requirement of an answer that can be more than a NOTE belongs to one aspect.
func TestEveryRequirementHasAnAspect(t *testing.T) {
	count := make(map[Requirement]int)
	for _, a := range aspects {
		for _, r := range a.requirements {
			count[r]++
		}
	}
	for _, r := range Requirements() {
		d, _ := r.Details()
		want := 1
		if d.Levels[0] == Note {
			want = 0
		}
		assert.Equal(t, want, count[r], r)
	}
}
