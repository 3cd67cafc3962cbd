package targets

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/targets/profile"
)

// A gateway that drips its errors is given up on the surface where it does, after a few of them.
func TestASurfaceThatTakesTooLongIsGivenUp(t *testing.T) {
	t.Parallel()
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusNotFound)
		for strings.HasPrefix(r.URL.Path, "/v1/chat/") && r.Context().Err() == nil {
			_, _ = w.Write([]byte(" "))
			_ = http.NewResponseController(w).Flush()
			time.Sleep(5 * time.Millisecond)
		}
	}))
	defer gateway.Close()
	p := profile.FromURL(gateway.URL, "key", "model")
	p.Limits.Patience = 30 * time.Millisecond
	tell := func(s *Session, surface dialect.Surface, circumstance string) error {
		row := contract.RowID("http:404")
		if circumstance == contract.SlowUpstream {
			row = "code:channel:response_time_exceeded"
		}
		_, err := s.Observe(t.Context(), contract.Case{Row: row, Circumstance: circumstance, Surface: surface})
		return err
	}
	s := NewSession(Prepared{Profile: p}, Host{})
	defer s.Close()
	for range mostOverdue {
		require.NoError(t, tell(s, dialect.Chat, "unknown-model"))
	}
	require.ErrorIs(t, tell(s, dialect.Chat, "unknown-model"), ErrGivenUp)
	require.NoError(t, tell(s, dialect.Messages, "unknown-model"), "another surface")
	const note = "4 calls in a row on chat took longer than 30ms (limits.patience), so gatecert skipped the remaining cases on this endpoint"
	assert.Contains(t, s.HealthNotes(), note)

	persistent := NewSession(Prepared{Profile: p}, Host{Persist: true})
	defer persistent.Close()
	for range mostOverdue + 2 {
		require.NoError(t, tell(persistent, dialect.Chat, "unknown-model"))
	}
	assert.NotContains(t, persistent.HealthNotes(), note)
}

func TestOverdueCallsAreCountedInARow(t *testing.T) {
	t.Parallel()
	var v overdue
	slow, chat := contract.Case{Circumstance: contract.SlowUpstream, Surface: dialect.Chat}, contract.Case{Surface: dialect.Chat}
	for range 3 * mostOverdue {
		v.count(slow, true)
	}
	for range mostOverdue - 1 {
		v.count(chat, true)
	}
	v.count(chat, false)
	v.count(chat, true)
	assert.Empty(t, v.givenUp())
	for range mostOverdue - 1 {
		v.count(chat, true)
	}
	v.count(chat, false)
	assert.Equal(t, []dialect.Surface{dialect.Chat}, v.givenUp())
}
