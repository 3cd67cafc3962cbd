package clients

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange/redact"
	"github.com/gatecert/gatecert/reports/clientlog"
)

func TestAnAdapterThatCannotBeUsedIsNamed(t *testing.T) {
	t.Parallel()
	for behaviour, want := range map[string]string{
		"ends":       `adapter ends: the adapter ended: exit status 3 (last line on standard error: the library is missing \x1b[31m)`,
		"babbles":    "adapter babbles: the adapter's first line is not JSON: hello!",
		"newer":      "adapter newer: the adapter uses version 2 of the protocol, but version 1 is required",
		"no-surface": "adapter no-surface: the adapter lists no endpoint that gatecert supports",
	} {
		_, err := newCrew(t.Context(), adapterOf(behaviour), redact.New(), time.Second)
		require.ErrorIs(t, err, ErrAdapter)
		assert.EqualError(t, err, want)
	}
	_, err := newCrew(t.Context(), Adapter{Name: "absent", Command: []string{"/no/such/program"}}, redact.New(), time.Second)
	require.ErrorIs(t, err, ErrAdapter)
}

// played makes one call of an adapter, which serve answers.
func played(t *testing.T, behaviour string, callTime time.Duration, serve http.HandlerFunc) (clientlog.Call, clientlog.Client) {
	t.Helper()
	c, err := newCrew(t.Context(), adapterOf(behaviour), redact.New(), callTime)
	require.NoError(t, err)
	defer c.close()
	call, err := c.do(t.Context(), work{call: clientlog.Call{Client: behaviour, Surface: dialect.Chat}, model: "m", prompt: "p", handler: serve})
	require.NoError(t, err)
	return call, c.client
}

func refused(w http.ResponseWriter, _ *http.Request) {
	writeError(w, dialect.Chat, 429, "insufficient_user_quota")
}

const enough = 20 * time.Second

func TestABadAdapterIsBounded(t *testing.T) {
	t.Parallel()
	for behaviour, want := range map[string]string{
		"crashes":       "adapter: the adapter ended: exit status 2 (last line on standard error: panic: the adapter is broken)",
		"floods-a-line": "adapter: the adapter wrote a line of more than 1048576 bytes",
		"floods-lines":  "adapter: the adapter wrote more than 100 lines that do not belong to a call",
	} {
		call, client := played(t, behaviour, enough, refused)
		assert.Equal(t, clientlog.Crashed, call.Outcome, behaviour)
		assert.Contains(t, call.Message, want)
		assert.Equal(t, call.Message, client.Fault)
	}
	call, client := played(t, "hangs", 300*time.Millisecond, refused)
	assert.Equal(t, clientlog.Hung, call.Outcome)
	assert.Empty(t, client.Fault)
}

func TestALyingAdapterIsDoubted(t *testing.T) {
	t.Parallel()
	call, _ := played(t, "invents", enough, refused)
	assert.Empty(t, call.Attempts)
	assert.Equal(t, []string{"the adapter reports an answer, but the recorder received no request from it"}, call.Doubts)
	call, _ = played(t, "lies", enough, refused)
	assert.Equal(t, clientlog.Accepted, call.Outcome)
	assert.Equal(t, []string{"the adapter reports a text answer, but the gateway returned status 429"}, call.Doubts)
}

func TestAttemptsAreCountedByTheRecorder(t *testing.T) {
	t.Parallel()
	call, _ := played(t, "retries", enough, refused)
	require.Len(t, call.Attempts, 3)
	for i, a := range call.Attempts {
		assert.Equal(t, 429, a.Status)
		assert.Positive(t, a.Sent)
		assert.Positive(t, a.Received)
		assert.False(t, a.Success || a.Broken || a.Cancelled)
		assert.Equal(t, i > 0, a.Gap >= 20, "a gap of %d ms before attempt %d", a.Gap, i+1)
	}
	assert.Equal(t, clientlog.Typed, call.Outcome)
	assert.Equal(t, "insufficient_user_quota", call.Code)
	assert.Equal(t, clientlog.InMessage, call.Shown)

	call, _ = played(t, "honest", enough, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte("{"))
		panic(http.ErrAbortHandler)
	})
	require.Len(t, call.Attempts, 1)
	assert.True(t, call.Attempts[0].Broken)

	call, _ = played(t, "goes-away", enough, func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	})
	require.Len(t, call.Attempts, 1)
	assert.True(t, call.Attempts[0].Cancelled)
}

// TestOneCrashTakesNoOtherCallWithIt: what else was under way is made again.
func TestOneCrashTakesNoOtherCallWithIt(t *testing.T) {
	t.Parallel()
	c, err := newCrew(t.Context(), adapterOf("crashes-on-one"), redact.New(), enough)
	require.NoError(t, err)
	defer c.close()
	prompts := []string{"a", "poison", "b", "c"}
	calls := make([]clientlog.Call, len(prompts))
	var group sync.WaitGroup
	for i, prompt := range prompts {
		group.Go(func() {
			var err error
			calls[i], err = c.do(t.Context(), work{call: clientlog.Call{Surface: dialect.Chat}, model: "m", prompt: prompt, handler: http.HandlerFunc(refused)})
			assert.NoError(t, err)
		})
	}
	group.Wait()
	for i, call := range calls {
		want := clientlog.Typed
		if prompts[i] == "poison" {
			want = clientlog.Crashed
		}
		assert.Equal(t, want, call.Outcome, prompts[i])
	}
}

// TestAnAdapterSeesNoKey: neither its environment nor its arguments, which everybody on the machine may read, have one. What it is given on
// its standard input is a placeholder.
func TestAnAdapterSeesNoKey(t *testing.T) {
	const key = "sk-secret-of-the-gateway-4711"
	t.Setenv("GATEWAY_KEY", key)
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	c, err := newCrew(t.Context(), adapterOf("honest"), redact.New(), enough)
	require.NoError(t, err)
	defer c.close()
	public := strings.Join(append(c.proc.cmd.Args, c.proc.cmd.Env...), " ")
	if raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", c.proc.cmd.Process.Pid)); err == nil { // what Linux shows of it
		public += string(raw)
	}
	public += c.proc.hello.Runtime // what it says that it has
	assert.Contains(t, public, "PATH=")
	for _, secret := range []string{key, PlaceholderKey, "HTTP_PROXY", "GATEWAY_KEY"} {
		assert.NotContains(t, public, secret)
	}
	got := make(chan string, 1)
	_, err = c.do(t.Context(), work{call: clientlog.Call{Surface: dialect.Chat}, model: "m", prompt: "p", handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got <- r.Header.Get("Authorization")
		refused(w, r)
	})})
	require.NoError(t, err)
	assert.Equal(t, "Bearer "+PlaceholderKey, <-got)
}

// TestAClientThatNeverStopsIsBounded: it gets no answer any more, and its record ends.
func TestAClientThatNeverStopsIsBounded(t *testing.T) {
	t.Parallel()
	call, _ := played(t, "never-stops", enough, refused)
	require.Len(t, call.Attempts, MaxAttempts+1)
	assert.Equal(t, 429, call.Attempts[MaxAttempts-1].Status)
	assert.Zero(t, call.Attempts[MaxAttempts].Status)
	assert.Equal(t, "●●●●●●●●+25", clientlog.Marks(call))
}
