package upstream

import (
	"context"
	"crypto/subtle"
	"net/http"
	"time"

	"github.com/gatecert/gatecert/dialect"
)

const (
	controlPath = "/_gatecert/"
	// maxSeenWait bounds the wait of one request for seen.
	maxSeenWait = 30 * time.Second
)

// Status is the response to GET /_gatecert/status.
type Status struct {
	// Uptime is the time since the upstream was created.
	Uptime time.Duration `json:"uptime_ns"`
	// Tokens is the number of recorded tokens. Attempts is the number of all attempts since the start, with and without a token.
	Tokens   int   `json:"tokens"`
	Attempts int64 `json:"attempts"`
	// Open is the number of attempts that have not ended.
	Open int `json:"open"`
	// Connections is the number of open connections.
	Connections int `json:"connections"`
}

// newControl serves the record of attempts:
//
//	GET /_gatecert/seen/{token}?wait=1s   contract.Seen; waits up to 30 s for attempts to end
//	GET /_gatecert/status                 Status
//	GET /_gatecert/model                  Played
//
// [Upstream.serveControl] asks for the token first.
func (u *Upstream) newControl() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+controlPath+"seen/{token}", u.serveSeen)
	mux.HandleFunc("GET "+controlPath+"status", u.serveStatus)
	mux.HandleFunc("GET "+controlPath+"model", u.serveModel)
	return mux
}

// serveControl serves the record to those who may see it: it tells what other callers have sent.
func (u *Upstream) serveControl(w http.ResponseWriter, r *http.Request) {
	presented := []byte(r.Header.Get("Authorization"))
	switch {
	case u.controlToken == "" && !u.exposed.Load(),
		u.controlToken != "" && subtle.ConstantTimeCompare(presented, []byte("Bearer "+u.controlToken)) == 1:
		u.control.ServeHTTP(w, r)
	case u.controlToken == "":
		http.Error(w, "the mock upstream refuses requests to /_gatecert/, because other machines can reach it and it has no token; to read /_gatecert/, start the mock upstream with gatecert upstream --token TOKEN", http.StatusForbidden)
	default:
		http.Error(w, "send the header Authorization: Bearer TOKEN with the mock upstream's token (upstream.token in the profile)", http.StatusUnauthorized)
	}
}

func (u *Upstream) serveSeen(w http.ResponseWriter, r *http.Request) {
	var wait time.Duration
	if asked := r.URL.Query().Get("wait"); asked != "" {
		var err error
		if wait, err = time.ParseDuration(asked); err != nil {
			http.Error(w, "wait must be a duration, such as wait=5s", http.StatusBadRequest)
			return
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), min(wait, maxSeenWait))
	defer cancel()
	writeJSON(w, u.attempts.await(ctx, r.PathValue("token")))
}

func (u *Upstream) serveStatus(w http.ResponseWriter, _ *http.Request) {
	tokens, attempts, open := u.attempts.counts()
	writeJSON(w, Status{
		Uptime: time.Since(u.started), Tokens: tokens, Attempts: attempts, Open: open, Connections: u.Connections(),
	})
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(dialect.Encode(v)) // a client that has left needs no answer
}
