package reports

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/reports/runlog"
)

// calledAs is a case of which calls reached the upstream in these protocols.
func calledAs(id string, protocols ...string) runlog.Case {
	seen := &contract.Seen{}
	for _, p := range protocols {
		seen.Attempts = append(seen.Attempts, contract.Attempt{Protocol: p, Redirected: p == "gemini"})
	}
	key := runlog.KeyOf(contract.SplitID(id))
	key.ID = id
	return runlog.Case{CaseKey: key, Observation: &contract.Observation{Upstream: seen}}
}

// The protocols are those of the cases that need one routed model and no more.
func TestProtocolsOfTheUpstream(t *testing.T) {
	const failing = "http:5xx/upstream-error/"
	for _, row := range []struct {
		name  string
		cases []runlog.Case
		named map[dialect.Surface]string
		want  string
	}{
		{"no call reached it", []runlog.Case{calledAs(failing + "chat/error-object")}, nil, ""},
		{"one for all", []runlog.Case{calledAs(failing+"chat/error-object", "openai"), calledAs(failing+"messages/redirect", "openai", "gemini")}, nil,
			"The gateway called the upstream in openai format for messages; for every other endpoint, it used that endpoint's own API format"},
		{"each its own", []runlog.Case{calledAs(failing+"chat/error-object", "openai"), calledAs(failing+"messages/error-object", "anthropic"),
			calledAs("code:channel:invalid_key/channel-with-bad-key/messages", "openai")}, nil,
			"The gateway called the upstream in each endpoint's own API format"},
		{"in several", []runlog.Case{calledAs(failing+"chat/error-object", "openai", "anthropic")}, nil,
			"The gateway called the upstream in anthropic format for chat; in openai format for chat"},
		{"as the profile names", []runlog.Case{calledAs(failing+"chat/error-object", "openai")}, map[dialect.Surface]string{"chat": "openai"},
			"The gateway called the upstream in each endpoint's own API format"},
		{"another than the profile names", []runlog.Case{calledAs(failing+"chat/error-object", "openai"), calledAs(failing+"messages/error-object", "openai")},
			map[dialect.Surface]string{"messages": "anthropic", "chat": "openai"},
			"The gateway called the upstream in openai format for messages; for every other endpoint, it used that endpoint's own API format. The profile (upstream.protocol) specifies anthropic for messages"},
	} {
		t.Run(row.name, func(t *testing.T) {
			run := runlog.Run{Cases: row.cases}
			run.Target.UpstreamProtocols = row.named
			assert.Equal(t, row.want, protocolSentence(run))
		})
	}
}
