package contract

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestTheActionOfARowFollowsFromItsAdvice compares the data with the words of the tables.
func TestTheActionOfARowFollowsFromItsAdvice(t *testing.T) {
	for _, row := range Rows() {
		want := RetryNo
		if row.Table == 2 && strings.HasPrefix(row.Advice, "Retry") || row.ID == "http:429" || row.ID == "http:5xx" {
			want = RetryYes
		}
		got := row.Action()
		assert.Equal(t, want, got.Retry, "%s: %q", row.ID, row.Advice)
		assert.Equal(t, want == RetryYes, got.Wait, row.ID)
		assert.Equal(t, row.Table == 2, got.Code, row.ID)
	}
}

func TestStatusesThatARowAllows(t *testing.T) {
	for _, tt := range []struct {
		row             RowID
		status          int
		allowed, warned bool
	}{
		{"code:insufficient_user_quota", 403, true, false},
		{"code:insufficient_user_quota", 402, true, true},
		{"code:insufficient_user_quota", 429, true, true},
		{"code:insufficient_user_quota", 500, false, false},
		{"code:model_not_found", 404, true, false},
		{"code:model_not_found", 400, false, false},
		{"code:channel:invalid_key", 502, true, false},
		{"code:channel:invalid_key", 403, false, false},
		{"http:429", 429, true, false},
		{"http:429", 403, false, false},
	} {
		row, _ := RowByID(tt.row)
		allowed, warned := row.Status.Allows(tt.status)
		assert.Equal(t, tt.allowed, allowed, "%s %d", tt.row, tt.status)
		assert.Equal(t, tt.warned, warned, "%s %d", tt.row, tt.status)
	}
}
