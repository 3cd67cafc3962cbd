package targets

import (
	"context"
	"errors"
	"sync"

	"github.com/gatecert/gatecert/targets/profile"
)

// ErrNoStore is returned when a statement is to run and there is no database to run it against: the profile names none,
// or nothing here can open one.
var ErrNoStore = errors.New("the profile does not name a database that gatecert can open")

// Store runs statements against a gateway's database. Package store has implementations.
type Store interface {
	// Exec runs one statement. It returns what the database objects to.
	Exec(ctx context.Context, statement string) error
	Close() error
}

// OpenStore opens the database that a profile names. It returns [ErrNoStore] when it names none.
type OpenStore func(db profile.DB) (Store, error)

// LazyStore opens a database on first use: most runs never touch it. It may be used from many goroutines.
type LazyStore struct {
	db   profile.DB
	open OpenStore

	mu     sync.Mutex
	opened Store
}

// NewLazyStore returns the store that open opens; nil opens none.
func NewLazyStore(db profile.DB, open OpenStore) *LazyStore { return &LazyStore{db: db, open: open} }

// Exec implements [Store]. It returns [ErrNoStore] where there is none.
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
