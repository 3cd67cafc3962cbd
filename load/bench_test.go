package load

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/exchange/redact"
	"github.com/gatecert/gatecert/reports/runlog"
)

const (
	benchConnections = 64
	benchRound       = 2 * time.Second
	benchRounds      = 5
)

// benchCall is a chat request of about 380 bytes.
func benchCall(address string) exchange.Call {
	return exchange.Call{
		Surface: dialect.Chat, BaseURL: "http://" + address, Key: "sk-benchmark-0123456789", Model: "gpt-4o-mini",
		Prompt: "Say hello to everybody who reads this, one after the other, and do not leave anybody out of it, please.",
	}
}

// beyondAll is a rate in requests/s that no machine keeps up with: every connection is always in use.
const beyondAll = 1e6

// pace is the result of a round.
type pace struct {
	rate float64       // requests a second
	cpu  time.Duration // a request
}

func benchOurs(tb testing.TB, address string) pace {
	e := benchEngine()
	defer e.Close()
	cpu := cpuTime()
	m, err := e.Run(context.Background(), Phase{
		Name: "bench", Mix: []Request{{Call: benchCall(address)}}, Rate: beyondAll, For: benchRound, Connections: benchConnections,
	})
	cpu = cpuTime() - cpu
	require.NoError(tb, err)
	require.Equal(tb, m.Sent, m.Count(runlog.Admitted), "every response is classified, and is a success")
	return pace{float64(m.Sent) / m.Elapsed.Seconds(), cpu / time.Duration(m.Sent)}
}

// benchVegeta runs vegeta's library with its own client and the same number of connections.
func benchVegeta(tb testing.TB, address string) pace {
	request, err := exchange.Prepare(benchCall(address), redact.New())
	require.NoError(tb, err)
	attacker := vegeta.NewAttacker(vegeta.Workers(benchConnections), vegeta.MaxWorkers(benchConnections),
		vegeta.Connections(benchConnections), vegeta.KeepAlive(true))
	target := vegeta.NewStaticTargeter(vegeta.Target{
		Method: request.Method, URL: request.URL, Body: request.Body, Header: request.Header,
	})
	var m vegeta.Metrics
	cpu, began := cpuTime(), time.Now()
	for r := range attacker.Attack(target, vegeta.Rate{}, benchRound, "") {
		m.Add(r)
	}
	cpu, took := cpuTime()-cpu, time.Since(began)
	m.Close()
	require.Equal(tb, 1.0, m.Success)
	http.DefaultTransport.(*http.Transport).CloseIdleConnections()
	return pace{float64(m.Requests) / took.Seconds(), cpu / time.Duration(m.Requests)}
}

// BenchmarkAgainstVegeta loads one server as far as it goes, in a process of its own, alternating between vegeta's own
// client and ours. Compare the ratios: the absolute numbers depend on the machine.
func BenchmarkAgainstVegeta(b *testing.B) {
	address := leanServer(b)
	for b.Loop() {
		var rates, costs []float64
		for round := range benchRounds {
			var ours, theirs pace
			if round%2 == 0 {
				theirs, ours = benchVegeta(b, address), benchOurs(b, address)
			} else {
				ours, theirs = benchOurs(b, address), benchVegeta(b, address)
			}
			b.Logf("vegeta %6.0f/s %6s CPU   ours %6.0f/s %6s CPU", theirs.rate, theirs.cpu, ours.rate, ours.cpu)
			rates = append(rates, ours.rate/theirs.rate)
			costs = append(costs, float64(ours.cpu)/float64(theirs.cpu))
		}
		b.ReportMetric(middle(rates), "throughput-ratio")
		b.ReportMetric(middle(costs), "cpu-ratio")
		b.ReportMetric(0, "ns/op")
	}
}

// benchEngine has caps that no benchmark reaches.
func benchEngine() *Engine {
	e := NewEngine(Options{})
	e.caps = Caps{Requests: 1e12, Rate: 1e9, Duration: 24 * time.Hour, Connections: 4096}
	return e
}

func middle[T cmp.Ordered](values []T) T {
	slices.Sort(values)
	return values[len(values)/2]
}
