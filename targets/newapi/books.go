package newapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gatecert/gatecert/contract"
)

// books are the gateway's own log, which says of a call what failed and what was charged. A balance would say less: with
// batched updates it moves seconds later, for calls that are long over.
type books struct{ admin *client }

// record is one row of the log.
type record struct {
	Type  int     `json:"type"`
	Quota float64 `json:"quota"`
	Other string  `json:"other"`
}

// The types of rows that belong to a call.
const (
	chargedRow = 2
	errorRow   = 5 // only with ERROR_LOG_ENABLED in the gateway's environment
)

// requestIDHeader is where the gateway tells under which id it has logged a call.
const requestIDHeader = "X-Oneapi-Request-Id"

const (
	// bookings bounds how often the log is read for a call that looks like a success: it is charged after its last byte.
	bookings = 8
	booking  = 50 * time.Millisecond
)

// consult adds what the log says of a call.
func (b books) consult(ctx context.Context, o *contract.Observation) error {
	ids := o.Header[requestIDHeader]
	if len(ids) == 0 || ids[0] == "" {
		return nil
	}
	for try := 1; ; try++ {
		rows, err := b.rows(ctx, ids[0])
		if err != nil {
			return err
		}
		if len(rows) > 0 || o.Status >= http.StatusBadRequest || try == bookings {
			enter(rows, o)
			return nil
		}
		if err := b.admin.pause(ctx, booking); err != nil {
			return err
		}
	}
}

func (b books) rows(ctx context.Context, id string) (page[record], error) {
	query := url.Values{"p": {"1"}, "page_size": {"20"}, "request_id": {id}}
	var rows page[record]
	err := b.admin.call(ctx, http.MethodGet, "/api/log/?"+query.Encode(), nil, &rows)
	return rows, err
}

// enter puts the rows into the observation. The books know what was taken, not what there was before: only the
// difference of a balance counts.
func enter(rows []record, o *contract.Observation) {
	var words []string
	var taken float64
	for _, r := range rows {
		switch r.Type {
		case chargedRow:
			taken += r.Quota
			words = append(words, fmt.Sprintf("charged %g%s", r.Quota, r.stream()))
		case errorRow:
			words = append(words, "failed"+r.failure())
		}
	}
	o.GatewayLog = strings.Join(words, "; ")
	o.Balance = &contract.Balance{Before: taken}
}

// stream is how the gateway says that a stream ended, "" when it says nothing or all was well.
func (r record) stream() string {
	var other struct {
		Stream struct {
			Status string `json:"status"`
			Reason string `json:"end_reason"`
			Error  string `json:"end_error"`
		} `json:"stream_status"`
	}
	if json.Unmarshal([]byte(r.Other), &other) != nil || other.Stream.Status == "" || other.Stream.Status == "ok" {
		return ""
	}
	return " for a stream that ended with " + strings.TrimSpace(other.Stream.Status+" "+other.Stream.Reason+" "+other.Stream.Error)
}

func (r record) failure() string {
	var other struct {
		Code   string `json:"error_code"`
		Status int    `json:"status_code"`
	}
	if json.Unmarshal([]byte(r.Other), &other) != nil {
		return ""
	}
	return fmt.Sprintf(" with %s (%d)", other.Code, other.Status)
}

// errNoBooks is returned when a call that certainly was charged is not found in the log.
var errNoBooks = errors.New("the gateway's log cannot be read by request")

// prove finds a healthy call in the log, without which silence would mean nothing.
func (b books) prove(ctx context.Context, o contract.Observation) error {
	if err := b.consult(ctx, &o); err != nil {
		return err
	}
	if o.Balance == nil || o.Balance.Before == 0 {
		return errNoBooks
	}
	return nil
}
