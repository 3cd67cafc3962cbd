package targets

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver behind store.sqlite
)

// actionLimit bounds one action; undoing gets the same time of its own, also after the run was cancelled.
const actionLimit = 30 * time.Second

func (s *Stage) act(ctx context.Context, actions []Action) error {
	for _, a := range actions {
		if err := s.actOne(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// undo runs every action even when one fails or the run was cancelled: what was broken has to be mended.
func (s *Stage) undo(ctx context.Context, actions []Action) error {
	ctx = context.WithoutCancel(ctx)
	var errs []error
	for _, a := range actions {
		if err := s.actOne(ctx, a); err != nil {
			errs = append(errs, fmt.Errorf("after the case: %w", err))
		}
	}
	return errors.Join(errs...)
}

func (s *Stage) actOne(ctx context.Context, a Action) error {
	ctx, cancel := context.WithTimeout(ctx, actionLimit)
	defer cancel()
	if a.SQL != "" {
		return s.sql.exec(ctx, a.SQL)
	}
	// The line is the user's own, from the user's own profile.
	out, err := exec.CommandContext(ctx, "sh", "-c", a.Run).CombinedOutput() //nolint:gosec // see above
	if err != nil {
		return fmt.Errorf("run %q: %w: %s", a.Run, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// sqlStore opens the gateway's database on first use: most profiles never touch it.
type sqlStore struct {
	path string
	mu   sync.Mutex
	db   *sql.DB
}

func (s *sqlStore) exec(ctx context.Context, statement string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.db == nil {
		db, err := sql.Open("sqlite", "file:"+s.path+"?mode=rw&_pragma=busy_timeout(10000)")
		if err != nil {
			return fmt.Errorf("open store %s: %w", s.path, err)
		}
		db.SetMaxOpenConns(1)
		s.db = db
	}
	if _, err := s.db.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("store %s: %q: %w", s.path, statement, err)
	}
	return nil
}

// Close implements io.Closer.
func (s *sqlStore) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.db == nil {
		return nil
	}
	db := s.db
	s.db = nil
	return db.Close()
}
