package load

import (
	"bytes"
	"sync"
	"time"

	"github.com/gatecert/gatecert/dialect"
)

// streamReader follows the events of a stream as they come, and notes when each of them added to the answer. It looks at each byte
// about once, however small the pieces are in which the stream comes.
type streamReader struct {
	marks  dialect.PieceMarks
	finish dialect.FinishMarks
	// from is where the event begins that is not complete yet; before searched no event ends.
	from, searched int
	streamTimes
	folded folded
	// whole says that nothing may be folded any more: after an error, or after the end, every event counts.
	whole bool
}

// folded is what a long stream said in events that are not kept: a stream of 10,000 tokens takes 2 MB, and its text 40 KB.
type folded struct {
	// after is how much of the body came before the first event whose text is in text; 0 when nothing was folded.
	after int
	// text is that of all events from there on which add to the answer, those that are kept too.
	text []byte
}

// wholeStream is how many bytes of a stream are kept as they came. Most streams of a load test are longer, and whatever they do wrong
// shows in their first events, in their last, or in one that is not a plain piece of the answer.
const wholeStream = 2 << 10

// streamTimes is when the events of a stream came. Instants are zero when there was no such one.
type streamTimes struct {
	// firstEvent is when the first event with data was complete, firstPiece and lastPiece when the first and the last one that
	// added to the answer were.
	firstEvent, firstPiece, lastPiece time.Time
	// pieces counts the events that added to the answer, stall is the longest time between two of them.
	pieces int
	stall  time.Duration
	// gaps are the times between them; nil where there are none. Whoever reads them gives them back.
	gaps *gaps
}

// gaps are the times between the pieces of one stream, in microseconds. 256 tokens take 1 KB.
type gaps struct{ micros []uint32 }

// maxGaps bounds the gaps of one stream that are kept. The body of a stream is bounded too: more than these are not tokens.
const maxGaps = 1 << 15

// gapPool keeps the memory of gaps: each stream gives back what it took.
var gapPool = sync.Pool{New: func() any { return &gaps{micros: make([]uint32, 0, 256)} }} //nolint:gochecknoglobals // memory, no state

// release gives the gaps back.
func (g *gaps) release() {
	if g != nil {
		g.micros = g.micros[:0]
		gapPool.Put(g)
	}
}

// reset forgets the last stream. Gaps that nobody has taken are given back.
func (r *streamReader) reset() {
	r.gaps.release()
	*r = streamReader{marks: r.marks, finish: r.finish, folded: folded{text: r.folded.text[:0]}}
}

// read looks at what has come of a stream by an instant, and returns what is kept of it. stream begins with what the call before
// returned.
func (r *streamReader) read(stream []byte, now time.Time) []byte {
	kept := r.from
	for {
		end, next := eventEnd(stream, r.searched)
		if end < 0 {
			break
		}
		event := stream[r.from:end]
		piece := r.event(event, now)
		r.whole = r.whole || dialect.MayFail(event) || r.finish.In(event)
		fold := kept >= wholeStream && len(piece) > 0 && next-end == len("\n\n") && !r.whole && isPlain(event)
		if fold && r.folded.after == 0 {
			r.folded.after = kept
		}
		if r.folded.after > 0 && len(piece) > 0 {
			r.folded.text = append(r.folded.text, dialect.Unescape(piece)...)
		}
		if !fold {
			if kept < r.from {
				copy(stream[kept:], stream[r.from:next])
			}
			kept += next - r.from
		}
		r.from, r.searched = next, next
	}
	r.searched = max(r.from, len(stream)-len("\r\n\r"))
	if shift := r.from - kept; shift > 0 {
		stream = append(stream[:kept], stream[r.from:]...)
		r.from, r.searched = kept, r.searched-shift
	}
	return stream
}

// isPlain reports whether a complete event is in the form in which [isCompleteStream] accepts it.
func isPlain(event []byte) bool {
	if bytes.HasPrefix(event, []byte("event: ")) {
		line := bytes.IndexByte(event, '\n')
		event = event[line+1:] // the whole of it where there is no second line
	}
	data, found := bytes.CutPrefix(event, []byte("data: "))
	return found && bytes.IndexByte(data, '\n') < 0 && dialect.IsCertainJSON(data)
}

// eventEnd returns where the first event ends at or after a place, and where the next one begins; -1 when it has no end yet.
func eventEnd(stream []byte, from int) (end, next int) {
	end = -1
	for at := from; ; {
		i := bytes.IndexByte(stream[at:], '\n')
		if i < 0 {
			break
		}
		at += i
		if at+1 < len(stream) && stream[at+1] == '\n' {
			end, next = at, at+2
			break
		}
		if at > 0 && stream[at-1] == '\r' && at+2 < len(stream) && stream[at+1] == '\r' && stream[at+2] == '\n' {
			end, next = at-1, at+3
			break
		}
		at++
	}
	// A carriage return alone ends a line too (WHATWG HTML 9.2.6), and hardly anybody writes it.
	before := stream[from:]
	if end >= 0 {
		before = stream[from:end]
	}
	if i := bytes.Index(before, []byte("\r\r")); i >= 0 {
		return from + i, from + i + 2
	}
	return end, next
}

// event notes one complete event, and returns what it adds to the answer, escaped as in JSON; nil for nothing.
func (r *streamReader) event(event []byte, now time.Time) []byte {
	const field = "data:"
	_, after, ok := bytes.Cut(event, []byte(field))
	if !ok {
		return nil // a comment
	}
	if r.firstEvent.IsZero() {
		r.firstEvent = now
	}
	piece, ok := r.marks.In(after)
	if !ok {
		return nil
	}
	r.pieces++
	if r.firstPiece.IsZero() {
		r.firstPiece, r.lastPiece = now, now
		return piece
	}
	gap := now.Sub(r.lastPiece)
	r.lastPiece, r.stall = now, max(r.stall, gap)
	if r.gaps == nil {
		r.gaps, _ = gapPool.Get().(*gaps)
	}
	if len(r.gaps.micros) < maxGaps {
		r.gaps.micros = append(r.gaps.micros, uint32(min(gap.Microseconds(), 1<<32-1))) //nolint:gosec // bounded
	}
	return piece
}

// eachPiece calls visit with the text of each event of a complete stream that adds to the answer.
func eachPiece(marks dialect.PieceMarks, stream []byte, visit func(text string)) {
	for from := 0; ; {
		end, next := eventEnd(stream, from)
		if end < 0 {
			return
		}
		if _, data, found := bytes.Cut(stream[from:end], []byte("data:")); found {
			if piece, ok := marks.In(data); ok {
				visit(dialect.Unescape(piece))
			}
		}
		from = next
	}
}
