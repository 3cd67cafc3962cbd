package fleet

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/load"
)

// leanVariable makes the test binary a gateway of known capacity, in a mode of package leanserver.
const leanVariable = "GATECERT_FLEET_TEST_LEAN"

// lean starts a gateway of known capacity and returns its address.
func lean(t *testing.T, mode string) (url string) {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), leanVariable+"="+mode)
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	require.NoError(t, err)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = c.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	return "http://" + strings.TrimSpace(line)
}

// served returns how many requests the gateway has got.
func served(t *testing.T, url string) uint64 {
	t.Helper()
	resp, err := http.Get(url + "/requests")
	require.NoError(t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	http.DefaultClient.CloseIdleConnections()
	n, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	require.NoError(t, err)
	return n
}

func acceptance(t *testing.T) (runs int) {
	t.Helper()
	if os.Getenv("GATECERT_ACCEPTANCE") == "" {
		t.Skip("make accept-fleet runs it")
	}
	runs, err := strconv.Atoi(os.Getenv("GATECERT_RUNS"))
	require.NoError(t, err)
	return runs
}

func mixTo(url string) []load.Request {
	return []load.Request{{Name: "chat", Call: exchange.Call{Surface: dialect.Chat, BaseURL: url, Key: "sk-caller-0123456789", Model: "m", Prompt: "hi"}}}
}

// Four workers find the capacity of a server of 400/s that one process finds.
func TestTheFleetFindsTheSameCapacity(t *testing.T) {
	runs := acceptance(t)
	table, agreed := []string{"| run | one process | four workers |", "|--:|---|---|"}, 0
	for n := range runs {
		search := load.Search{Phase: load.Phase{Mix: mixTo(lean(t, "8x20ms"))}, SLO: load.SLO{Latency: 500 * time.Millisecond}, To: 2000, Curve: []float64{}}
		one := load.NewEngine(load.Options{Caps: load.HardCaps()})
		alone, err := one.Capacity(t.Context(), search)
		one.Close()
		require.NoError(t, err)
		a := newServer(t)
		for range 4 {
			process(t, processOptions{Inherited: Inherited{Access: a, Targets: []string{search.Phase.Mix[0].Call.BaseURL}}})
		}
		f := open(t, a, 4)
		e := load.NewEngine(load.Options{Generators: f.For(Setup{}), Caps: load.HardCaps()})
		together, err := e.Capacity(t.Context(), search)
		e.Close()
		require.NoError(t, err)
		table = append(table, fmt.Sprintf("| %d | %s | %s |", n+1, alone, together))
		if alone.Lower <= together.Upper && together.Lower <= alone.Upper && together.Lower <= 400 && together.Upper >= 400 {
			agreed++
		}
	}
	fmt.Fprintln(t.Output(), strings.Join(table, "\n"))
	assert.Equal(t, runs, agreed)
}

// 10,000/s in all, for half a minute, within 0.5 % of the schedule, and the gateway has got what the workers say they sent.
func TestTheFleetKeepsItsSchedule(t *testing.T) {
	acceptance(t)
	url, a := lean(t, "lean"), newServer(t)
	for range 4 {
		process(t, processOptions{Inherited: Inherited{Access: a, Targets: []string{url}}})
	}
	f := open(t, a, 4)
	var begun []time.Duration
	for n := range 20 { // short phases, for the beginning
		m, err := engineOf(t, f).Run(t.Context(), load.Phase{Name: fmt.Sprint(n), Mix: mixTo(url), Rate: 100, For: 200 * time.Millisecond})
		require.NoError(t, err)
		for _, w := range m.Workers {
			begun = append(begun, w.Begun)
		}
	}
	slices.Sort(begun)
	before := served(t, url)
	m, err := engineOf(t, f).Run(t.Context(), load.Phase{Name: "steady", Mix: mixTo(url), Rate: 10_000, For: 30 * time.Second, Connections: 256})
	require.NoError(t, err)
	t.Logf("sent %d, %.1f/s completed, lag p99 %s, CPU %.2f, problems %v; began within %s (p99 of %d), clocks within %s",
		m.Sent, m.Pace.Completed, m.Generator.Lag.Quantile(0.99), m.Generator.CPU, m.Generator.Problems, begun[len(begun)*99/100], len(begun), m.Workers[0].Uncertainty)
	assert.Equal(t, served(t, url)-before, m.Sent, "every request that is reported was sent, and no other")
	assert.InEpsilon(t, 10_000, float64(m.Sent)/30, 0.005)
	assert.InEpsilon(t, 10_000, m.Pace.Completed, 0.005)
	assert.Less(t, begun[len(begun)*99/100], 2*time.Millisecond)
}
