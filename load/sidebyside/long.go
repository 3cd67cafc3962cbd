package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/runlog"
)

// memory returns the resident memory of this process and its peak, in bytes.
func memory() (now, peak uint64) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, 0
	}
	of := func(name string) uint64 {
		_, after, _ := bytes.Cut(status, []byte(name+":"))
		fields := strings.Fields(string(after))
		if len(fields) == 0 {
			return 0
		}
		kib, _ := strconv.ParseUint(fields[0], 10, 64)
		return kib << 10
	}
	return of("VmRSS"), of("VmHWM")
}

// measureMillion sends a million requests with everything on: windows, an SLO with goodput, progress, checkpoints, and every result on disk.
func measureMillion(address string) (f figures, err error) {
	slo, err := load.ParseSLO("latency.p99<1s,ttfb.p99<1s,errors<1%,goodput>90%")
	if err != nil {
		return f, err
	}
	file, err := os.CreateTemp("", "gatecert-results-*.json")
	if err != nil {
		return f, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	e := engine()
	defer e.Close()
	checkpoints := 0
	const requests, rate = 1_000_000, 100_000
	m, err := e.Run(context.Background(), load.Phase{
		Name: "million", Mix: []load.Request{{Call: call(address)}}, Closed: true, Rate: rate / 10, For: 100 * time.Second, Connections: connections, SLO: slo,
		Record:   func() io.Writer { return file },
		Snapshot: func(load.Measurement) { checkpoints++ }, SnapshotEvery: time.Second,
		Progress: func(load.Progress) {}, Closing: func(load.Window, load.Measurement) {},
	})
	if err != nil {
		return f, err
	}
	if m.RecordError != nil {
		return f, m.RecordError
	}
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return f, err
	}
	f = figures{Rate: float64(m.Sent) / m.Elapsed.Seconds(), Requests: m.Sent, Note: fmt.Sprintf("in %s, with %d checkpoints and %d MB of results", m.Elapsed.Round(time.Second), checkpoints, size>>20)}
	_, f.Peak = memory()
	if m.Sent < requests {
		f.Note += "; some of the requests were not sent"
	}
	return f, nil
}

// streamsModel takes 31 s a stream, so that all of them are open before the first ends, and asks for 10,000 events a second.
const streamsModel = "ttft=1s,itl=1s,tokens=31"

// measureStreams opens 10,000 streams.
func measureStreams(address string) (f figures, err error) {
	const streams, opening = 10_000, 20 * time.Second
	e := engine()
	defer e.Close()
	before, _ := memory()
	c := exchange.Call{Surface: dialect.ChatStream, BaseURL: "http://" + address, Key: "k", Model: "m", Prompt: "hello", MaxTokens: 1000}
	c.Edits = []exchange.Edit{{Path: "stream_options.include_usage", Value: true}}
	m, err := e.Run(context.Background(), load.Phase{
		Name: "streams", Mix: []load.Request{{Call: c}}, Rate: streams / opening.Seconds(), For: opening, Connections: streams, Timeout: 2 * time.Minute,
	})
	if err != nil {
		return f, err
	}
	admitted := m.Of(load.AllRequests, runlog.Admitted)
	f = figures{Streams: admitted.Count, Requests: m.Sent, Failed: 1 - float64(admitted.Count)/float64(m.Offered)}
	_, f.Peak = memory()
	f.Each = (f.Peak - before) / streams
	f.Note = fmt.Sprintf("TTFT p50 %s p99 %s, ITL p50 %s p99 %s %v", admitted.TTFT.Quantile(0.5).Round(time.Millisecond), admitted.TTFT.Quantile(0.99).Round(time.Millisecond),
		admitted.ITL.Quantile(0.5).Round(time.Millisecond), admitted.ITL.Quantile(0.99).Round(time.Millisecond), m.Generator.Problems)
	return f, nil
}
