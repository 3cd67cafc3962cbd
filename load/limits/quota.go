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
)

// Quota is what the header of one answer says about one limit. What it does not say is nil.
type Quota struct {
	// Source is the family of header fields.
	Source Source
	// Name tells the limits of a family apart: "requests", "tokens", the name of a policy, or "".
	Name      string
	Limit     *int64
	Remaining *int64
	// Reset is the time from the answer until the limit is whole again; Window is the length of the policy's window.
	Reset, Window *time.Duration
}

// Source is a family of header fields that tell of rate limits.
type Source string

// The families.
const (
	XRateLimit Source = "x-ratelimit"         // x-ratelimit-limit-requests, -remaining-…, -reset-…; x-ratelimit-limit, …
	RateLimit  Source = "ratelimit"           // RateLimit and RateLimit-Policy, draft-ietf-httpapi-ratelimit-headers-11
	Anthropic  Source = "anthropic-ratelimit" // anthropic-ratelimit-requests-limit, -remaining, -reset
)

// Requests reports whether the limit may be one of requests: not of tokens or whatever else is counted.
func (q Quota) Requests() bool {
	return q.Source == RateLimit || q.Name == "" || q.Name == "requests"
}

// Unread is a header field that its family's format does not allow.
type Unread struct {
	Field, Value, Problem string
}

func (u Unread) String() string {
	return fmt.Sprintf("%s: %s is %s", u.Field, strconv.Quote(clip(u.Value)), u.Problem)
}

// Quotas reads all that a header says about limits, in the order of the fields' names. Instants are taken relative to
// the header's Date or, without one, to the given instant.
func Quotas(header map[string][]string, now time.Time) ([]Quota, []Unread) {
	r := reader{now: now, quotas: map[string]*Quota{}}
	if date, err := http.ParseTime(first(header["Date"])); err == nil {
		r.now = date
	}
	for _, field := range slices.Sorted(maps.Keys(header)) {
		value := strings.Join(header[field], ", ")
		switch name := strings.ToLower(field); {
		case name == "ratelimit":
			r.list(field, value, r.limit)
		case name == "ratelimit-policy":
			r.list(field, value, r.policy)
		case strings.HasPrefix(name, "x-ratelimit-"):
			what, of, _ := strings.Cut(strings.TrimPrefix(name, "x-ratelimit-"), "-")
			r.plain(XRateLimit, of, what, field, value)
		case strings.HasPrefix(name, "anthropic-ratelimit-"):
			rest := strings.TrimPrefix(name, "anthropic-ratelimit-")
			if cut := strings.LastIndexByte(rest, '-'); cut > 0 {
				r.plain(Anthropic, rest[:cut], rest[cut+1:], field, value)
			}
		}
	}
	quotas := make([]Quota, 0, len(r.order))
	for _, key := range r.order {
		quotas = append(quotas, *r.quotas[key])
	}
	return quotas, r.unread
}

func first(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

// reader collects quotas by source and name.
type reader struct {
	now    time.Time
	quotas map[string]*Quota
	order  []string
	unread []Unread
}

func (r *reader) quota(source Source, name string) *Quota {
	key := string(source) + " " + name
	q, known := r.quotas[key]
	if !known {
		q = &Quota{Source: source, Name: name}
		r.quotas[key] = q
		r.order = append(r.order, key)
	}
	return q
}

// plain reads a field that holds one value.
func (r *reader) plain(source Source, name, what, field, value string) {
	var err error
	switch what {
	case "limit", "remaining":
		var n int64
		if n, err = strconv.ParseInt(strings.TrimSpace(value), 10, 64); err != nil {
			err = errors.New("no whole number")
			break
		}
		q := r.quota(source, name)
		if what == "limit" {
			q.Limit = &n
		} else {
			q.Remaining = &n
		}
	case "reset":
		var d time.Duration
		if source == Anthropic {
			d, err = untilTime(value, r.now)
		} else {
			d, err = untilReset(value, r.now)
		}
		if err == nil {
			r.quota(source, name).Reset = &d
		}
	}
	if err != nil {
		r.unread = append(r.unread, Unread{field, value, err.Error()})
	}
}

func untilTime(value string, now time.Time) (time.Duration, error) {
	at, err := time.Parse(time.RFC3339, strings.TrimSpace(value))
	if err != nil {
		return 0, errors.New("no RFC 3339 time")
	}
	return max(at.Sub(now), 0), nil
}

// A number from epoch on is taken for an instant, in seconds or milliseconds: as a duration it would be 31 years.
const (
	epoch       = 1e9
	epochMillis = 1e12
)

// untilReset reads the forms in use: "6m0s", "12ms", seconds, and seconds or milliseconds since 1970.
func untilReset(value string, now time.Time) (time.Duration, error) {
	value = strings.TrimSpace(value)
	seconds, err := strconv.ParseFloat(value, 64)
	switch {
	case err != nil:
		d, err := time.ParseDuration(value)
		if err != nil || d < 0 {
			return 0, errors.New("no duration, number of seconds or time since 1970")
		}
		return d, nil
	case math.IsNaN(seconds) || seconds < 0 || seconds > 1e15:
		return 0, errors.New("no duration, number of seconds or time since 1970")
	case seconds >= epochMillis:
		return max(time.UnixMilli(int64(seconds)).Sub(now), 0), nil
	case seconds >= epoch:
		return max(time.Unix(int64(seconds), 0).Sub(now), 0), nil
	default:
		return time.Duration(seconds * float64(time.Second)), nil
	}
}

// list reads a field of draft 11.
func (r *reader) list(field, value string, each func(*Quota, map[string]any) error) {
	items, err := parseList(value)
	for _, one := range items {
		name, ok := one.value.(string)
		if !ok {
			err = errors.New("a list with something else than names in it")
			break
		}
		if err = each(r.quota(RateLimit, name), one.params); err != nil {
			break
		}
	}
	if err != nil {
		r.unread = append(r.unread, Unread{field, value, err.Error()})
	}
}

// policy reads the parameters of RateLimit-Policy: q, the quota, and w, the window in seconds.
func (r *reader) policy(q *Quota, params map[string]any) (err error) {
	if q.Limit, err = wholeNumber(params, "q"); err == nil && q.Limit == nil {
		return errors.New("a policy without its quota q")
	}
	if err != nil {
		return err
	}
	window, err := wholeNumber(params, "w")
	q.Window = inSeconds(window)
	return err
}

// limit reads the parameters of RateLimit: r, what is left, and t, the seconds until it is whole again.
func (r *reader) limit(q *Quota, params map[string]any) (err error) {
	if q.Remaining, err = wholeNumber(params, "r"); err == nil && q.Remaining == nil {
		return errors.New("a limit without what remains, r")
	}
	if err != nil {
		return err
	}
	reset, err := wholeNumber(params, "t")
	q.Reset = inSeconds(reset)
	return err
}

func wholeNumber(params map[string]any, name string) (*int64, error) {
	value, there := params[name]
	if !there {
		return nil, nil //nolint:nilnil // absent is neither a number nor wrong
	}
	n, ok := value.(int64)
	if !ok {
		return nil, fmt.Errorf("%s no whole number", name)
	}
	return &n, nil
}

// longestReset keeps seconds from overflowing a duration.
const longestReset = int64(math.MaxInt64 / time.Second)

func inSeconds(n *int64) *time.Duration {
	if n == nil {
		return nil
	}
	d := time.Duration(min(max(*n, 0), longestReset)) * time.Second
	return &d
}
