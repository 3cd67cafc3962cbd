package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/gatecert/gatecert/internal/distribution"
	"github.com/gatecert/gatecert/internal/runner"
	"github.com/gatecert/gatecert/internal/tokencount"
	"github.com/gatecert/gatecert/internal/workload"
	"github.com/gatecert/gatecert/load"
	"github.com/gatecert/gatecert/reports/plain"
	"github.com/gatecert/gatecert/reports/runlog"
	"github.com/gatecert/gatecert/targets/upstream"
)

// measureFlags say what the requests of a measurement are like, and what is asked of their responses.
type measureFlags struct {
	UpstreamProfile string `help:"Make the mock upstream's responses match a model's responses in timing and length: ttft=lognormal:200ms,itl=20ms,tokens=256. Default: respond immediately." placeholder:"MODEL"`
	PromptTokens    string `help:"Number of tokens in each prompt: a number such as 512, or a distribution (uniform:A-B, normal:MEAN:SPREAD, lognormal:MEDIAN:SIGMA, exp:MEAN). Default: a few tokens." placeholder:"N"`
	OutputTokens    string `help:"Maximum number of tokens in each answer (max_tokens): a number or a distribution. Default: 16, or the lengths of the answers in the data set." placeholder:"N"`
	Dataset         string `help:"Data set to take prompts from: a JSON Lines file in which each line has messages, conversations (ShareGPT) or prompt; or synthetic:NAME, which generates conversations with NAME as the seed." placeholder:"FILE"`
	SharedPrefix    int    `help:"Start all prompts with the same N tokens. The rest of each prompt is unique, so that no cache can answer the request. Default: ${default}." default:"0" placeholder:"N"`
	ModelMix        string `help:"Models to request, with weights: gpt-4o=3,gpt-4o-mini=1. Default: the profile's model." placeholder:"NAME=WEIGHT,…"`
	Usage           bool   `help:"Request usage data in chat streams (stream_options.include_usage), and use the token counts in this data. Default: yes, unless the gateway rejects this option." default:"true" negatable:""`
}

// measured reads the flags. Its prompts are those of the seed.
func (f measureFlags) measured(seed uint64) (m runner.Measured, err error) {
	m = runner.Measured{Usage: f.Usage, Prefix: f.SharedPrefix, Count: tokencount.New().Count}
	m.Workload.Seed = seed
	if m.Model, err = playedModel(f.UpstreamProfile); err != nil {
		return m, err
	}
	if m.Workload.Prompt, err = tokensOf("--prompt-tokens", f.PromptTokens); err != nil {
		return m, err
	}
	if m.Workload.Output, err = tokensOf("--output-tokens", f.OutputTokens); err != nil {
		return m, err
	}
	if f.SharedPrefix < 0 || f.SharedPrefix > workload.MaxTokens {
		return m, fmt.Errorf("%w: --shared-prefix %d: must be between 1 and %d tokens, or 0 for no shared prefix", errUsage, f.SharedPrefix, workload.MaxTokens)
	}
	if f.ModelMix != "" {
		if m.Models, err = weighted(f.ModelMix); err != nil {
			return m, fmt.Errorf("%w: --model-mix: %w", errUsage, err)
		}
	}
	m.Workload.Conversations, err = f.conversations()
	return m, err
}

// tokensOf reads a distribution of numbers of tokens; "" is none.
func tokensOf(flag, text string) (distribution.Distribution, error) {
	if text == "" {
		return distribution.Distribution{}, nil
	}
	d, err := distribution.ParseCount(text, workload.MaxTokens)
	if err != nil {
		return d, fmt.Errorf("%w: %s: %w", errUsage, flag, err)
	}
	return d, nil
}

// conversations reads the data set; none without the flag.
func (f measureFlags) conversations() (list []workload.Conversation, err error) {
	if f.Dataset == "" {
		return nil, nil
	}
	if f.PromptTokens != "" {
		return nil, fmt.Errorf("%w: --dataset and --prompt-tokens cannot be combined: use only one of them", errUsage)
	}
	if name, made := strings.CutPrefix(f.Dataset, "synthetic:"); made {
		return workload.Synthetic(name), nil
	}
	file, err := os.Open(f.Dataset)
	if err != nil {
		return nil, fmt.Errorf("%w: --dataset: %w: use a JSON Lines file or synthetic:NAME", errUsage, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if list, err = workload.ReadDataset(file); err != nil {
		return nil, fmt.Errorf("%w: --dataset %s: %w", errUsage, f.Dataset, err)
	}
	return list, nil
}

// weighted reads names with their weights: "a=3,b=1". A name alone weighs 1.
func weighted(text string) ([]runner.Weighted, error) {
	var list []runner.Weighted
	for part := range strings.SplitSeq(text, ",") {
		w := runner.Weighted{Name: strings.TrimSpace(part), Weight: 1}
		if i := strings.LastIndexByte(part, '='); i >= 0 {
			var err error
			w.Name = strings.TrimSpace(part[:i])
			if w.Weight, err = strconv.Atoi(strings.TrimSpace(part[i+1:])); err != nil || w.Weight < 1 || w.Weight > 30 {
				return nil, fmt.Errorf("%.40q: the weight must be a whole number between 1 and 30", part)
			}
		}
		if w.Name == "" || slices.ContainsFunc(list, func(other runner.Weighted) bool { return other.Name == w.Name }) {
			return nil, fmt.Errorf("%.40q: must be NAME=WEIGHT, and each name may be used only once", part)
		}
		list = append(list, w)
	}
	return list, nil
}

// facts are what the flags say of the requests.
func (f measureFlags) facts() []runlog.MeasuredFact {
	var facts []runlog.MeasuredFact
	add := func(name, text string) {
		if text != "" {
			facts = append(facts, runlog.MeasuredFact{Name: name, Text: text})
		}
	}
	add("prompts", f.PromptTokens)
	add("answers", f.OutputTokens)
	add("data set", f.Dataset)
	add("models", f.ModelMix)
	if f.SharedPrefix > 0 {
		add("prefix", fmt.Sprintf("the same %s at the start of all prompts", plain.Count(f.SharedPrefix, "token")))
	}
	return facts
}

// printStreaming prints what was measured of the streams of a phase. Without streams and tokens it prints nothing.
func printStreaming(c *console, m load.Measurement) error {
	a := m.Of(load.AllRequests, runlog.Admitted)
	if a.OutputTokens > 0 {
		fmt.Fprintf(c.out, "tokens    %.6g/s in total, %d per response (p50), counted %s\n", m.TokensPerSecond(), a.Tokens.Quantile(0.5), sourcesOf(a))
	}
	if a.TTFT.Count() == 0 {
		return nil
	}
	var lines [][]string
	times := func(name string, h load.Histogram) {
		if h.Count() > 0 {
			lines = append(lines, []string{
				name, plain.Time(h.Quantile(0.5)), plain.Time(h.Quantile(0.95)), plain.Time(h.Quantile(0.99)), plain.Time(h.Max()),
			})
		}
	}
	times("TTFT", a.TTFT)
	times("ITL", a.ITL)
	times("TPOT", a.TPOT)
	times("stall", a.Stall)
	times("latency", a.Latency)
	if r := a.TokenRate; r.Count() > 0 {
		rate := func(q float64) string { return fmt.Sprintf("%.5g/s", float64(r.Quantile(q))/1000) }
		lines = append(lines, []string{"tokens/s", rate(0.5), rate(0.05), rate(0.01), ""})
	}
	if err := table(c.out, []string{"per stream", "p50", "p95", "p99", "max"}, lines); err != nil {
		return err
	}
	if a.TokenRate.Count() > 0 {
		fmt.Fprintln(c.out, "tokens/s: p95 is the rate that 95 % of the streams exceed, and p99 is the rate that 99 % exceed")
	}
	return nil
}

// sourcesOf says how the tokens of answers were counted, with the number of answers where there is more than one source.
func sourcesOf(a load.Metrics) string {
	names := map[load.TokenSource]string{
		load.TokensOfUsage: "from the usage field of the responses", load.TokensOfTokenizer: "with the tokenizer " + tokencount.Name, load.TokensOfEvents: "as stream events",
	}
	var parts []string
	for _, source := range load.TokenSources() {
		if n := a.Counted[source]; n > 0 {
			part := names[source]
			if len(a.Counted) > 1 {
				part += fmt.Sprintf(" (%d)", n)
			}
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, " and ")
}

// checkModel returns a usage error for a model that nobody plays.
func checkModel(model upstream.Model, present bool) error {
	if !model.IsZero() && !present {
		return fmt.Errorf("%w: --upstream-profile changes the mock upstream, which this gateway does not call: use a profile with the upstream field (docs/profile.md)", errUsage)
	}
	return nil
}
