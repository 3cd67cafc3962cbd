package load

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

// volley is one stage under way: the RoundTripper below vegeta's Attacker.
//
//	schedule ─ pacer ─▶ vegeta: a tick ─▶ a worker ─▶ RoundTrip: send, receive, judge ─▶ ring of shots ─▶ tally
//
// vegeta's Attacker holds the pace and the workers. What it would do with an answer - copy the body, clone the header,
// make an error text of it - costs more than the exchange, so that it gets an empty one; the shot goes its own way.
type volley struct {
	ctx      context.Context //nolint:containedctx // vegeta's requests have none
	pool     *pool
	judge    *judge
	pacer    *pacer
	requests []*request
	// order holds the part of each shot, again and again.
	order   []int
	timeout time.Duration
	body    int64
	stamp   uint32
	closed  bool
	kept    bool // somebody will look at single shots
	// began is written by the pacer before it lets the first shot go.
	began   time.Time
	gone    atomic.Bool // the caller gave up
	flying  atomic.Int64
	planned chan planned
	shots   chan result
	empty   *http.Response
}

// ring is how many shots may wait for the tally, and for a slow Observe, before a worker has to.
const ring = 8192

func newVolley(ctx context.Context, pool *pool, s Phase, requests []*request) *volley {
	_, closed := s.Schedule.(Closed)
	var random [4]byte
	_, _ = rand.Read(random[:]) // never fails since Go 1.24
	return &volley{
		ctx: ctx, pool: pool, judge: newJudge(), requests: requests, order: s.order(),
		timeout: s.Timeout, body: s.Body, stamp: binary.BigEndian.Uint32(random[:]), closed: closed,
		kept:    s.Observe != nil || s.Keep > 0,
		planned: make(chan planned, s.Connections+1), shots: make(chan result, ring),
		empty: &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Header: http.Header{}},
	}
}

// attack sends the whole stage, and returns the number of results that vegeta counts.
func (v *volley) attack(s Phase, plan Plan, t *tally) (answered uint64) {
	workers := uint64(s.Connections) //nolint:gosec // checked
	attacker := vegeta.NewAttacker(
		vegeta.Client(&http.Client{Transport: v}), vegeta.Workers(workers), vegeta.MaxWorkers(workers))
	var overdue *time.Timer
	v.pacer = &pacer{
		ctx: v.ctx, next: s.Schedule.Arrivals(), closed: v.closed, lasts: plan.Duration, most: plan.Requests,
		out: v.planned, flying: &v.flying, connections: int64(s.Connections),
		begin: func() time.Time {
			v.began = time.Now()
			// vegeta waits for a worker for ever: while all hang, nobody asks the pacer whether the stage is over.
			overdue = time.AfterFunc(plan.Duration+overrun, func() { attacker.Stop() })
			return v.began
		},
	}
	halt := context.AfterFunc(v.ctx, func() {
		v.gone.Store(true)
		attacker.Stop()
		v.pool.interrupt(v)
	})
	defer halt()
	tallied := make(chan struct{})
	go func() {
		defer close(tallied)
		t.follow(v.shots)
	}()
	first := v.requests[0]
	aim := func(target *vegeta.Target) error {
		target.Method, target.URL = first.method, "http://"+first.to.address // RoundTrip knows what to send
		return nil
	}
	for range attacker.Attack(aim, v.pacer, 0, "") {
		answered++
	}
	overdue.Stop()
	close(v.shots)
	<-tallied
	return answered
}

// result is a shot with what only the tally needs.
type result struct {
	Result
	// entered is when a worker took the shot up: what lies between Due and it is our lag.
	entered  time.Duration
	evidence *contract.Observation
}

// RoundTrip implements [http.RoundTripper]. Every call of it is one shot that the pacer has let go.
func (v *volley) RoundTrip(*http.Request) (*http.Response, error) {
	p := <-v.planned
	out := result{Result: Result{Seq: p.seq, Request: v.order[p.seq%uint64(len(v.order))], Due: p.due, Waited: p.waited, stamp: v.stamp}}
	v.fire(&out)
	v.shots <- out
	v.flying.Add(-1)
	return v.empty, nil
}

// fire sends the request and fills in what came of it.
func (v *volley) fire(out *result) {
	r := v.requests[out.Request]
	entered := time.Now()
	out.entered = entered.Sub(v.began)
	if v.closed {
		out.Due = out.entered
	}
	deadline := entered.Add(v.timeout)
	l := v.pool.get(r.to, v)
	answer, err := v.attempt(&l, r, &out.Result, deadline)
	if err != nil && l != nil && l.used && isStale(answer, err) && !v.gone.Load() {
		// The gateway had closed the kept connection. This once, the request goes out again, on a connection of its own.
		v.pool.drop(l)
		l, out.Resent = nil, true
		answer, err = v.attempt(&l, r, &out.Result, deadline)
	}
	v.settle(out, r, answer, err)
	if l == nil {
		return
	}
	if err == nil && answer.keep {
		l.used = true
		v.pool.put(l)
		return
	}
	v.pool.drop(l)
}

// attempt makes one exchange, on a new connection where l is nil.
func (v *volley) attempt(l **line, r *request, shot *Result, deadline time.Time) (reply, error) {
	if *l == nil {
		made, err := v.pool.dial(v.ctx, r.to, v, deadline)
		if err != nil {
			shot.Sent = time.Since(v.began)
			return reply{}, err
		}
		*l, shot.NewConn = made, true
	}
	conn := *l
	conn.limit = v.body
	if err := conn.SetDeadline(deadline); err != nil {
		return reply{}, err
	}
	if v.gone.Load() {
		return reply{}, context.Canceled
	}
	var wire []byte
	wire, conn.out = r.stamped(conn.out, shot.stamp, shot.Seq)
	shot.Sent = time.Since(v.began)
	if _, err := conn.Write(wire); err != nil && !isReset(err) {
		return reply{}, err
	}
	// After a reset the gateway's answer may still be there to read: it refused and stopped listening.
	return conn.receive(r.method)
}

func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// isStale reports whether a kept connection had ended before a byte of the answer came.
func isStale(answer reply, err error) bool {
	return answer.firstByte.IsZero() && (errors.Is(err, io.EOF) || isReset(err))
}

// settle turns an answer, or its absence, into the rest of the shot.
func (v *volley) settle(out *result, r *request, a reply, err error) {
	since := func(t time.Time) time.Duration {
		if t.IsZero() {
			return 0
		}
		return t.Sub(v.began)
	}
	out.Status, out.FirstByte, out.FirstEvent, out.End = a.status, since(a.firstByte), since(a.firstEvent), since(a.end)
	if out.End == 0 {
		out.End = time.Since(v.began)
	}
	cut := err
	if cut == nil {
		cut = a.broken
	}
	var j judgement
	switch {
	case cut != nil && v.gone.Load():
		j.outcome = runlog.Abandoned
	case err != nil:
		out.Status = 0
		j = v.judge.failure(r, err)
	default:
		out.Bytes = len(a.body)
		j = v.judge.answer(r, a)
		if v.kept {
			out.limits = limitFields(a.header)
		}
	}
	out.Outcome, out.Findings, out.evidence = j.outcome, j.findings, j.evidence
}
