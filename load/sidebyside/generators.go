package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"syscall"
	"time"

	"fortio.org/fortio/fhttp"
	"fortio.org/fortio/periodic"
	"fortio.org/log"
	vegeta "github.com/tsenart/vegeta/v12/lib"

	"github.com/gatecert/gatecert/dialect"
	"github.com/gatecert/gatecert/exchange"
	"github.com/gatecert/gatecert/exchange/redact"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/runlog"
)

const (
	connections = 64
	lasts       = 3 * time.Second
	// openRate is asked for in the open loop, with room for a server that stands still for 10 ms.
	openRate        = 20_000
	openConnections = 256
)

// generators are those that are compared.
func generators() []string { return []string{"gatecert", "vegeta", "fortio"} }

// measureAsChild makes one measurement and prints it.
func measureAsChild(name, mode, address string) error {
	measure := map[string]func(address string, open bool) (figures, error){
		"gatecert": measureGatecert, "vegeta": measureVegeta, "fortio": measureFortio,
	}[name]
	var f figures
	var err error
	switch mode {
	case "million":
		f, err = measureMillion(address)
	case "streams":
		f, err = measureStreams(address)
	default:
		before := processorTime()
		if f, err = measure(address, mode == "open"); err == nil {
			f.CPU = (processorTime() - before) / time.Duration(max(f.Requests, 1))
		}
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(f)
}

func processorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// call is a chat request of about 380 bytes.
func call(address string) exchange.Call {
	return exchange.Call{
		Surface: dialect.Chat, BaseURL: "http://" + address, Key: "sk-benchmark-0123456789", Model: "gpt-4o-mini",
		Prompt: "Say hello to everybody who reads this, one after the other, and do not leave anybody out of it, please.",
	}
}

func engine() *load.Engine { return load.NewEngine(load.Options{Caps: load.HardCaps()}) }

// measureGatecert judges every response.
func measureGatecert(address string, open bool) (f figures, err error) {
	e := engine()
	defer e.Close()
	p := load.Phase{Name: "closed", Mix: []load.Request{{Call: call(address)}}, Closed: true, Rate: 100_000, For: lasts, Connections: connections}
	if open {
		p.Closed, p.Rate, p.Connections = false, openRate, openConnections
	}
	m, err := e.Run(context.Background(), p)
	if err != nil {
		return f, err
	}
	admitted := m.Of(load.AllRequests, runlog.Admitted)
	f = figures{Rate: float64(m.Sent) / m.Elapsed.Seconds(), P99: admitted.ServiceTime.Quantile(0.99), Requests: m.Sent}
	f.Failed = 1 - float64(admitted.Count)/float64(m.Offered)
	if len(m.Generator.Problems) > 0 {
		f.Note = fmt.Sprint(m.Generator.Problems)
	}
	return f, nil
}

// wire is the same request for the others.
func wire(address string) (exchange.Request, error) {
	return exchange.Prepare(call(address), redact.New())
}

// measureVegeta uses the library with its own client and as many connections.
func measureVegeta(address string, open bool) (f figures, err error) {
	request, err := wire(address)
	if err != nil {
		return f, err
	}
	workers, rate := uint64(connections), vegeta.Rate{}
	if open {
		workers, rate = openConnections, vegeta.Rate{Freq: openRate, Per: time.Second}
	}
	attacker := vegeta.NewAttacker(vegeta.Workers(workers), vegeta.MaxWorkers(workers), vegeta.Connections(int(workers)), vegeta.KeepAlive(true))
	target := vegeta.NewStaticTargeter(vegeta.Target{Method: request.Method, URL: request.URL, Body: request.Body, Header: request.Header})
	var m vegeta.Metrics
	began := time.Now()
	for r := range attacker.Attack(target, rate, lasts, "") {
		m.Add(r)
	}
	took := time.Since(began)
	m.Close()
	f = figures{Rate: float64(m.Requests) / took.Seconds(), P99: m.Latencies.P99, Requests: m.Requests, Failed: 1 - m.Success}
	if open {
		f.Failed = 1 - m.Success*float64(m.Requests)/(openRate*lasts.Seconds())
	}
	return f, nil
}

// measureFortio uses the library with its own fast client.
func measureFortio(address string, open bool) (f figures, err error) {
	log.SetLogLevelQuiet(log.Critical)
	request, err := wire(address)
	if err != nil {
		return f, err
	}
	o := fhttp.HTTPRunnerOptions{
		RunnerOptions: periodic.RunnerOptions{QPS: -1, NumThreads: connections, Duration: lasts, Out: io.Discard, Percentiles: []float64{99}, NoCatchUp: false},
		HTTPOptions:   fhttp.HTTPOptions{URL: request.URL, Payload: request.Body, NumConnections: connections},
	}
	if open {
		o.QPS, o.NumThreads = openRate, openConnections
	}
	o.Init(request.URL)
	o.Payload = request.Body
	for name, values := range request.Header {
		if name == "Host" {
			continue
		}
		if err := o.AddAndValidateExtraHeader(name + ": " + values[0]); err != nil {
			return f, err
		}
	}
	result, err := fhttp.RunHTTPTest(&o)
	if err != nil {
		return f, err
	}
	f = figures{
		Rate: result.ActualQPS, Requests: uint64(result.DurationHistogram.Count),
		P99: time.Duration(result.DurationHistogram.CalcPercentile(99) * float64(time.Second)),
	}
	if len(result.DurationHistogram.Percentiles) > 0 {
		f.P99 = time.Duration(result.DurationHistogram.Percentiles[0].Value * float64(time.Second))
	}
	f.Failed = 1 - float64(result.RetCodes[http.StatusOK])/float64(max(f.Requests, 1))
	if open && result.ActualDuration > 0 {
		f.Failed = max(1-float64(result.RetCodes[http.StatusOK])/(openRate*lasts.Seconds()), 0)
		if f.Failed < 0.005 { // it rounds the requests of a thread
			f.Failed = 0
		}
	}
	return f, nil
}
