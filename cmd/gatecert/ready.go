package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/gatecert/gatecert/internal/atomicfile"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/internal/wait"
	"github.com/gatecert/gatecert/targets/profile"
)

// readyFile is a file that is there while a server is ready, "" for none. A script waits for it instead of for a time.
type readyFile string

// clear removes what an earlier server left: whoever waits for the file must not find that.
func (f readyFile) clear() error {
	if f == "" {
		return nil
	}
	if err := os.Remove(string(f)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: --ready-file: %w: specify a file that this command may create and remove", errUsage, err)
	}
	return nil
}

// write writes the server's URL into the file.
func (f readyFile) write(serverURL string) error {
	if f == "" {
		return nil
	}
	if err := atomicfile.WriteBytes(string(f), 0o600, []byte(serverURL+"\n")); err != nil {
		return fmt.Errorf("write --ready-file: %w", err)
	}
	return nil
}

// knockEvery is the interval between two attempts to reach a gateway that is starting.
const knockEvery = 100 * time.Millisecond

// await loads a profile when its file is there and its gateway accepts connections. It gives up after limit, with the error
// of the last attempt: what a run would say about it.
func await(ctx context.Context, limit time.Duration, load func() (profile.Profile, error)) (profile.Profile, error) {
	if limit <= 0 {
		return load()
	}
	for end := time.Now().Add(limit); ; {
		p, err := load()
		if err == nil && p.BaseURL == "" {
			return p, nil // the built-in gateway starts with the run
		}
		if err == nil && accepts(ctx, p.BaseURL) {
			// A gateway that writes its own profile removes that of an earlier one before it listens. So what is there now is the
			// profile of this one, and what is not there is about to be written.
			if p, err = load(); err == nil {
				return p, nil
			}
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) || time.Now().After(end) {
			return p, err
		}
		if err := wait.For(ctx, knockEvery); err != nil {
			return p, err
		}
	}
}

// accepts reports whether somebody accepts connections at a base URL.
func accepts(ctx context.Context, baseURL string) bool {
	address, err := runner.Address(baseURL)
	return err != nil || runner.Accepts(ctx, address) // the run says what is wrong with the URL
}
