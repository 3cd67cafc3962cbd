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

// usageLog is the gateway's own log, which has what failed and what was charged by request id. Balances would show less: with
// batched updates they change seconds later, for calls that are long over.
type usageLog struct{ admin *client }

type logRow struct {
	Type  int     `json:"type"`
	Quota float64 `json:"quota"`
	Other string  `json:"other"`
}

// The types of rows that belong to a call.
const (
	chargedRow = 2
	errorRow   = 5 // only with ERROR_LOG_ENABLED in the gateway's environment
)

// requestIDHeader has the id under which the gateway logs a call.
const requestIDHeader = "X-Oneapi-Request-Id"

const (
	// usageLogReads bounds how often the log is read for a call that looks like a success: it is charged after its last byte,
	// on a busy machine a second later. The intervals double, because the gateway rate-limits its admin API: 1.6 s in all.
	usageLogReads    = 6
	usageLogInterval = 50 * time.Millisecond
)

// errNoUsageLog is returned when a call that was certainly charged is not in the log.
var errNoUsageLog = errors.New("the gateway's log cannot be searched by request id")

// verify looks for a healthy call in the log, without which a missing row would mean nothing. It returns [errNoUsageLog] when
// the call is not there.
func (l usageLog) verify(ctx context.Context, o contract.Observation) error {
	if err := l.read(ctx, &o); err != nil {
		return err
	}
	if o.Balance == nil || o.Balance.Before == 0 {
		return errNoUsageLog
	}
	return nil
}

// read adds what the log has of a call to its observation.
func (l usageLog) read(ctx context.Context, o *contract.Observation) error {
	ids := o.Header[requestIDHeader]
	if len(ids) == 0 || ids[0] == "" {
		return nil
	}
	for n := 1; ; n++ {
		rows, err := l.rows(ctx, ids[0])
		if err != nil {
			return err
		}
		if len(rows) > 0 || o.Status >= http.StatusBadRequest || n == usageLogReads {
			addCosts(rows, o)
			return nil
		}
		if err := l.admin.wait(ctx, usageLogInterval<<(n-1)); err != nil {
			return err
		}
	}
}

func (l usageLog) rows(ctx context.Context, id string) (items[logRow], error) {
	query := url.Values{"p": {"1"}, "page_size": {"20"}, "request_id": {id}}
	var rows items[logRow]
	err := l.admin.call(ctx, http.MethodGet, "/api/log/?"+query.Encode(), nil, &rows)
	return rows, err
}

// addCosts adds rows to an observation. The log has the amount charged and no balances: only the difference of the two
// balances counts.
func addCosts(rows []logRow, o *contract.Observation) {
	var texts []string
	var charged float64
	for _, r := range rows {
		switch r.Type {
		case chargedRow:
			charged += r.Quota
			texts = append(texts, fmt.Sprintf("charged %g%s", r.Quota, r.streamEnd()))
		case errorRow:
			texts = append(texts, "failed"+r.failure())
		}
	}
	o.GatewayLog = strings.Join(texts, "; ")
	o.Balance = &contract.Balance{Before: charged}
}

// streamEnd is how the gateway says that a stream ended, "" when it does not say or the stream was complete.
func (r logRow) streamEnd() string {
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

func (r logRow) failure() string {
	var other struct {
		Code   string `json:"error_code"`
		Status int    `json:"status_code"`
	}
	if json.Unmarshal([]byte(r.Other), &other) != nil {
		return ""
	}
	return fmt.Sprintf(" with %s (%d)", other.Code, other.Status)
}
