// Package store opens the database of a gateway under test, for recipes that break it: SQLite files with a pure-Go driver, and PostgreSQL with the
// psql program.
//
// It is a separate package, so that only programs that need a database link one.
package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"

	_ "modernc.org/sqlite" // the driver behind store.sqlite

	"github.com/gatecert/gatecert/internal/program"
	"github.com/gatecert/gatecert/targets"
	"github.com/gatecert/gatecert/targets/profile"
)

// Open implements [targets.OpenStore]. It returns [targets.ErrNoStore] if the profile names no database, and an error if the URL of the database
// cannot be parsed.
func Open(db profile.DB) (targets.Store, error) {
	switch {
	case db.SQLite != "":
		return openSQLite(db.SQLite)
	case db.Postgres != "":
		return openPostgres(db.Postgres)
	default:
		return nil, targets.ErrNoStore
	}
}

type sqlite struct {
	path string
	db   *sql.DB
}

func openSQLite(path string) (*sqlite, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?mode=rw&_pragma=busy_timeout(10000)")
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	return &sqlite{path: path, db: db}, nil
}

// Exec implements [targets.Store].
func (s *sqlite) Exec(ctx context.Context, statement string) error {
	if _, err := s.db.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("store %s: %q: %w", s.path, statement, err)
	}
	return nil
}

// Close implements [targets.Store].
func (s *sqlite) Close() error { return s.db.Close() }

// postgres leaves PostgreSQL's protocol to psql: a handful of statements a run are not worth a driver's dependencies.
type postgres struct{ address *url.URL }

func openPostgres(dsn string) (postgres, error) {
	address, err := url.Parse(dsn)
	if err != nil {
		return postgres{}, errors.New("store: the PostgreSQL URL cannot be parsed; special characters in its user name and password must be percent-encoded") // err would show its password
	}
	return postgres{address}, nil
}

// Exec implements [targets.Store]. The password is passed in the environment, where process lists do not show it.
func (p postgres) Exec(ctx context.Context, statement string) error {
	psql := exec.CommandContext(ctx, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement) //nolint:gosec // the profile's own
	psql.Env = append(os.Environ(), postgresEnv(p.address)...)
	if out, err := program.Run(psql); err != nil {
		return fmt.Errorf("store %s: %q: %w: %s", shown(p.address), statement, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// shown is a PostgreSQL URL without its password, and without its query, which may hold one too.
func shown(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, User: url.User(u.User.Username()), Host: u.Host, Path: u.Path}).String()
}

// Close implements [targets.Store].
func (postgres) Close() error { return nil }

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
