package targets

import (
	"context"
	"errors"
	"sync"

	"github.com/gatecert/gatecert/targets/profile"
)

// ErrNoStore is returned if a statement must run and there is no database: the profile names none, or the program has no means to open one.
var ErrNoStore = errors.New("the profile does not specify a database that gatecert can open")

// Store runs statements against a gateway's database. Package store has implementations.
type Store interface {
	// Exec runs one statement. It returns the database's error, if any.
	Exec(ctx context.Context, statement string) error
	Close() error
}

// OpenStore opens the database that a profile names. It returns [ErrNoStore] if the profile names none.
type OpenStore func(db profile.DB) (Store, error)

// LazyStore opens a database on first use, because most runs never access it. It is safe for concurrent use.
type LazyStore struct {
	db   profile.DB
	open OpenStore

	mu     sync.Mutex
	opened Store
}

// NewLazyStore returns a store that is opened with open. If open is nil, nothing can be opened.
func NewLazyStore(db profile.DB, open OpenStore) *LazyStore { return &LazyStore{db: db, open: open} }

// Exec implements [Store]. It returns [ErrNoStore] if there is no database.
func (s *LazyStore) Exec(ctx context.Context, statement string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opened == nil {
		if s.open == nil {
			return ErrNoStore
		}
		opened, err := s.open(s.db)
		if err != nil {
			return err
		}
		s.opened = opened
	}
	return s.opened.Exec(ctx, statement)
}

// Close implements [Store].
func (s *LazyStore) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opened == nil {
		return nil
	}
	opened := s.opened
	s.opened = nil
	return opened.Close()
}
