package newapi

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
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

// optionServer is an admin API with options only.
type optionServer struct {
	mu      sync.Mutex
	options map[string]string
	// answers are sent first, one a request.
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

// clientOf returns a client of a server, and the waits that it was asked for.
func clientOf(t *testing.T, s *optionServer, admin profile.Admin) (*client, *[]time.Duration) {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	var waits []time.Duration
	return &client{admin: admin, session: session{token: admin.Token}, api: &api{
		base: server.URL, product: newAPI, http: newHTTPClient(nil),
		redactor: redact.New(redact.Secret{What: "password", Value: "hunter2-hunter2"}),
		wait: func(_ context.Context, d time.Duration) error {
			waits = append(waits, d)
			return nil
		},
	}}, &waits
}

func undoLogOf(t *testing.T, s *optionServer) (*undoLog, *bytes.Buffer) {
	t.Helper()
	c, _ := clientOf(t, s, profile.Admin{Token: "admin-token"})
	var journal bytes.Buffer
	return &undoLog{admin: c, journal: &journal}, &journal
}

func TestOptionsAreRestoredExactly(t *testing.T) {
	const prices = "{\n  \"m\": 1e-2,\n  \"n\": 0.50\n}"
	for _, tt := range []struct {
		name string
		// meanwhile are options that somebody else sets during the run.
		meanwhile map[string]string
		want      map[string]string
		notes     int
	}{
		{"nobody else changes anything", nil, map[string]string{"RetryTimes": "0", "ModelPrice": prices}, 0},
		{"somebody changes an option that the run has changed", map[string]string{"RetryTimes": "7"},
			map[string]string{"RetryTimes": "7", "ModelPrice": prices}, 1},
		{"somebody restores it before the run does", map[string]string{"RetryTimes": "0"},
			map[string]string{"RetryTimes": "0", "ModelPrice": prices}, 0},
		{"somebody adds a price", map[string]string{"ModelPrice": `{"m":1e-2,"n":0.50,"ours":1,"theirs":2}`},
			map[string]string{"RetryTimes": "0", "ModelPrice": `{"m":1e-2,"n":0.50,"theirs":2}`}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &optionServer{options: map[string]string{"RetryTimes": "0", "ModelPrice": prices}}
			l, journal := undoLogOf(t, s)
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

func TestOptionsAreRestoredOnce(t *testing.T) {
	s := &optionServer{options: map[string]string{"RetryTimes": "0"}}
	l, journal := undoLogOf(t, s)
	back, err := l.setOption(t.Context(), "RetryTimes", "1")
	require.NoError(t, err)
	require.NoError(t, back(t.Context()))
	s.options["RetryTimes"] = "1" // by somebody else
	require.NoError(t, back(t.Context()))
	require.NoError(t, l.undoAll(t.Context()))
	assert.Equal(t, "1", s.value("RetryTimes"))
	assertUndone(t, journal)
}

// failingWriter is a full disk.
type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestNothingIsChangedWithoutAJournal(t *testing.T) {
	s := &optionServer{options: map[string]string{"RetryTimes": "0"}}
	l, _ := undoLogOf(t, s)
	l.journal = failingWriter{}
	_, err := l.setOption(t.Context(), "RetryTimes", "1")
	require.ErrorContains(t, err, "no space left on device")
	assert.Equal(t, "0", s.value("RetryTimes"))
	require.Error(t, l.recordCreation(usersEntry, "gc-5ca1ab"))
}

func TestClientWaitsForRateLimitsAndDatabases(t *testing.T) {
	limited := func(retryAfter string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) {
			if retryAfter != "" {
				w.Header().Set("Retry-After", retryAfter)
			}
			w.WriteHeader(http.StatusTooManyRequests)
		}
	}
	refused := func(message string) func(http.ResponseWriter) {
		return func(w http.ResponseWriter) { _, _ = fmt.Fprintf(w, `{"success":false,"message":%q}`, message) }
	}
	busy := refused("database is locked (5) (SQLITE_BUSY)")
	const half = time.Second / 2
	for _, tt := range []struct {
		name    string
		answers []func(http.ResponseWriter)
		waits   []time.Duration
		fails   error
	}{
		{"a busy database", []func(http.ResponseWriter){busy, busy}, []time.Duration{half, half}, nil},
		{"a database that stays busy", []func(http.ResponseWriter){busy, busy, busy, busy}, []time.Duration{half, half, half}, errRefused},
		{"a refusal", []func(http.ResponseWriter){refused("there is no such user")}, nil, errRefused},
		{"a Retry-After", []func(http.ResponseWriter){limited("180")}, []time.Duration{3 * time.Minute}, nil},
		{"no Retry-After", []func(http.ResponseWriter){limited("")}, []time.Duration{time.Minute}, nil},
		{"a Retry-After that is too long", []func(http.ResponseWriter){limited("1200")}, nil, errRateLimited},
		{"a Retry-After that overflows a duration", []func(http.ResponseWriter){limited("99999999999")}, nil, errRateLimited},
		{"a Retry-After that overflows an integer", []func(http.ResponseWriter){limited("99999999999999999999")}, nil, errRateLimited},
		{"a limit that never ends", []func(http.ResponseWriter){limited("1"), limited("1"), limited("1"), limited("1")},
			[]time.Duration{time.Second, time.Second, time.Second}, errRateLimited},
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

func TestExpiredSessionIsRenewed(t *testing.T) {
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

func TestErrorsHaveNoSecret(t *testing.T) {
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

func TestStoreIsBrokenAndRepaired(t *testing.T) {
	path := filepath.Join(t.TempDir(), "gateway.db")
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), `CREATE TABLE users (username TEXT, quota INT); CREATE TABLE tokens (id INT);
		INSERT INTO users VALUES ('ours', 1), ('theirs', 1); INSERT INTO tokens VALUES (1)`)
	require.NoError(t, err)
	for _, tt := range []struct {
		name  string
		fault storeFault
		// affected fails while the store is broken, unaffected never does.
		affected, unaffected string
	}{
		{"a missing table", missingTable("tokens"), "SELECT id FROM tokens", "SELECT quota FROM users"},
		{"a user who cannot be charged", refusedWrites(profile.DB{SQLite: path}, "ours"),
			"UPDATE users SET quota = 2 WHERE username = 'ours'", "UPDATE users SET quota = 2 WHERE username = 'theirs'"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			store := targets.NewLazyStore(profile.DB{SQLite: path}, store.Open)
			defer store.Close()
			var journal bytes.Buffer
			l := &undoLog{store: store, journal: &journal}
			repair, err := l.breakStore(t.Context(), tt.fault)
			require.NoError(t, err)
			_, err = db.ExecContext(t.Context(), tt.affected)
			require.Error(t, err)
			_, err = db.ExecContext(t.Context(), tt.unaffected)
			require.NoError(t, err)

			// A run that dies here leaves a journal that repairs it. A second repair is harmless.
			afterCrash := &undoLog{store: store, open: []entry{{Seq: 1, Kind: storeEntry, Set: tt.fault.repairSQL, Probe: tt.fault.probe}}}
			require.NoError(t, afterCrash.undoAll(t.Context()))
			_, err = db.ExecContext(t.Context(), tt.affected)
			require.NoError(t, err)
			require.NoError(t, repair(t.Context()))
			assertUndone(t, &journal)
		})
	}
}
