package load

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/gatecert/gatecert/contract"
	"github.com/gatecert/gatecert/reports/runlog"
)

func TestSharesAreThePhase(t *testing.T) {
	for _, p := range []Phase{
		{Rate: 100, For: time.Second},
		{Rate: 101, For: 1300 * ms, Arrivals: PoissonArrivals(), Seed: 7},
		{Rate: 10, RampTo: 200, For: time.Second},
		{Rate: 3, For: time.Second},
	} {
		p.Mix, p.Connections = []Request{chatRequest("http://x")}, 64
		whole := newSchedule(p)
		due := map[uint64]time.Duration{}
		for n := range p.Requests() {
			due[n], _ = whole.due()
		}
		for _, of := range []int{1, 2, 3, 7} {
			seen, connections := map[uint64]bool{}, 0
			for i := range of {
				share := p
				share.Share = Share{i, of}
				connections += share.Share.connections(p.Connections)
				pace := &pacer{phase: share, schedule: newSchedule(share), requests: share.Requests()}
				for ; pace.sent.Load() < pace.requests; pace.sent.Add(1) {
					seq, at, _ := pace.next()
					assert.False(t, seen[seq], "request %d comes twice", seq)
					assert.Equal(t, due[seq], at)
					seen[seq] = true
				}
			}
			assert.Len(t, seen, len(due), "%s in %d shares", p.text(), of)
			assert.Equal(t, p.Connections, connections)
		}
	}
}

// samplesOf are the responses of a phase in the order in which they ended: streams too, with findings, errors and slow ones.
func samplesOf(p Phase) (all []sample) {
	random := rand.New(rand.NewPCG(1, 2))
	for n := range p.Requests() {
		due := p.instant(float64(n))
		took := time.Duration(random.ExpFloat64() * float64(20*ms))
		if n%97 == 0 {
			took += 600 * ms
		}
		s := sample{started: due + 50*time.Microsecond, bunching: time.Duration(n % 3), Result: Result{
			Seq: n, Request: int(n % 2), Due: due, Sent: due + 60*time.Microsecond, Outcome: runlog.Admitted, Status: 200, Bytes: 100,
		}}
		s.FirstByte, s.End = s.Sent+took/2, s.Sent+took
		switch n % 10 {
		case 3:
			s.Outcome, s.Status = runlog.Refused, 429
		case 4:
			s.Findings = []contract.Finding{{Requirement: "retry-after", Level: contract.Should, Want: "a number", Got: fmt.Sprint(n)}}
			s.evidence = &contract.Observation{Status: int(n)}
		case 5:
			s.FirstToken, s.LastToken, s.Pieces, s.Stall = s.FirstByte+ms, s.End, 5, 7*ms
			s.Tokens, s.Input, s.TokensFrom = 10, 3, TokensOfUsage
			s.gaps = &gaps{micros: []uint32{1000, 2000, 3000, 7000}}
		}
		all = append(all, s)
	}
	slices.SortStableFunc(all, func(a, b sample) int { return cmp.Compare(a.End, b.End) })
	return all
}

// portionOf feeds an aggregator as an attack does.
func portionOf(p Phase, samples []sample) Portion {
	m := Measurement{Phase: p.Name, Rate: p.Rate, Schedule: p.text(), metrics: map[metricsKey]*Metrics{}}
	for _, r := range p.Mix {
		m.Requests, m.sentTo = append(m.Requests, r.Name), append(m.sentTo, sentTo{"POST", "http://x", 10})
	}
	a := newAggregator(&m, p)
	for _, s := range samples {
		if s.gaps != nil { // the aggregator gives them back
			s.gaps = &gaps{micros: append([]uint32{}, s.gaps.micros...)}
		}
		a.add(s)
	}
	a.close()
	m.Offered = m.Sent
	m.Generator = p.Generator.check(m.Generator, effort{offered: m.Offered, sent: m.Sent, cpu: -1})
	portion := Portion{m: m, course: a.course, windows: a.parts}
	if !p.Share.whole() {
		portion.stalls = a.stalls.ofShare()
	}
	return portion
}

func mergePhase() Phase {
	second := chatRequest("http://x")
	second.Name = "other"
	return Phase{
		Name: "merge", Rate: 200, For: 5 * time.Second, Mix: []Request{chatRequest("http://x"), second}, WarmUp: 500 * ms, Keep: 700,
		SLO: SLO{Latency: 30 * ms},
	}.withDefaults()
}

// What four workers send back, joined, is what one process measures of the same responses: exactly.
func TestJoinIsExact(t *testing.T) {
	p := mergePhase()
	samples := samplesOf(p)
	want := portionOf(p, samples).measurement(p)
	for _, of := range []int{2, 4} {
		var parts []Named
		for i := range of {
			share, mine := p, []sample(nil)
			share.Share = Share{i, of}
			for _, s := range samples {
				if s.Seq%uint64(of) == uint64(i) {
					mine = append(mine, s)
				}
			}
			text, err := json.Marshal(portionOf(share, mine))
			require.NoError(t, err)
			var read Portion
			require.NoError(t, json.Unmarshal(text, &read))
			parts = append(parts, Named{Worker: fmt.Sprint("w", i), Portion: read})
		}
		got, err := p.Join(time.Time{}, parts)
		require.NoError(t, err)

		assert.Equal(t, []uint64{want.Offered, want.Sent, want.Warming, want.Waited, want.Good}, []uint64{got.Offered, got.Sent, got.Warming, got.Waited, got.Good})
		assert.Equal(t, want.Elapsed, got.Elapsed)
		assert.Equal(t, want.LoggedMetrics(), got.LoggedMetrics(), "every bar of every histogram")
		assert.Equal(t, want.LoggedWindows(), got.LoggedWindows())
		assert.Equal(t, want.Sample(), got.Sample())
		assert.Equal(t, want.Pace.Offered, got.Pace.Offered)
		assert.Equal(t, want.Pace.Completed, got.Pace.Completed)
		assert.Equal(t, want.Pace.KeptUp(), got.Pace.KeptUp())
		assert.Equal(t, LoggedViolations(want.Violations), LoggedViolations(got.Violations), "with the evidence of the first")
		require.NotEmpty(t, got.Violations)
		assert.Equal(t, want.Violations[0].Evidence, got.Violations[0].Evidence)
		assert.Len(t, got.Results, len(want.Results))
		assert.Equal(t, want.NotKept, got.NotKept)
		assert.Equal(t, want.Generator.Lag.Bars(), got.Generator.Lag.Bars())
		assert.Equal(t, want.Stalls.All == nil, got.Stalls.All == nil)
	}
}

// A stall of which each worker sees one slow request is a stall.
func TestJoinFindsAStallThatEachWorkerSeesOnce(t *testing.T) {
	p := mergePhase()
	parts := []Named{}
	for i := range 3 {
		share := p
		share.Share = Share{i, 3}
		portion := portionOf(share, nil)
		portion.stalls.Singles = []Stall{{Start: time.Second + time.Duration(i)*10*ms, Length: 500 * ms, Requests: 1}}
		parts = append(parts, Named{Worker: "w", Portion: portion})
	}
	m, err := p.Join(time.Time{}, parts)
	require.NoError(t, err)
	require.Len(t, m.Stalls.All, 1)
	assert.Equal(t, uint64(3), m.Stalls.All[0].Requests)
	assert.Equal(t, 520*ms, m.Stalls.All[0].Length)
	one, err := p.Join(time.Time{}, parts[:1])
	require.NoError(t, err)
	assert.Empty(t, one.Stalls.All, "a single slow request has reasons of its own")
}

// Single slow requests are no stalls, however many there are, and do not displace those that are.
func TestJoinOfManySingleSlowRequests(t *testing.T) {
	p := mergePhase()
	whole, shares := &stallFinder{}, []*stallFinder{{share: &shareStalls{}}, {share: &shareStalls{}}}
	for _, f := range append(shares, whole) {
		f.window(10 * ms)
	}
	slow := func(worker int, at time.Duration) {
		whole.add(at, at+300*ms, false)
		shares[worker%2].add(at, at+300*ms, false)
	}
	for n := range 6000 {
		at := time.Duration(n) * time.Second
		slow(n, at)
		if n%1000 == 999 { // a stall
			slow(n, at+100*ms)
		}
	}
	whole.close()
	var parts []Named
	for i, f := range shares {
		share := p
		share.Share = Share{i, 2}
		portion := portionOf(share, nil)
		portion.stalls = f.ofShare()
		parts = append(parts, Named{Worker: "w", Portion: portion})
	}
	m, err := p.Join(time.Time{}, parts)
	require.NoError(t, err)
	assert.Equal(t, whole.stalls().String(), m.Stalls.String())
}

// However many workers there are, the pace of a gateway that keeps up is one that keeps up, and a queue that grows is seen.
func TestThePaceOfManyWorkers(t *testing.T) {
	for name, growth := range map[string]float64{"a stable gateway": 0, "one whose queue grows": 0.1} {
		for _, of := range []int{1, 64, 300, 1000} {
			p := Phase{Rate: 20_000, For: time.Second, WarmUp: 100 * ms}
			sum, courses := newCourse(p), make([]*course, of)
			for i := range courses {
				share := p
				share.Share = Share{i, of}
				courses[i] = newCourse(share)
			}
			for n := range p.Requests() {
				due := p.instant(float64(n))
				courses[n%uint64(of)].add(due, due+300*ms+time.Duration(growth*float64(due)), 0)
			}
			for _, c := range courses {
				sum.merge(c)
			}
			assert.Equal(t, growth == 0, sum.pace(p.Rate, 0).KeptUp(), "%s, %d workers", name, of)
		}
	}
}

func TestPortionsOfStrangers(t *testing.T) {
	for name, text := range map[string]string{
		"a list": `[]`, "an outcome that is none": `{"Requests":["a"],"Metrics":[{"Request":0,"Outcome":"x"}]}`,
		"a request that is none": `{"Requests":["a"],"Metrics":[{"Request":1,"Outcome":"admitted"}]}`,
		"too many batches":       `{"Course":{"Batches":[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]}}`,
		"latencies without pair": `{"Course":{"Batches":[{"Latency":[1]}]}}`,
	} {
		var p Portion
		assert.ErrorIs(t, json.Unmarshal([]byte(text), &p), ErrPortion, name)
	}
	p := mergePhase()
	portion := portionOf(p, samplesOf(p)[:10])
	portion.encoded = &encodedMetrics{lag: []byte{0xff}}
	_, err := p.Join(time.Time{}, []Named{{"w1", portion}})
	require.ErrorIs(t, err, ErrInvalid)
	assert.ErrorContains(t, err, "w1")
	p.Mix = p.Mix[:1]
	_, err = p.Join(time.Time{}, []Named{{"w1", portion}})
	assert.ErrorIs(t, err, ErrInvalid, "of another phase")
}

func TestLease(t *testing.T) {
	var none *Lease
	assert.False(t, none.Ended())
	l := &Lease{}
	assert.True(t, l.Ended())
	l.Extend(time.Now().Add(time.Hour))
	l.Extend(time.Now().Add(-time.Hour))
	assert.False(t, l.Ended(), "an earlier end changes nothing")
	l.Revoke()
	assert.True(t, l.Ended())
	l.Extend(time.Now().Add(time.Hour))
	assert.True(t, l.Ended(), "it has ended for good")
}

// Nothing is sent after the end of a lease, and what was in flight is aborted or ends.
func TestNothingIsSentAfterTheLease(t *testing.T) {
	s := serve(t, ok)
	l := &Lease{}
	l.Extend(time.Now().Add(300 * ms))
	portion, err := newEngine(t, HardCaps()).RunShare(t.Context(), Phase{
		Name: "leased", Mix: []Request{chatRequest(s.URL)}, Rate: 100, For: time.Second, Generator: lenient(), Lease: l, Share: Share{0, 2},
	})
	require.NoError(t, err)
	assert.Less(t, portion.m.Count(runlog.Admitted), uint64(25))
	assert.Positive(t, portion.Unleased())
	assert.False(t, portion.m.Generator.OK(), "it is not the whole share")
	assert.Equal(t, portion.m.Sent, portion.m.Count(runlog.Admitted)+portion.m.Count(runlog.Abandoned))
}

func FuzzPortion(f *testing.F) {
	p := mergePhase()
	text, err := json.Marshal(portionOf(p, samplesOf(p)[:50]))
	require.NoError(f, err)
	f.Add(text)
	f.Add([]byte(`{"Requests":["chat","other"],"Generator":{"Lag":"/w=="}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var read Portion
		if json.Unmarshal(text, &read) == nil {
			_, _ = p.Join(time.Time{}, []Named{{"w", read}, {"w2", read}})
		}
	})
}

// BenchmarkJoin joins what many workers send back of a minute's phase. make bench-fleet; docs/fleet.md has the curve.
func BenchmarkJoin(b *testing.B) {
	for _, workers := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			p := mergePhase()
			p.For, p.Rate, p.Keep = time.Minute, 20*float64(workers), 0
			samples := samplesOf(Phase{Rate: 20, For: time.Minute, Mix: p.Mix})
			texts := make([][]byte, workers)
			for i := range texts {
				share := p
				share.Share = Share{i, workers}
				var err error
				texts[i], err = json.Marshal(portionOf(share, samples))
				require.NoError(b, err)
			}
			size := 0
			for _, text := range texts {
				size += len(text)
			}
			runtime.GC()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			b.ResetTimer()
			for range b.N {
				parts := make([]Named, workers)
				for i, text := range texts {
					require.NoError(b, json.Unmarshal(text, &parts[i].Portion))
				}
				_, err := p.Join(time.Time{}, parts)
				require.NoError(b, err)
				runtime.ReadMemStats(&after)
				runtime.KeepAlive(parts)
			}
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<20), "MB-heap")
			b.ReportMetric(float64(size)/float64(workers)/1024, "kB/portion")
		})
	}
}
