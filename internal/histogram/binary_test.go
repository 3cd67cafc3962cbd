package histogram

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBinaryIsExact(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var h, merged Histogram
	var c, both Counts
	for range 5000 {
		h.Add(time.Duration(random.ExpFloat64() * float64(50*time.Millisecond)))
		c.Add(random.Int64N(1 << random.IntN(27)))
	}
	h.Add(0)
	h.Add(2 * time.Hour)
	for range 2 { // added twice: each bar doubles
		require.NoError(t, merged.AddBinary(h.AppendBinary(nil)))
		require.NoError(t, both.AddBinary(c.AppendBinary(nil)))
	}
	twice, twiceCounts := h, c
	twice.hdr, twiceCounts.hdr = nil, nil
	for range 2 {
		twice.Merge(h)
		twiceCounts.Merge(c)
	}
	assert.Equal(t, twice.Bars(), merged.Bars())
	assert.Equal(t, twiceCounts.Bars(), both.Bars())
	assert.Equal(t, twice.Mean(), merged.Mean())
	assert.Equal(t, twice.Max(), merged.Max())
}

func TestBinaryOfStrangers(t *testing.T) {
	for name, data := range map[string][]byte{
		"half a number":        {0x80},
		"a value alone":        {1},
		"more than an hour":    binary.AppendUvarint(binary.AppendUvarint(nil, uint64(2*time.Hour)), 1),
		"a count too large":    binary.AppendUvarint(binary.AppendUvarint(nil, 1), 1<<51),
		"counts that overflow": binary.AppendUvarint(binary.AppendUvarint(binary.AppendUvarint(binary.AppendUvarint(nil, 1), 1<<50), 1), 1<<50),
	} {
		var h Histogram
		h.Add(time.Second)
		require.ErrorIs(t, h.AddBinary(data), ErrBinary, name)
		assert.Equal(t, uint64(1), h.Count(), "%s: nothing was added", name)
	}
}

func FuzzBinary(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, data []byte) {
		var h, again Histogram
		if h.AddBinary(data) != nil {
			return
		}
		require.NoError(t, again.AddBinary(h.AppendBinary(nil)))
		assert.Equal(t, h.Bars(), again.Bars())
	})
}
