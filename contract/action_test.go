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

// TestNamedStatusesAreOnlyWarnedOf holds the statuses that a row names to its rule.
func TestNamedStatusesAreOnlyWarnedOf(t *testing.T) {
	quota, _ := RowByID("code:insufficient_user_quota")
	assert.Equal(t, []int{402, 429}, quota.Named())
	for _, row := range Rows() {
		for _, status := range row.Named() {
			assert.False(t, row.Status.Accepts(status), "%s %d", row.ID, status)
			assert.Contains(t, row.Status.Classes, status/100, row.ID)
			assert.Equal(t, Derived, row.Status.Basis, row.ID)
			assert.NotContains(t, row.Status.Never, status, row.ID)
		}
	}
}
