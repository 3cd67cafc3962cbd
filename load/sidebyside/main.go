package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"time"
)

// The modes in which the program starts itself, see [child].
const (
	serverMode = "server"
	modelMode  = "model"
	clientMode = "client"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "sidebyside:", err)
		os.Exit(1)
	}
}

func run() error {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case serverMode:
			return serve()
		case modelMode:
			return serveModel(os.Args[2])
		case clientMode:
			return measureAsChild(os.Args[2], os.Args[3], os.Args[4])
		}
	}
	rounds := flag.Int("rounds", 10, "number of times to measure each generator; the tables show medians")
	only := flag.Bool("compare", false, "only compare the generators; skip gatecert's runs of one million requests and 10,000 streams")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	fmt.Printf("%s, %d cores, %s. The tables show medians of %d rounds; in every round, the generators took turns.\n\n", runtime.GOOS, runtime.NumCPU(), runtime.Version(), max(*rounds, 1))
	if err := compare(ctx, max(*rounds, 1)); err != nil || *only {
		return err
	}
	return alone(ctx)
}

// figures are what one measurement came to.
type figures struct {
	// Rate is in requests/s, CPU is the processor time of a request, and P99 is a quantile of the service time.
	Rate float64
	CPU  time.Duration
	P99  time.Duration
	// Failed is the share of requests that did not succeed or were never sent.
	Failed float64
	// Peak is the maximum resident memory of the process, and Each is the memory that a stream takes, in bytes.
	Peak, Each uint64
	// Streams is the number of streams that were open at once, and Requests is the number of requests.
	Streams, Requests uint64
	Note              string
}

// child starts this program in a mode and returns what it prints.
func child(ctx context.Context, args ...string) (f figures, err error) {
	self, err := os.Executable()
	if err != nil {
		return f, err
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return f, fmt.Errorf("%s: %w", strings.Join(args, " "), err)
	}
	return f, json.Unmarshal(out, &f)
}

// compare prints the table of the generators.
func compare(ctx context.Context, rounds int) error {
	address, end, err := startServer(ctx, serverMode)
	if err != nil {
		return err
	}
	defer end()
	closed, open := map[string][]figures{}, map[string][]figures{}
	names := generators()
	for round := range rounds {
		for i := range names {
			name := names[(i+round)%len(names)]
			c, err := child(ctx, clientMode, name, "closed", address)
			if err != nil {
				return err
			}
			o, err := child(ctx, clientMode, name, "open", address)
			if err != nil {
				return err
			}
			closed[name], open[name] = append(closed[name], c), append(open[name], o)
			fmt.Fprintf(os.Stderr, "round %d: %-9s %6.0f/s, %s CPU; %6.0f/s of %d, p99 %s %s\n", round+1, name, c.Rate, c.CPU, o.Rate, openRate, o.P99, o.Note)
		}
	}
	fmt.Printf("| generator | closed loop, 64 connections | vs vegeta | CPU per request | vs vegeta | p99 | open loop at %d/s | rounds within 0.5 %% of this rate | p99 | what it measures |\n", openRate)
	fmt.Println("|---|--:|--:|--:|--:|--:|--:|--:|--:|---|")
	of := closed["vegeta"]
	for _, name := range names {
		c, o := closed[name], open[name]
		kept := 0
		for _, f := range o {
			if f.Rate >= 0.995*openRate && f.Rate <= 1.005*openRate && f.Failed == 0 {
				kept++
			}
		}
		fmt.Printf("| %s | %.0f/s | %.2f × | %s | %.2f × | %s | %.0f/s | %d of %d | %s | %s |\n", name, middle(c, rateOf), ratio(c, of, rateOf),
			shown(middle(c, cpuOf)), ratio(c, of, cpuOf), shown(middle(c, p99Of)), middle(o, rateOf), kept, len(o), shown(middle(o, p99Of)), measures()[name])
	}
	for _, name := range []string{"AIPerf 0.14", "GuideLLM 0.8"} {
		fmt.Printf("| %s, as documented | | | | | | | | | %s |\n", name, measures()[name])
	}
	fmt.Println()
	return nil
}

func rateOf(f figures) float64 { return f.Rate }
func cpuOf(f figures) float64  { return float64(f.CPU) }
func p99Of(f figures) float64  { return float64(f.P99) }

// shown is a time of so many nanoseconds, with three digits.
func shown(ns float64) string {
	d := time.Duration(ns)
	for unit := time.Second; unit > time.Nanosecond; unit /= 10 {
		if d >= unit {
			return d.Round(unit / 100).String()
		}
	}
	return d.String()
}

// measures are the metrics that each has, the last two by their documentation.
func measures() map[string]string {
	return map[string]string{
		"gatecert":     "latency (measured from the time when a request was due), service time, TTFB, TTFT, ITL, TPOT, stalls, tokens/s, goodput, errors by outcome, a verdict on each response",
		"vegeta":       "latency (measured from the time when a request was sent), bytes, status codes",
		"fortio":       "latency (measured from the time when a request was sent), sizes, status codes",
		"AIPerf 0.14":  "TTFT, TTST (time to second token), ITL, latency, tokens/s, goodput; rate search, confidence intervals over several runs",
		"GuideLLM 0.8": "TTFT, ITL, TPOT, latency, tokens/s, goodput; rate sweep",
	}
}

func middle(all []figures, of func(figures) float64) float64 {
	var values []float64
	for _, f := range all {
		values = append(values, of(f))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// ratio is the median over the rounds of one's figure in the other's: what disturbs a round disturbs both.
func ratio(all, base []figures, of func(figures) float64) float64 {
	var values []float64
	for i := range all {
		values = append(values, of(all[i])/of(base[i]))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// alone prints what only gatecert measures.
func alone(ctx context.Context) error {
	address, end, err := startServer(ctx, serverMode)
	if err != nil {
		return err
	}
	million, err := child(ctx, clientMode, "gatecert", "million", address)
	end()
	if err != nil {
		return err
	}
	model, end, err := startServer(ctx, modelMode, streamsModel)
	if err != nil {
		return err
	}
	defer end()
	streams, err := child(ctx, clientMode, "gatecert", "streams", model)
	if err != nil {
		return err
	}
	fmt.Println("| measurement | required | measured | |\n|---|--:|--:|---|")
	fmt.Printf("| memory used for a million requests, while gatecert also checks an SLO, computes windows, writes checkpoints, and saves every result to disk | ≤ 32 MB | %.1f MB | %d requests at %.0f/s %s |\n",
		float64(million.Peak)/1e6, million.Requests, million.Rate, million.Note)
	fmt.Printf("| concurrent streams, with TTFT and ITL measured for each stream | 10,000 | %d | %.2g %% failed %s |\n", streams.Streams, 100*streams.Failed, streams.Note)
	fmt.Printf("| memory used per stream | ≤ 32 KB | %.1f KB | %.0f MB in total |\n", float64(streams.Each)/1e3, float64(streams.Peak)/1e6)
	return nil
}
