package histogram

import (
	"encoding/binary"
	"errors"
	"math"
)

// ErrBinary is returned for bytes that are not a histogram.
var ErrBinary = errors.New("not a histogram")

// maxTotal bounds how many values a histogram that was read may have. No load sends as many, and sums of them do not overflow.
const maxTotal = 1 << 50

// AppendBinary appends the encoded histogram to b: for each bar that has values, the distance from the previous bar and the count, as varints. Each
// bar takes 3 to 8 bytes.
func (h histogram) AppendBinary(b []byte) []byte {
	last := int64(0)
	for _, bar := range h.Bars() {
		b = binary.AppendUvarint(b, uint64(bar.From-last)) //nolint:gosec // bars ascend
		b = binary.AppendUvarint(b, bar.Count)
		last = bar.From
	}
	return b
}

// addBinary adds the values of a histogram that [histogram.AppendBinary] has written. It adds none where it returns [ErrBinary].
func (h *histogram) addBinary(data []byte, b bounds) error {
	if err := eachBar(data, b, func(int64, int64) {}); err != nil {
		return err
	}
	return eachBar(data, b, func(value, n int64) { h.add(value, n, b) })
}

func eachBar(data []byte, b bounds, visit func(value, n int64)) error {
	value, total, high := uint64(0), uint64(0), uint64(b.high) //nolint:gosec // it is positive
	for len(data) > 0 {
		distance, read := binary.Uvarint(data)
		if read <= 0 {
			return ErrBinary
		}
		n, more := binary.Uvarint(data[read:])
		value += distance
		total += n
		if more <= 0 || distance > math.MaxInt64 || value > high || n > maxTotal || total > maxTotal {
			return ErrBinary
		}
		data = data[read+more:]
		visit(int64(value), int64(n)) //nolint:gosec // checked
	}
	return nil
}

// AddBinary adds the durations of a histogram that AppendBinary has encoded. The result is exactly that of [Histogram.Merge]. If data is not such a
// histogram, AddBinary adds nothing and returns [ErrBinary].
func (h *Histogram) AddBinary(data []byte) error { return h.addBinary(data, durations) }

// AddBinary adds the numbers of a histogram that AppendBinary has encoded. If data is not such a histogram, AddBinary adds nothing and returns
// [ErrBinary].
func (c *Counts) AddBinary(data []byte) error { return c.addBinary(data, counts) }
