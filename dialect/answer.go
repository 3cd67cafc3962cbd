package dialect

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Answer is a successful response before it is encoded in an API format.
type Answer struct {
	// Request contains the parts of the request that affect the form of the response, such as encoding_format.
	Request Object
	Model   string
	ID      string // the part that is unique in all ids of the response
	Created int64  // Unix time in seconds
	// Pieces are the pieces of the response text; each stream event carries one. An empty response has none.
	Pieces []string
	// Kind is the kind of pieces in a stream. A response that is not a stream always contains text.
	Kind PieceKind
	// Vectors are the vectors in the response to an embeddings call. If Vectors is nil and there are pieces, vectors are generated.
	Vectors [][]float64
	End
	// Extra contains members to add to the response, or to the first object of a stream.
	Extra Object
}

// PieceKind is the kind of content in the pieces of a streamed response.
type PieceKind int

// The kinds of pieces. The kinds other than [Text] are only for streams that break off: writers cannot finish a stream of them.
const (
	Text      PieceKind = iota
	ToolCall            // pieces of the arguments of one tool call
	Reasoning           // pieces of the model's reasoning before it answers
)

// CanStream reports whether an operation's streams can contain pieces of this kind.
func CanStream(op StreamingOperation, kind PieceKind) bool {
	_, legacy := op.(completions)
	return kind == Text || !legacy
}

// toolName is the tool that a [ToolCall] calls.
const toolName = "look_up"

// End is the information that is available when a response ends.
type End struct {
	// Finish defaults to [FinishStop]. [FinishFilter] without any pieces means that the prompt was refused.
	Finish                         Finish
	PromptTokens, CompletionTokens int
}

// Finish is the reason why a response ended, in OpenAI's words.
type Finish string

// The reasons that every format can express. The formats have further reasons; gatecert treats those like [FinishStop].
const (
	FinishStop   Finish = "stop"           // the model finished, or produced a stop sequence
	FinishLength Finish = "length"         // the token limit was reached
	FinishFilter Finish = "content_filter" // the content policy cut it short
)

func (e End) finish() Finish { return cmp.Or(e.Finish, FinishStop) }

func (a Answer) refused() bool { return a.Finish == FinishFilter && len(a.Pieces) == 0 }

// text is the whole answer in one piece.
func (a Answer) text() string { return strings.Join(a.Pieces, "") }

// extended adds the extra members to an object.
func (a Answer) extended(o Object) Object {
	maps.Copy(o, a.Extra)
	return o
}

// StreamWriter writes one response as events: Open, any number of pieces, then Close.
type StreamWriter interface {
	Open() []Event
	Piece(text string) []Event
	Close(e End) []Event
}

// Event is one event of a stream.
type Event struct {
	Name string // the event field, or "" if there is none
	Data []byte
	// Finish is set if this event completes the response.
	Finish bool
}

// Bytes returns the event as it is sent (WHATWG HTML 9.2.6). Data must not contain line breaks.
func (e Event) Bytes() []byte {
	var b []byte
	if e.Name != "" {
		b = append(b, "event: "+e.Name+"\n"...)
	}
	return append(append(append(b, "data: "...), e.Data...), "\n\n"...)
}

// Stream is a response as a sequence of events.
type Stream struct {
	Events []Event
	// Content is the index of the first event with content, or of the event that replaces it.
	Content int
	// Finish is the index of the first event that marks the response as complete.
	Finish int
	// EndMarker is set if the last event is only an end marker.
	EndMarker bool
	// Array is set if the events are sent as the elements of one JSON array instead of as server-sent events.
	Array bool
}

// wholeStream is what w writes for an answer that is known from the start.
func wholeStream(w StreamWriter, a Answer) Stream {
	events := w.Open()
	content := len(events)
	for i, text := range a.Pieces {
		events = append(events, w.Piece(text)...)
		if i == 0 {
			content = len(events) - 1 // its last event: those before it announce the content
		}
	}
	events = append(events, w.Close(a.End)...)
	finish := slices.IndexFunc(events, func(e Event) bool { return e.Finish })
	return Stream{Events: events, Content: content, Finish: finish, EndMarker: finish < len(events)-1}
}
