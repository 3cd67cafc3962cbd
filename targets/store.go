package targets

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"

	_ "modernc.org/sqlite" // the driver behind store.sqlite

	"github.com/gatecert/gatecert/targets/profile"
)

// ErrNoStore is returned when a statement is to run and the profile names no store.
var ErrNoStore = errors.New("the profile has no store")

// Store runs statements against a gateway's database. It opens the database on first use: most profiles never touch it.
type Store struct {
	db     profile.DB
	mu     sync.Mutex
	sqlite *sql.DB
}

// NewStore returns the store that a profile names.
func NewStore(db profile.DB) *Store { return &Store{db: db} }

// Exec runs a statement. It returns [ErrNoStore] where there is none, and otherwise what the database objects to.
func (s *Store) Exec(ctx context.Context, statement string) error {
	switch {
	case s.db.SQLite != "":
		return s.execSQLite(ctx, statement)
	case s.db.Postgres != "":
		return s.execPostgres(ctx, statement)
	default:
		return ErrNoStore
	}
}

func (s *Store) execSQLite(ctx context.Context, statement string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sqlite == nil {
		db, err := sql.Open("sqlite", "file:"+s.db.SQLite+"?mode=rw&_pragma=busy_timeout(10000)")
		if err != nil {
			return fmt.Errorf("open store %s: %w", s.db.SQLite, err)
		}
		db.SetMaxOpenConns(1)
		s.sqlite = db
	}
	if _, err := s.sqlite.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("store %s: %q: %w", s.db.SQLite, statement, err)
	}
	return nil
}

// execPostgres leaves PostgreSQL's protocol to psql: a handful of statements a run are not worth a driver's dependencies.
// The password goes through the environment, where no list of processes shows it.
func (s *Store) execPostgres(ctx context.Context, statement string) error {
	address, err := url.Parse(s.db.Postgres)
	if err != nil {
		return errors.New("store: the PostgreSQL URL cannot be read") // err would show its password
	}
	psql := exec.CommandContext(ctx, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement) //nolint:gosec // the profile's own
	psql.Env = append(os.Environ(), postgresEnv(address)...)
	if out, err := psql.CombinedOutput(); err != nil {
		return fmt.Errorf("store %s: %q: %w: %s", address.Redacted(), statement, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// postgresEnv is a PostgreSQL URL as the variables that psql reads.
func postgresEnv(u *url.URL) []string {
	password, _ := u.User.Password()
	var env []string
	for _, v := range []struct{ name, value string }{
		{"PGHOST", u.Hostname()},
		{"PGPORT", u.Port()},
		{"PGUSER", u.User.Username()},
		{"PGPASSWORD", password},
		{"PGDATABASE", strings.TrimPrefix(u.Path, "/")},
		{"PGSSLMODE", u.Query().Get("sslmode")},
	} {
		if v.value != "" {
			env = append(env, v.name+"="+v.value)
		}
	}
	return env
}

// Close closes what was opened.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sqlite == nil {
		return nil
	}
	db := s.sqlite
	s.sqlite = nil
	return db.Close()
}
