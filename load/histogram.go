package load

import "github.com/gatecert/gatecert/internal/histogram"

// Histogram is a distribution of durations: an HDR histogram from 1 µs to 1 h with three significant digits, so that a quantile is off by at most
// 0.1 %. The zero value is empty. It is not safe for concurrent use.
type Histogram = histogram.Histogram

type bar = histogram.Bar

// Counts is a histogram of the same kind for whole numbers from 0 to 100 million: tokens, and thousandths of tokens
// per second.
type Counts = histogram.Counts
