package limits

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dunglas/httpsfv"
)

// quota is what the header of one response says about one limit. What it does not say is nil.
type quota struct {
	source quotaSource
	// name tells the limits of one source apart: "requests", "tokens", the name of a policy, or "".
	name      string
	limit     *int64
	remaining *int64
	// reset is the time from the response until the limit is whole again.
	reset *time.Duration
	// window is that of a policy of draft 11.
	window *time.Duration
}

// quotaSource is a family of header fields about rate limits.
type quotaSource string

const (
	xRateLimit         quotaSource = "x-ratelimit"         // x-ratelimit-limit-requests, -remaining-…, -reset-…; x-ratelimit-limit, …
	rateLimit          quotaSource = "ratelimit"           // RateLimit and RateLimit-Policy, draft-ietf-httpapi-ratelimit-headers-11
	anthropicRateLimit quotaSource = "anthropic-ratelimit" // anthropic-ratelimit-requests-limit, -remaining, -reset
)

// about reports whether a quota may be that of a limit: it counts requests, or tokens, and a policy of draft 11 has its window.
// Some gateways tell the tokens of prompts and answers apart; those are not all tokens.
func (q quota) about(d DeclaredLimit) bool {
	name := strings.ToLower(q.name)
	ofPart := strings.Contains(name, string(InputTokens)) || strings.Contains(name, string(OutputTokens))
	switch {
	case d.Tokens && d.Part != AllTokens:
		return name == string(d.Part)+"-tokens" || q.source == rateLimit && strings.Contains(name, "token") && strings.Contains(name, string(d.Part))
	case d.Tokens:
		return name == "tokens" || q.source == rateLimit && strings.Contains(name, "token") && !ofPart
	case q.source == rateLimit:
		return !strings.Contains(name, "token")
	default:
		return name == "" || name == "requests"
	}
}

// label names the limit in a finding.
func (q quota) label() string {
	if q.name == "" {
		return string(q.source)
	}
	return string(q.source) + " " + strconv.Quote(clip(q.name))
}

// invalidField is a header field that does not have the format of its source.
type invalidField struct {
	field, value string
	err          error
}

func (f invalidField) String() string {
	return fmt.Sprintf("%s: %s: %v", f.field, strconv.Quote(clip(f.value)), f.err)
}

// parseQuotas reads all that a header says about limits, in the order of the names of its fields. Instants count from the header's
// Date, or from now without one.
func parseQuotas(header map[string][]string, now time.Time) ([]quota, []invalidField) {
	p := quotaParser{now: now}
	if date, err := http.ParseTime(http.Header(header).Get("Date")); err == nil {
		p.now = date
	}
	for _, field := range slices.Sorted(maps.Keys(header)) {
		if err := p.parseField(strings.ToLower(field), header[field]); err != nil {
			p.invalid = append(p.invalid, invalidField{field, strings.Join(header[field], ", "), err})
		}
	}
	return p.quotas, p.invalid
}

type quotaParser struct {
	now     time.Time
	quotas  []quota
	invalid []invalidField
}

// quota returns the quota of a source with a name. The pointer is valid until the next call.
func (p *quotaParser) quota(source quotaSource, name string) *quota {
	i := slices.IndexFunc(p.quotas, func(q quota) bool { return q.source == source && q.name == name })
	if i < 0 {
		i = len(p.quotas)
		p.quotas = append(p.quotas, quota{source: source, name: name})
	}
	return &p.quotas[i]
}

func (p *quotaParser) parseField(name string, values []string) error {
	value := strings.TrimSpace(strings.Join(values, ", "))
	switch {
	case name == "ratelimit":
		return p.parseList(values, parseRemaining)
	case name == "ratelimit-policy":
		return p.parseList(values, parsePolicy)
	case strings.HasPrefix(name, "x-ratelimit-"):
		what, of, _ := strings.Cut(strings.TrimPrefix(name, "x-ratelimit-"), "-")
		return p.parseValue(xRateLimit, of, what, value)
	case strings.HasPrefix(name, "anthropic-ratelimit-"):
		rest := strings.TrimPrefix(name, "anthropic-ratelimit-")
		if cut := strings.LastIndexByte(rest, '-'); cut > 0 {
			return p.parseValue(anthropicRateLimit, rest[:cut], rest[cut+1:], value)
		}
	}
	return nil
}

func (p *quotaParser) parseValue(source quotaSource, name, what, value string) error {
	switch what {
	case "limit", "remaining":
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return errors.New("not a whole number")
		}
		q := p.quota(source, name)
		if what == "limit" {
			q.limit = &n
		} else {
			q.remaining = &n
		}
	case "reset":
		parse := parseReset
		if source == anthropicRateLimit {
			parse = parseResetTime
		}
		d, err := parse(value, p.now)
		if err != nil {
			return err
		}
		p.quota(source, name).reset = &d
	}
	return nil
}

func parseResetTime(value string, now time.Time) (time.Duration, error) {
	at, err := time.Parse(time.RFC3339, value)
	if err != nil {
		return 0, errors.New("not an RFC 3339 time")
	}
	return max(at.Sub(now), 0), nil
}

// A number of at least firstEpochSecond is a Unix timestamp in seconds, and a number of at least firstEpochMilli is one in milliseconds. As a
// duration, it would be 31 years.
const (
	firstEpochSecond = 1e9
	firstEpochMilli  = 1e12
)

// parseReset reads the formats in use: "6m0s", "12ms", seconds, and Unix timestamps in seconds or milliseconds.
func parseReset(value string, now time.Time) (time.Duration, error) {
	errFormat := errors.New("not a duration, number of seconds or Unix timestamp")
	seconds, err := strconv.ParseFloat(value, 64)
	switch {
	case err != nil:
		d, err := time.ParseDuration(value)
		if err != nil || d < 0 {
			return 0, errFormat
		}
		return d, nil
	case math.IsNaN(seconds) || seconds < 0 || seconds > 1e15:
		return 0, errFormat
	case seconds >= firstEpochMilli:
		return max(time.UnixMilli(int64(seconds)).Sub(now), 0), nil
	case seconds >= firstEpochSecond:
		return max(time.Unix(int64(seconds), 0).Sub(now), 0), nil
	default:
		return time.Duration(seconds * float64(time.Second)), nil
	}
}

// parseList reads a structured field (RFC 9651) of draft 11: a list of names with parameters.
func (p *quotaParser) parseList(values []string, parse func(*quota, *httpsfv.Params) error) error {
	list, err := httpsfv.UnmarshalList(values)
	if err != nil {
		return fmt.Errorf("not a structured field: %w", err)
	}
	for _, member := range list {
		item, ok := member.(httpsfv.Item)
		if !ok {
			return errors.New("contains an inner list where a name is expected")
		}
		var name string
		switch value := item.Value.(type) {
		case string:
			name = value
		case httpsfv.Token:
			name = string(value)
		default:
			return errors.New("contains an item that is not a name: names are strings or tokens")
		}
		if err := parse(p.quota(rateLimit, name), item.Params); err != nil {
			return err
		}
	}
	return nil
}

// parsePolicy reads the parameters of RateLimit-Policy: q, the quota, and w, the window in seconds.
func parsePolicy(q *quota, params *httpsfv.Params) (err error) {
	if q.limit, err = integer(params, "q"); err != nil {
		return err
	}
	if q.limit == nil {
		return errors.New("a policy lacks the parameter q (the quota)")
	}
	seconds, err := integer(params, "w")
	if seconds != nil && *seconds > 0 {
		q.window = new(time.Duration(min(*seconds, maxSeconds)) * time.Second)
	}
	return err
}

// parseRemaining reads the parameters of RateLimit: r, what remains, and t, the seconds until the limit is whole again.
func parseRemaining(q *quota, params *httpsfv.Params) (err error) {
	if q.remaining, err = integer(params, "r"); err != nil {
		return err
	}
	if q.remaining == nil {
		return errors.New("a limit lacks the parameter r (the remaining quota)")
	}
	seconds, err := integer(params, "t")
	if seconds != nil {
		q.reset = new(time.Duration(min(max(*seconds, 0), maxSeconds)) * time.Second)
	}
	return err
}

// integer returns a parameter, nil where it is absent.
func integer(params *httpsfv.Params, name string) (*int64, error) {
	value, present := params.Get(name)
	if !present {
		return nil, nil //nolint:nilnil // an absent parameter is neither a number nor an error
	}
	n, ok := value.(int64)
	if !ok {
		return nil, fmt.Errorf("parameter %s is not an integer", name)
	}
	return &n, nil
}

// maxSeconds is how many seconds a duration can hold.
const maxSeconds = int64(math.MaxInt64 / time.Second)

// clip cuts a gateway's text to a length that fits a line.
func clip(text string) string {
	const maxBytes = 40
	if len(text) > maxBytes {
		return text[:maxBytes] + "…"
	}
	return text
}
