package clients

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/gatecert/gatecert/internal/program"
	"github.com/gatecert/gatecert/reports/plain"
)

// The limits for an adapter.
const (
	// maxLine bounds one line, in bytes.
	maxLine = 1 << 20
	// maxStray bounds the lines that answer no call.
	maxStray = 100
	// maxParallel bounds the calls that an adapter makes at once.
	maxParallel = 16
	// helloTime is how long an adapter has for its first line: a runtime loads its packages in it.
	helloTime = 60 * time.Second
	// maxTail bounds what is kept of what an adapter writes to its standard error, in bytes.
	maxTail = 2 << 10
)

// ErrAdapter is returned if an adapter violates the protocol. Its text describes the violation.
var ErrAdapter = errors.New("adapter")

// process is a running adapter.
type process struct {
	hello hello
	cmd   *exec.Cmd
	stop  context.CancelFunc
	stdin io.WriteCloser
	tail  *tail
	done  chan struct{} // closed when the adapter has ended
	// writing keeps lines whole.
	writing sync.Mutex

	mu      sync.Mutex
	pending map[string]chan answer
	fault   error // why the adapter ended
}

// start starts an adapter and waits for its first line. It ends with ctx, with all that it started.
func start(ctx context.Context, a Adapter) (*process, error) {
	ctx, stop := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, a.program(), a.Command[1:]...) //nolint:gosec // that is what the user asked for
	cmd.Dir, cmd.Env = a.Dir, environment()
	program.OwnGroup(cmd)
	cmd.WaitDelay = time.Second
	p := &process{cmd: cmd, stop: stop, tail: &tail{}, done: make(chan struct{}), pending: map[string]chan answer{}}
	cmd.Stderr = p.tail
	stdin, err := cmd.StdinPipe()
	if err == nil {
		p.stdin = stdin
	}
	stdout, err2 := cmd.StdoutPipe()
	if err = errors.Join(err, err2); err == nil {
		err = cmd.Start()
	}
	if err != nil {
		stop()
		return nil, fmt.Errorf("%w %s: %w", ErrAdapter, a.Name, err)
	}
	first := make(chan hello, 1)
	go p.read(stdout, first)
	select {
	case p.hello = <-first:
	case <-p.done:
		return nil, fmt.Errorf("%w %s: %w", ErrAdapter, a.Name, p.ended())
	case <-time.After(helloTime):
		p.close()
		return nil, fmt.Errorf("%w %s: the adapter wrote no line to standard output within %s%s", ErrAdapter, a.Name, helloTime, p.tail)
	}
	if p.hello.Protocol != Protocol {
		p.close()
		return nil, fmt.Errorf("%w %s: the adapter uses version %d of the protocol, but version %d is required", ErrAdapter, a.Name, p.hello.Protocol, Protocol)
	}
	return p, nil
}

// environment is what an adapter gets of gatecert's own: nothing that could be a key, and no proxy.
func environment() []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "TEMP", "LANG", "LC_ALL", "SystemRoot"} {
		if value, set := os.LookupEnv(name); set {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// read hands the lines of the adapter to the calls that they answer, until its output ends.
func (p *process) read(stdout io.Reader, first chan<- hello) {
	err := p.readLines(stdout, first)
	p.stop() // an adapter whose lines are not read any more could hang in its next
	_, _ = io.Copy(io.Discard, stdout)
	waited := p.cmd.Wait()
	program.EndGroup(p.cmd)
	p.mu.Lock()
	p.fault = cmp.Or(err, p.fault)
	if p.fault == nil {
		p.fault = errors.New("the adapter ended: " + exitWords(waited))
	}
	p.mu.Unlock()
	close(p.done)
}

func exitWords(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}

func (p *process) readLines(stdout io.Reader, first chan<- hello) error {
	lines := bufio.NewScanner(stdout)
	lines.Buffer(make([]byte, 0, 4<<10), maxLine)
	greeted, stray := false, 0
	for lines.Scan() {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			if stray++; stray > maxStray {
				return fmt.Errorf("the adapter wrote more than %d lines that do not belong to a call", maxStray)
			}
			continue
		}
		if !greeted {
			var h hello
			if err := json.Unmarshal(line, &h); err != nil {
				return fmt.Errorf("the adapter's first line is not JSON: %s", plain.Text(string(line), 80))
			}
			greeted = true
			first <- h
			continue
		}
		var a answer
		if err := json.Unmarshal(line, &a); err != nil {
			return fmt.Errorf("the adapter wrote a line that is not JSON: %s", plain.Text(string(line), 80))
		}
		p.mu.Lock()
		waiting, asked := p.pending[a.ID]
		delete(p.pending, a.ID)
		p.mu.Unlock()
		if asked {
			waiting <- a
		} else if stray++; stray > maxStray { // a late answer to a call that was given up is one
			return fmt.Errorf("the adapter wrote more than %d lines that do not belong to a call", maxStray)
		}
	}
	if errors.Is(lines.Err(), bufio.ErrTooLong) {
		return fmt.Errorf("the adapter wrote a line of more than %d bytes", maxLine)
	}
	return nil
}

// call makes one call. It returns the error of ctx when that is done first, and [ErrAdapter] when the adapter ended.
func (p *process) call(ctx context.Context, a ask) (answer, error) {
	line, err := json.Marshal(a)
	if err != nil {
		return answer{}, err
	}
	waiting := make(chan answer, 1)
	p.mu.Lock()
	p.pending[a.ID] = waiting
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.pending, a.ID)
		p.mu.Unlock()
	}()
	go p.write(append(line, '\n')) // an adapter that does not read must not block the call's own time limit
	select {
	case got := <-waiting:
		return got, nil
	case <-p.done:
		select {
		case got := <-waiting:
			return got, nil
		default:
			return answer{}, fmt.Errorf("%w: %w", ErrAdapter, p.ended())
		}
	case <-ctx.Done():
		return answer{}, ctx.Err()
	}
}

func (p *process) write(line []byte) {
	p.writing.Lock()
	defer p.writing.Unlock()
	_, _ = p.stdin.Write(line) // done says that an adapter has ended
}

// ended says why the adapter ended.
func (p *process) ended() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Errorf("%w%s", p.fault, p.tail)
}

// close ends the adapter and everything that it started, and waits for that.
func (p *process) close() {
	p.stop()
	<-p.done
}

// parallel is how many calls the adapter makes at once.
func (p *process) parallel() int { return min(max(p.hello.Parallel, 1), maxParallel) }

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p[max(0, len(p)-maxTail):]...)
	t.text = t.text[max(0, len(t.text)-maxTail):]
	return len(p), nil
}

// String returns the last line that contains text, to be appended to an error.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := strings.Split(strings.TrimSpace(string(t.text)), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return " (last line on standard error: " + plain.Text(last, 160) + ")"
	}
	return ""
}
