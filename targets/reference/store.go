package reference

import (
	"context"
	"database/sql"
	_ "embed"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

//go:embed schema.sql
var schema string

// ErrStoreExists is returned if the store's file already exists. A store cannot be reopened, because it contains only hashes of the callers' keys, so
// the fixtures would be lost.
var ErrStoreExists = errors.New("the store's file already exists, and gatecert cannot reuse it")

// ErrStoreRead is returned if the store cannot be read.
var ErrStoreRead = errors.New("cannot read the store")

// ErrStoreWrite is returned if gatecert cannot write to the store.
var ErrStoreWrite = errors.New("cannot write to the store")

// errNoRow is returned when the store has no such row.
var errNoRow = errors.New("no such row")

const (
	// busyTimeout is how long SQLite waits for another process that holds the file's lock.
	busyTimeout = 10 * time.Second
	// storeTimeout bounds one read or write, with the wait for a connection: calls must not queue behind a locked store for
	// ever.
	storeTimeout = 15 * time.Second
	// readers is the number of connections for reading. Writes share one connection: SQLite has one writer.
	readers = 4
)

// store is the SQLite file. It caches no rows: another process may change rows and tables at any time, and the next call must
// see it. SQLite compiles a kept statement anew when the tables have changed.
type store struct {
	path      string
	temporary string // a directory to remove on close, or ""
	reads     *sql.DB
	writes    *sql.DB
	queries   sync.Map // of *sql.Stmt by their text: compiling them took a tenth of the CPU of a run
}

// openStore creates the file at path, or a temporary one, with the schema and no rows.
func openStore(ctx context.Context, path string) (_ *store, err error) {
	s := &store{path: path}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if path == "" {
		if s.temporary, err = os.MkdirTemp("", "gatecert-"); err != nil {
			return nil, fmt.Errorf("temporary store: %w", err)
		}
		s.path = filepath.Join(s.temporary, "gateway.db")
	}
	if s.path, err = filepath.Abs(s.path); err != nil {
		return nil, fmt.Errorf("store %s: %w", path, err)
	}
	file, err := os.OpenFile(s.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("%w: %s; choose another file, or remove this one", ErrStoreExists, s.path)
	}
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if err = file.Close(); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	if s.writes, err = sql.Open("sqlite", s.dsn("immediate")); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	s.writes.SetMaxOpenConns(1)
	if s.reads, err = sql.Open("sqlite", s.dsn("deferred")); err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	s.reads.SetMaxOpenConns(readers)
	s.reads.SetMaxIdleConns(readers)
	if _, err = s.writes.ExecContext(ctx, schema); err != nil {
		return nil, fmt.Errorf("store schema: %w", err)
	}
	return s, nil
}

// dsn asks for a write-ahead log, so that readers never wait for the writer, and syncs at its checkpoints instead of at
// each commit: a power cut may lose the last calls, never the file's integrity. A temporary store is not synced at all:
// it is not read after a power cut, and on a busy disk its checkpoints took seconds.
func (s *store) dsn(lock string) string {
	synchronous := "synchronous(NORMAL)"
	if s.temporary != "" {
		synchronous = "synchronous(OFF)"
	}
	query := url.Values{
		"_pragma": {
			fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()),
			"foreign_keys(1)", "journal_mode(WAL)", synchronous,
		},
		"_txlock": {lock},
	}
	return (&url.URL{Scheme: "file", Path: s.path, RawQuery: query.Encode()}).String()
}

func (s *store) close() error {
	var errs []error
	s.queries.Range(func(_, statement any) bool {
		errs = append(errs, statement.(*sql.Stmt).Close())
		return true
	})
	for _, db := range []*sql.DB{s.reads, s.writes} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if s.temporary != "" {
		errs = append(errs, os.RemoveAll(s.temporary))
	}
	return errors.Join(errs...)
}

// query returns the kept statement of a reading query.
func (s *store) query(ctx context.Context, text string) (*sql.Stmt, error) {
	if kept, ok := s.queries.Load(text); ok {
		return kept.(*sql.Stmt), nil
	}
	statement, err := s.reads.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	kept, raced := s.queries.LoadOrStore(text, statement)
	if raced {
		return kept.(*sql.Stmt), statement.Close() //nolint:sqlclosecheck // the kept one stays open
	}
	return statement, nil
}

// row reads one row. It returns [errNoRow] when there is none and [ErrStoreRead] when the store fails.
func (s *store) row(ctx context.Context, query string, args []any, into ...any) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	statement, err := s.query(ctx, query) //nolint:sqlclosecheck // it is kept; close closes it
	if err != nil {
		return fmt.Errorf("%w: %w", ErrStoreRead, err)
	}
	err = statement.QueryRowContext(ctx, args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return errNoRow
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrStoreRead, err)
	}
	return nil
}

// rows reads all rows of a query and passes each to scan. It returns [ErrStoreRead] when the store fails.
func (s *store) rows(ctx context.Context, query string, args []any, scan func(*sql.Rows) error) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	statement, err := s.query(ctx, query) //nolint:sqlclosecheck // it is kept; close closes it
	if err != nil {
		return fmt.Errorf("%w: %w", ErrStoreRead, err)
	}
	rows, err := statement.QueryContext(ctx, args...)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrStoreRead, err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("%w: %w", ErrStoreRead, err)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrStoreRead, err)
	}
	return nil
}

// texts reads the one column of a query.
func (s *store) texts(ctx context.Context, query string, args ...any) (texts []string, err error) {
	err = s.rows(ctx, query, args, func(rows *sql.Rows) error {
		var text string
		err := rows.Scan(&text)
		texts = append(texts, text)
		return err
	})
	return texts, err
}

// write runs do in one transaction. An error of do rolls it back and is returned unchanged; every other failure is
// [ErrStoreWrite]. A client that disconnects does not cancel a write, so that its outcome is always known.
func (s *store) write(ctx context.Context, do func(context.Context, *sql.Tx) error) (err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	tx, err := s.writes.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrStoreWrite, err)
	}
	defer func() {
		if err == nil {
			return
		}
		if undo := tx.Rollback(); undo != nil && !errors.Is(undo, sql.ErrTxDone) {
			err = errors.Join(err, undo)
		}
	}()
	if err := do(ctx, tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("%w: %w", ErrStoreWrite, err)
	}
	return nil
}

// change runs one writing statement and returns how many rows it changed.
func change(ctx context.Context, tx *sql.Tx, statement string, args ...any) (int64, error) {
	result, err := tx.ExecContext(ctx, statement, args...)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrStoreWrite, err)
	}
	changed, err := result.RowsAffected()
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrStoreWrite, err)
	}
	return changed, nil
}

// mustChange runs a writing statement. It returns none when that changed no row.
func mustChange(ctx context.Context, tx *sql.Tx, none error, statement string, args ...any) error {
	changed, err := change(ctx, tx, statement, args...)
	if err == nil && changed == 0 {
		return none
	}
	return err
}
