package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// Inherited is what a local worker reads on its standard input from the process that starts it, so that no secret appears in the
// process list or in the environment. The worker ends when this input ends.
type Inherited struct {
	Access  Access
	Fleet   string
	Name    string
	Targets []string
	// Source is the address that the worker's requests come from, "" for any.
	Source string
}

// maxInherited bounds in bytes what is read of it.
const maxInherited = 1 << 20

// ReadInherited reads what a worker inherits. It returns a context that is done when the process that started the worker has
// exited.
func ReadInherited(ctx context.Context, in io.Reader) (Inherited, context.Context, error) {
	var i Inherited
	decoder := json.NewDecoder(io.LimitReader(in, maxInherited))
	if err := decoder.Decode(&i); err != nil { //nolint:musttag // both ends are this version
		return i, ctx, fmt.Errorf("%w: read standard input: %w", ErrAccess, err)
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, in) // until it ends
	}()
	return i, ctx, nil
}

// Local are workers on this machine, each in its own process.
type Local struct {
	processes []*exec.Cmd
	inputs    []io.Closer
	ended     sync.WaitGroup
}

// StartLocal starts one worker for each element of all. The command must start a worker that calls [ReadInherited]. What workers print
// goes to output, from several goroutines. Close ends the workers. If this process is killed, they end by themselves.
func StartLocal(command []string, all []Inherited, output io.Writer) (*Local, error) {
	l := &Local{}
	for _, i := range all {
		if err := l.start(command, i, output); err != nil {
			return nil, errors.Join(err, l.Close())
		}
	}
	return l, nil
}

func (l *Local) start(command []string, i Inherited, output io.Writer) error {
	text, err := json.Marshal(i) //nolint:musttag // both ends are this version
	if err != nil {
		return fmt.Errorf("start a worker: %w", err)
	}
	c := exec.Command(command[0], command[1:]...) //nolint:gosec,noctx // this program, which ends with its input
	c.Stderr = output
	in, err := c.StdinPipe()
	if err != nil {
		return fmt.Errorf("start a worker: %w", err)
	}
	detach(c)
	if err := c.Start(); err != nil {
		return errors.Join(fmt.Errorf("start a worker: %w", err), in.Close())
	}
	l.processes, l.inputs = append(l.processes, c), append(l.inputs, in)
	l.ended.Go(func() { _ = c.Wait() }) // the coordinator notices who has ended
	if _, err := in.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("start a worker: %w", err)
	}
	return nil
}

// endWithin is how long workers may take to end by themselves.
const endWithin = 5 * time.Second

// Close ends the workers.
func (l *Local) Close() error {
	for _, in := range l.inputs {
		_ = in.Close() // they end when their input does
	}
	kill := time.AfterFunc(endWithin, func() {
		for _, c := range l.processes {
			_ = c.Process.Signal(os.Kill) // fails for one that has ended
		}
	})
	defer kill.Stop()
	l.ended.Wait()
	return nil
}
