package runner_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/load/outage"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/reference"
)

func prepareReference(t *testing.T) targets.Prepared {
	t.Helper()
	p, err := reference.Driver{}.Prepare(t.Context(), profile.Profile{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.Close(context.WithoutCancel(t.Context()))) })
	return p
}

func TestRequestsOfAnOutage(t *testing.T) {
	p := prepareReference(t)
	for _, tt := range []struct {
		name          string
		make          func(targets.Prepared, dialect.Surface) (outage.Experiment, error)
		surface       dialect.Surface
		healthy       []string
		faulty        map[string]string // the case that is expected, by name
		disconnecting []string
	}{
		{
			"slow", runner.SlowOutage, dialect.Messages, []string{"healthy", "healthy stream"},
			map[string]string{
				"hanging":        "code:channel:response_time_exceeded/slow-upstream/messages/no-answer",
				"stalled":        "code:channel:response_time_exceeded/slow-upstream/messages/stalled-answer",
				"hanging stream": "code:channel:response_time_exceeded/slow-upstream/messages-stream/no-answer",
				"stalled stream": "code:channel:response_time_exceeded/slow-upstream/messages-stream/stalled-answer",
			},
			[]string{"disconnecting, hanging", "disconnecting, stalled", "disconnecting, hanging stream", "disconnecting, stalled stream"},
		},
		{
			"failing", runner.FailingOutage, dialect.Chat, []string{"healthy", "healthy stream"},
			map[string]string{
				"failing":        "http:5xx/upstream-error/chat/error-object",
				"reset":          "http:5xx/upstream-error/chat/error-object",
				"failing stream": "http:5xx/upstream-error/chat-stream/error-object",
				"reset stream":   "http:5xx/upstream-error/chat-stream/error-object",
				"cut-off stream": "http:5xx/upstream-error/chat-stream/mid-stream",
			},
			nil,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e, err := tt.make(p, tt.surface)
			require.NoError(t, err)
			var healthy, disconnecting []string
			for _, r := range e.Healthy {
				healthy = append(healthy, r.Name)
			}
			faulty := map[string]string{}
			for _, f := range e.Faulty {
				faulty[f.Name] = f.Expect.ID()
			}
			for _, r := range e.Disconnecting {
				disconnecting = append(disconnecting, r.Name)
				require.Equal(t, contract.Case{}, r.Expect)
			}
			assert.Equal(t, tt.healthy, healthy)
			assert.Equal(t, tt.faulty, faulty)
			assert.Equal(t, tt.disconnecting, disconnecting)
		})
	}
}

func TestOutagesThatAProfileDoesNotOffer(t *testing.T) {
	p := prepareReference(t)
	p.Profile.Surfaces = []dialect.Surface{dialect.Chat}
	e, err := runner.FailingOutage(p, dialect.Chat)
	require.NoError(t, err)
	assert.Len(t, e.Healthy, 1, "the streaming twin is not listed")
	assert.Len(t, e.Faulty, 2)
	_, err = runner.SlowOutage(p, dialect.Messages)
	require.ErrorIs(t, err, profile.ErrNotOffered)

	p.Profile.Upstream = profile.Upstream{}
	_, err = runner.SlowOutage(p, dialect.Chat)
	require.ErrorIs(t, err, profile.ErrNotOffered)
	p.Profile.Circumstances = map[string]profile.Recipe{contract.SlowUpstream: {Before: []profile.Action{{Run: "true"}}}}
	_, err = runner.SlowOutage(p, dialect.Chat)
	require.ErrorIs(t, err, profile.ErrNotOffered)
	require.ErrorContains(t, err, "also affect the healthy requests")
}
