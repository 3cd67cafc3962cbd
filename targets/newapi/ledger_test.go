package newapi

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/exchange/redact"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
	"github.com/gatecert/gatecert/targets/store"
)

// optionServer is an admin API that has options and nothing else.
type optionServer struct {
	mu      sync.Mutex
	options map[string]string
	// answers are given first, one a request.
	answers []func(http.ResponseWriter)
	seen    []*http.Request
}

func (s *optionServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, r)
	if len(s.answers) > 0 {
		s.answers[0](w)
		s.answers = s.answers[1:]
		return
	}
	var data any
	switch {
	case r.Method == http.MethodPut:
		var o struct{ Key, Value string }
		_ = json.NewDecoder(r.Body).Decode(&o)
		s.options[o.Key] = o.Value
	case r.URL.Path == "/api/user/login":
		data = map[string]any{"access_token": "a-session-token"}
	default:
		list := []map[string]string{}
		for k, v := range s.options {
			list = append(list, map[string]string{"key": k, "value": v})
		}
		data = list
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"success": true, "message": "", "data": data})
}

func (s *optionServer) value(key string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.options[key]
}

// clientOf is a client of a server, and what it was told to wait.
func clientOf(t *testing.T, s *optionServer, admin profile.Admin) (*client, *[]time.Duration) {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	var waits []time.Duration
	return &client{
		base: server.URL, product: newAPI, http: newHTTP(nil), admin: admin, token: admin.Token,
		redactor: redact.New(redact.Secret{What: "password", Value: "hunter2-hunter2"}),
		pause: func(_ context.Context, d time.Duration) error {
			waits = append(waits, d)
			return nil
		},
	}, &waits
}

func ledgerOf(t *testing.T, s *optionServer) (*ledger, *bytes.Buffer) {
	t.Helper()
	c, _ := clientOf(t, s, profile.Admin{Token: "admin-token"})
	var journal bytes.Buffer
	return &ledger{admin: c, journal: &journal}, &journal
}

func TestOptionsArePutBackToTheLetter(t *testing.T) {
	const prices = "{\n  \"m\": 1e-2,\n  \"n\": 0.50\n}"
	for _, tt := range []struct {
		name string
		// meanwhile is what somebody else makes of the options during the run.
		meanwhile map[string]string
		want      map[string]string
		notes     int
	}{
		{"nobody else changes anything", nil, map[string]string{"RetryTimes": "0", "ModelPrice": prices}, 0},
		{"somebody changes the option we changed", map[string]string{"RetryTimes": "7"},
			map[string]string{"RetryTimes": "7", "ModelPrice": prices}, 1},
		{"somebody puts it back before us", map[string]string{"RetryTimes": "0"},
			map[string]string{"RetryTimes": "0", "ModelPrice": prices}, 0},
		{"somebody adds a price", map[string]string{"ModelPrice": `{"m":1e-2,"n":0.50,"ours":1,"theirs":2}`},
			map[string]string{"RetryTimes": "0", "ModelPrice": `{"m":1e-2,"n":0.50,"theirs":2}`}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &optionServer{options: map[string]string{"RetryTimes": "0", "ModelPrice": prices}}
			l, journal := ledgerOf(t, s)
			_, err := l.setOption(t.Context(), "RetryTimes", "1")
			require.NoError(t, err)
			require.NoError(t, l.addEntries(t.Context(), "ModelPrice", map[string]any{"ours": 1}))
			assert.Equal(t, "1", s.value("RetryTimes"))
			assert.JSONEq(t, `{"m":0.01,"n":0.5,"ours":1}`, s.value("ModelPrice"))
			maps.Copy(s.options, tt.meanwhile)
			require.NoError(t, l.undoAll(t.Context()))
			assert.Equal(t, tt.want, s.options)
			assert.Len(t, l.notes, tt.notes)
			assertUndone(t, journal)
		})
	}
}

func TestAnOptionThatIsUndoneIsNotUndoneAgain(t *testing.T) {
	s := &optionServer{options: map[string]string{"RetryTimes": "0"}}
	l, journal := ledgerOf(t, s)
	back, err := l.setOption(t.Context(), "RetryTimes", "1")
	require.NoError(t, err)
	require.NoError(t, back(t.Context()))
	s.options["RetryTimes"] = "1" // somebody else's wish
	require.NoError(t, back(t.Context()))
	require.NoError(t, l.undoAll(t.Context()))
	assert.Equal(t, "1", s.value("RetryTimes"))
	assertUndone(t, journal)
}

// failingWriter is a full disk.
type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestWithoutItsJournalNothingIsChanged(t *testing.T) {
	s := &optionServer{options: map[string]string{"RetryTimes": "0"}}
	l, _ := ledgerOf(t, s)
	l.journal = failingWriter{}
	_, err := l.setOption(t.Context(), "RetryTimes", "1")
	require.ErrorContains(t, err, "no space left on device")
	assert.Equal(t, "0", s.value("RetryTimes"))
	require.Error(t, l.make("users", "gc-5ca1ab"))
}

func TestTheClientWaitsAsItIsTold(t *testing.T) {
	limited := func(retryAfter string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			if retryAfter != "" {
				w.Header().Set("Retry-After", retryAfter)
			}
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}
	for _, tt := range []struct {
		name    string
		answers []func(http.ResponseWriter)
		waits   []time.Duration
		fails   error
	}{
		{"a limit with a time", []func(http.ResponseWriter){limited("180")}, []time.Duration{3 * time.Minute}, nil},
		{"a limit without a time", []func(http.ResponseWriter){limited("")}, []time.Duration{time.Minute}, nil},
		{"a limit that asks for too much", []func(http.ResponseWriter){limited("1200")}, nil, errBusy},
		{"a limit that never ends", []func(http.ResponseWriter){limited("1"), limited("1"), limited("1"), limited("1")},
			[]time.Duration{time.Second, time.Second, time.Second}, errBusy},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &optionServer{options: map[string]string{}, answers: tt.answers}
			c, waits := clientOf(t, s, profile.Admin{Token: "admin-token"})
			_, err := c.options(t.Context())
			require.ErrorIs(t, err, tt.fails)
			assert.Equal(t, tt.waits, *waits)
		})
	}
}

func TestASessionThatHasExpiredIsRenewed(t *testing.T) {
	s := &optionServer{options: map[string]string{}}
	c, _ := clientOf(t, s, profile.Admin{User: "root", Password: "hunter2-hunter2", ID: 7})
	_, err := c.options(t.Context())
	require.NoError(t, err)
	s.answers = []func(http.ResponseWriter){func(w http.ResponseWriter) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"success":false,"message":"expired"}`)
	}}
	_, err = c.options(t.Context())
	require.NoError(t, err)
	var paths []string
	for _, r := range s.seen {
		paths = append(paths, r.URL.Path)
		assert.Equal(t, "7", r.Header.Get("New-Api-User"))
	}
	assert.Equal(t, []string{"/api/user/login", "/api/option/", "/api/option/", "/api/user/login", "/api/option/"}, paths)
}

func TestErrorsShowNoSecret(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter){
		"a refusal that repeats it": func(w http.ResponseWriter) {
			_, _ = io.WriteString(w, `{"success":false,"message":"hunter2-hunter2 is wrong"}`)
		},
		"a page that repeats it": func(w http.ResponseWriter) { _, _ = io.WriteString(w, `<html>hunter2-hunter2`) },
	} {
		t.Run(name, func(t *testing.T) {
			c, _ := clientOf(t, &optionServer{answers: []func(http.ResponseWriter){answer}}, profile.Admin{Token: "admin-token"})
			_, err := c.options(t.Context())
			require.Error(t, err)
			assert.NotContains(t, err.Error(), "hunter2-hunter2")
			assert.Contains(t, err.Error(), "[password]")
		})
	}
}

func TestAStoreIsBrokenAndMended(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gateway.db")
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), `CREATE TABLE users (username TEXT, quota INT); CREATE TABLE tokens (id INT);
		INSERT INTO users VALUES ('ours', 1), ('theirs', 1); INSERT INTO tokens VALUES (1)`)
	require.NoError(t, err)
	for _, tt := range []struct {
		name  string
		fault fault
		// hurt fails while the store is broken, spared never does.
		hurt, spared string
	}{
		{"a table is gone", missingTable("tokens"), "SELECT id FROM tokens", "SELECT quota FROM users"},
		{"our user cannot be charged", refusedWrites(profile.DB{SQLite: path}, "ours"),
			"UPDATE users SET quota = 2 WHERE username = 'ours'", "UPDATE users SET quota = 2 WHERE username = 'theirs'"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			store := targets.NewLazyStore(profile.DB{SQLite: path}, store.Open)
			defer store.Close()
			var journal bytes.Buffer
			l := &ledger{store: store, journal: &journal}
			mend, err := l.breakStore(t.Context(), tt.fault)
			require.NoError(t, err)
			_, err = db.ExecContext(t.Context(), tt.hurt)
			require.Error(t, err)
			_, err = db.ExecContext(t.Context(), tt.spared)
			require.NoError(t, err)

			// A run that dies here leaves a journal that mends, and mends no harm a second time.
			afterCrash := &ledger{store: store, open: []entry{{Seq: 1, Kind: "store", Set: tt.fault.mend, Probe: tt.fault.probe}}}
			require.NoError(t, afterCrash.undoAll(t.Context()))
			_, err = db.ExecContext(t.Context(), tt.hurt)
			require.NoError(t, err)
			require.NoError(t, mend(t.Context()))
			assertUndone(t, &journal)
		})
	}
}
