package dialect

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// Answer is a success before it takes the form of an API.
type Answer struct {
	// Request holds what the form of the answer depends on, such as encoding_format.
	Request Object
	Model   string
	ID      string // the part of all ids in the answer that is unique
	Created int64  // Unix time in seconds
	// Pieces are the pieces of the answer's text, of which one stream event carries each; none for an empty answer.
	Pieces []string
	// Kind is what the pieces of a stream are; whole answers are text.
	Kind PieceKind
	// Vectors are the answer to an embeddings call. Where they are nil and there are pieces, vectors are made up.
	Vectors [][]float64
	End
	// Extra are members to add to the answer, or to the first object of a stream.
	Extra Object
}

// PieceKind is what the pieces of a streamed answer are.
type PieceKind int

// The kinds of pieces. Those after the first are written for streams that break off: no writer finishes them.
const (
	Text      PieceKind = iota
	ToolCall            // pieces of the arguments of one tool call
	Reasoning           // pieces of what the model thinks before it answers
)

// CanStream reports whether an operation has such pieces in its streams.
func CanStream(op StreamingOperation, kind PieceKind) bool {
	_, legacy := op.(completions)
	return kind == Text || !legacy
}

// toolName is the tool that a [ToolCall] calls.
const toolName = "look_up"

// End is what is known when an answer ends.
type End struct {
	// Finish is [FinishStop] when it is "". [FinishFilter] without any piece means that the prompt was refused.
	Finish                         Finish
	PromptTokens, CompletionTokens int
}

// Finish is why an answer ended, in OpenAI's words.
type Finish string

// The reasons that every format has a word for. The formats have more; those end an answer like [FinishStop].
const (
	FinishStop   Finish = "stop"           // the model was done, or met a stop sequence
	FinishLength Finish = "length"         // the token limit was met
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

// StreamWriter writes one answer as events: Open, any number of pieces, Close.
type StreamWriter interface {
	Open() []Event
	Piece(text string) []Event
	Close(e End) []Event
}

// Event is one event of a stream.
type Event struct {
	Name string // the event field, "" for none
	Data []byte
	// Finish says that the answer is complete with this event.
	Finish bool
}

// Bytes returns the event as it is sent (WHATWG HTML 9.2.6). Data must be one line.
func (e Event) Bytes() []byte {
	var b []byte
	if e.Name != "" {
		b = append(b, "event: "+e.Name+"\n"...)
	}
	return append(append(append(b, "data: "...), e.Data...), "\n\n"...)
}

// Stream is an answer as events.
type Stream struct {
	Events []Event
	// Content is the index of the first event with content, or of the event in its place.
	Content int
	// Finish is the index of the first event that says the answer is complete.
	Finish int
	// EndMarker says that the last event is a mere end marker.
	EndMarker bool
	// Array frames the events as the elements of one JSON array in place of server-sent events.
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
