package load

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
)

// attack is one run of a phase. It is the RoundTripper of vegeta's Attacker:
//
//	schedule ─▶ pacer ─▶ Attacker ─▶ a worker ─▶ RoundTrip: send, receive, classify ─▶ samples ─▶ aggregator
//
// The Attacker keeps the pace and the workers. What it does with a response - copy the body, clone the header, make a text
// of an error - costs more than the exchange itself, so RoundTrip returns an empty response and passes the sample on.
type attack struct {
	ctx        context.Context //nolint:containedctx // vegeta's requests have none
	conns      *pool
	classifier *classifier
	tokens     tokenCounter
	phase      Phase
	plan       Plan
	requests   []*wireRequest
	turns      []int // the kinds of requests, in turns, as indices of requests
	// tokenPrefix makes the tokens of this attack unlike those of others.
	tokenPrefix uint32

	pacer *pacer
	// started is written by the pacer before it releases the first request.
	started time.Time
	// begun is how much later than asked the phase began.
	begun     time.Duration
	cancelled atomic.Bool // ctx is done
	// unleased counts the requests that were not sent because the lease had ended.
	unleased atomic.Uint64
	// more counts the requests of a closed loop that workers took themselves. vegeta does not count them.
	more    atomic.Uint64
	order   *sendOrder // nil where nobody records the results
	tickets chan ticket
	samples chan sample
	empty   *http.Response
}

// sampleBuffer is how many samples may wait for the aggregator, and for a slow Observe, before a worker has to.
const sampleBuffer = 8192

func newAttack(ctx context.Context, e *Engine, p Phase, plan Plan, requests []*wireRequest) *attack {
	var random [4]byte
	_, _ = rand.Read(random[:]) // never fails since Go 1.24
	a := &attack{
		ctx: ctx, conns: e.conns, classifier: newClassifier(), tokens: e.tokens, phase: p, plan: plan, requests: requests, turns: p.turns(),
		tokenPrefix: binary.BigEndian.Uint32(random[:]), tickets: make(chan ticket, p.Connections+1), samples: make(chan sample, sampleBuffer),
		empty: &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Header: http.Header{}},
	}
	if p.Record != nil {
		a.order = &sendOrder{}
	}
	a.pacer = &pacer{
		ctx: ctx, phase: p, schedule: newSchedule(p), requests: plan.Requests, sleepUntil: e.sleepUntil, out: a.tickets,
		conns: &saturation{connections: int64(p.Connections)},
	}
	return a
}

func (a *attack) run() (Portion, error) {
	m := Measurement{
		Phase: a.phase.Name, Rate: a.phase.Rate, Schedule: a.phase.text(), Started: time.Now(),
		metrics: map[metricsKey]*Metrics{},
	}
	for i, request := range a.phase.Mix {
		r := a.requests[i]
		m.Requests = append(m.Requests, request.Name)
		m.sentTo = append(m.sentTo, sentTo{r.method, r.sent.URL, r.bodySize})
	}
	results := newAggregator(&m, a.phase)
	results.recorder = newRecorder(a.phase, &m, func() time.Time { return a.started })
	e := effort{embedded: a.phase.Embedded, cpu: -cpuTime()}
	hits := a.send(results)
	e.cpu += cpuTime()
	e.wall = time.Since(m.Started)
	results.close()
	m.Started = a.started

	m.Offered = m.Sent
	if left := a.plan.Requests - m.Sent; a.ctx.Err() == nil && !a.phase.Closed {
		m.Offered += left
		if a.pacer.saturated() {
			m.Waited += left
		} else {
			e.unsent = left
		}
	}
	e.offered, e.sent, e.localErrors = m.Offered, m.Sent, results.localErrors
	m.Generator = a.phase.Generator.check(m.Generator, e)
	if hits += a.more.Load(); hits != m.Sent {
		m.Generator.Problems = append(m.Generator.Problems, fmt.Sprintf("gatecert started %s, but counted %d as sent", plain.Count(hits, "request"), m.Sent))
	}
	unleased := a.unleased.Load()
	if unleased > 0 {
		m.Generator.Undersent = true
		m.Generator.Problems = append(m.Generator.Problems, fmt.Sprintf("%s not sent because the worker's lease had expired", plain.Were(unleased, "request")))
	}
	part := Portion{unleased: unleased, m: m, course: results.course, windows: results.parts, begun: a.begun}
	if !a.phase.Share.whole() {
		part.stalls = results.stalls.ofShare()
	}
	return part, context.Cause(a.ctx)
}

// send sends the requests of the phase, and returns how many vegeta counted.
func (a *attack) send(results *aggregator) (hits uint64) {
	workers := uint64(a.phase.Connections) //nolint:gosec // checked
	attacker := vegeta.NewAttacker(
		vegeta.Client(&http.Client{Transport: a}), vegeta.Workers(workers), vegeta.MaxWorkers(workers))
	var overdue *time.Timer
	a.pacer.start = func() time.Time {
		a.started = time.Now()
		if at := a.phase.Start; !at.IsZero() {
			_ = a.pacer.sleepUntil(a.ctx, at) // fails only when the attack is over before it begins
			a.begun, a.started = time.Since(at), at
		}
		// vegeta waits for a free worker without a bound. While all of them hang, it does not ask the pacer for the end.
		overdue = time.AfterFunc(a.plan.Duration+overrun, func() { attacker.Stop() })
		return a.started
	}
	stop := context.AfterFunc(a.ctx, func() {
		a.cancelled.Store(true)
		attacker.Stop()
		a.conns.interrupt(a)
	})
	defer stop()
	aggregated := make(chan struct{})
	go func() {
		defer close(aggregated)
		results.follow(a.samples)
	}()
	targeter := func(target *vegeta.Target) error {
		target.Method, target.URL = http.MethodGet, "http://gateway" // RoundTrip knows what to send, and where to
		return nil
	}
	for range attacker.Attack(targeter, a.pacer, 0, "") {
		hits++
	}
	overdue.Stop()
	close(a.samples)
	<-aggregated
	return hits
}

// inARow is how many requests of a closed loop a worker sends before it returns to vegeta. Its next request depends on no other worker, and to wait
// for vegeta and the pacer after each request took a third of the CPU time: 0.42 of vegeta's own instead of 0.25 to 0.29.
const inARow = 32

// RoundTrip implements [http.RoundTripper]. Each call sends one request that the pacer has released. In a closed loop, it sends the next ones too.
func (a *attack) RoundTrip(*http.Request) (*http.Response, error) {
	a.serve(<-a.tickets)
	for n := 1; n < inARow && a.serveNext(); n++ {
	}
	a.pacer.conns.release()
	return a.empty, nil
}

// serveNext sends the next request of a closed loop. It reports false if nothing was sent: the loop is open, or over.
func (a *attack) serveNext() bool {
	if !a.phase.Closed || a.cancelled.Load() || a.phase.Lease.Ended() {
		return false
	}
	t, more := a.pacer.take()
	if !more {
		return false
	}
	a.more.Add(1)
	a.serve(t)
	return true
}

// serve sends the request of a ticket and passes the sample on.
func (a *attack) serve(t ticket) {
	turn := t.seq
	if a.phase.Closed {
		t.due, turn = time.Since(a.started), a.phase.Share.turn(t.seq)
	}
	s := sample{bunching: t.bunching, Result: Result{
		Seq: t.seq, Request: a.turns[turn%uint64(len(a.turns))], Due: t.due, Waited: t.waited, tokenPrefix: a.tokenPrefix,
	}}
	a.exchange(&s)
	a.samples <- s
}

// exchange sends the request of a sample and fills in what came of it.
func (a *attack) exchange(s *sample) {
	r := a.requests[s.Request]
	started := time.Now()
	s.started = started.Sub(a.started)
	deadline := started.Add(a.phase.Timeout)
	c := a.conns.get(r.to, a)
	resp, err := a.attempt(&c, r, &s.Result, deadline)
	if err != nil && c != nil && c.reused && isStale(resp, err) && !a.cancelled.Load() {
		// The gateway had closed the kept connection. The request goes out once more, on a new one.
		a.conns.drop(c)
		c, s.Resent = nil, true
		resp, err = a.attempt(&c, r, &s.Result, deadline)
	}
	a.order.place(&s.Result, a.started) // unless it was sent
	a.record(s, r, resp, err)
	if c == nil {
		return
	}
	if err == nil && resp.reusable {
		c.reused = true
		a.conns.put(c)
		return
	}
	a.conns.drop(c)
}

// attempt makes one exchange. It opens a connection where *c is nil.
func (a *attack) attempt(c **conn, r *wireRequest, result *Result, deadline time.Time) (response, error) {
	if *c == nil {
		opened, err := a.conns.dial(a.ctx, r.to, a, deadline)
		if err != nil {
			result.Sent = time.Since(a.started)
			return response{}, err
		}
		*c = opened
	}
	on := *c
	on.limit, on.stream.marks, on.stream.finish = a.phase.Body, r.pieces, r.finish
	if err := on.SetDeadline(deadline); err != nil {
		return response{}, err
	}
	if a.cancelled.Load() {
		return response{}, context.Canceled
	}
	if a.phase.Lease.Ended() {
		a.unleased.Add(1)
		return response{}, errNoLease
	}
	var wire []byte
	wire, on.requestBuffer = r.of(result.Seq).withToken(on.requestBuffer, result.tokenPrefix, result.Seq)
	a.order.place(result, a.started)
	result.Sent = time.Since(a.started)
	if _, err := on.Write(wire); err != nil && !isReset(err) {
		return response{}, err
	}
	// After a reset a response may still be there to read: the gateway refused the request and stopped reading it.
	return on.read(r.method)
}

// errNoLease is what becomes of a request that is due when the lease has ended.
var errNoLease = errors.New("the worker's lease has expired")

func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// isStale reports whether a kept connection had closed before a byte of the response came.
func isStale(resp response, err error) bool {
	return resp.firstByte.IsZero() && (errors.Is(err, io.EOF) || isReset(err))
}

func (a *attack) record(s *sample, r *wireRequest, resp response, err error) {
	since := func(t time.Time) time.Duration {
		if t.IsZero() {
			return 0
		}
		return t.Sub(a.started)
	}
	s.Status, s.FirstByte, s.FirstEvent, s.End = resp.status, since(resp.firstByte), since(resp.firstEvent), since(resp.end)
	s.FirstToken, s.LastToken, s.Pieces, s.Stall, s.gaps = since(resp.firstPiece), since(resp.lastPiece), resp.pieces, resp.stall, resp.gaps
	if s.End == 0 {
		s.End = time.Since(a.started)
	}
	incomplete := err
	if incomplete == nil {
		incomplete = resp.transferErr
	}
	var c classification
	switch {
	case incomplete != nil && a.cancelled.Load(), errors.Is(err, errNoLease):
		c.outcome = runlog.Abandoned
	case err != nil:
		s.Status = 0
		c = noResponse(r, err)
	default:
		s.Bytes = int(resp.size)
		c = a.classifier.response(r, resp)
		s.Tokens, s.Input, s.TokensFrom = a.tokens.count(r, resp)
	}
	s.Outcome, s.Findings, s.evidence = c.outcome, c.findings, c.evidence
}
