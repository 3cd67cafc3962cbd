package upstream

import "time"

// Word explains one word of a directive.
type Word struct {
	Name string
	// Values describes the permitted values after "=". "" means that the word has no value.
	Values   string
	Sentence string
}

// Vocabulary returns every word of a directive, in the order in which [Directive.String] writes them.
func Vocabulary() []Word {
	words := vocabulary()
	explained := make([]Word, len(words))
	for i, w := range words {
		explained[i] = w.Word
	}
	return explained
}

const (
	maxCount   = 10_000
	maxHeaders = 16
	maxToken   = 64 // bytes
	maxWait    = 10 * time.Minute

	countValues    = "0 … 10000"
	positiveValues = "1 … 10000"
	durationValues = "a duration up to 10m, such as 250ms"
	textValues     = "text, URL-encoded"
)

func vocabulary() []word {
	return append([]word{
		tokenWord(),
		intWord("status", "200 … 599 except 421", "Respond with this status. For a status of 400 or above, the body is the API format's own error object; for 3xx, the body is empty. To send a different body, use the word body.",
			200, 599, func(d *Directive) *int { return &d.Status }),
		bodyWord(),
		contentWord(NoChoices, "Respond with 200 but without choices, content, candidates or vectors; a stream has a start and a finish but no content."),
		contentWord(EmptyStream, "Respond with 200 and an event stream that contains no events."),
		contentWord(Refusal, "Refuse the prompt on policy grounds, in the API format's own form and with its own status."),
		contentWord(ToolCall, "Stream the arguments of a tool call. Must be combined with a word that stops the stream early, such as cut-after."),
		contentWord(Reasoning, "Stream the model's reasoning. Must be combined with a word that stops the stream early, such as cut-after."),
		contentWord(Redirect, "Redirect with 307 to another host name of this upstream, and record whether the gateway sends its key to that host name."),
		flagWord("gzip", "Compress the body (Content-Encoding: gzip), unless the request's Accept-Encoding excludes gzip.",
			func(d *Directive) *bool { return &d.Gzip }),
		endingWord(Hang, "Send nothing until the client gives up."),
		endingWord(Reset, "Reset the connection (TCP RST) instead of responding."),
		endingWord(Close, "Close the connection instead of responding."),
		endingWord(Stall, "Send half of the response, then nothing until the client gives up."),
		afterWord(StallAfter, "Send n stream events, then nothing until the client gives up."),
		afterWord(CutAfter, "Send n stream events, then close the connection."),
		afterWord(EndAfter, "Send n stream events, then end the transfer properly, without a finish event or an end marker."),
		endingWord(ErrorFirst, "Send the stream events that precede the first content, then the API format's own error event, then end the stream."),
		afterWord(ErrorAfter, "Send n stream events, then the API format's own error event, then end the stream."),
		afterWord(WithErrorAfter, "Send n stream events, then a content event that also contains an error object, then end the stream."),
		endingWord(NoDone, "Send the content and the finish event but not the end marker ([DONE] or message_stop). Not allowed on streams that have no end marker."),
		truncateWord(),
		intWord("broken-event", positiveValues, "Cut the JSON of the n-th stream event in half.",
			1, maxCount, func(d *Directive) *int { return &d.Events.Broken }),
		intWord("chunks", positiveValues, "Split the content into n deltas. Default 3.",
			1, maxCount, func(d *Directive) *int { return &d.Events.Chunks }),
		durationWord("delay", "Wait this long before sending the response header or, with close or reset, before ending the connection.", func(d *Directive) *time.Duration { return &d.Delay }),
		durationWord("gap", "Wait this long between stream events.", func(d *Directive) *time.Duration { return &d.Events.Gap }),
		flagWord("crlf", "End the lines of the event stream with CR LF.", func(d *Directive) *bool { return &d.Events.CRLF }),
		flagWord("comments", "Put a keep-alive comment before every stream event.", func(d *Directive) *bool { return &d.Events.Comments }),
		textWord("retry-after", "Add a Retry-After header with this value.", fieldValue, func(d *Directive) *string { return &d.RetryAfter }),
		headerWord(),
		textWord("code", "Replace the code of the error object (in Gemini's format, the reason in its details).", plainText, func(d *Directive) *string { return &d.Error.Code }),
		intWord("code-number", positiveValues, "Use this number as the code of the error object.",
			1, maxCount, func(d *Directive) *int { return &d.Error.Number }),
		textWord("type", "Replace the type of the error object (in Gemini's format, its status).", plainText, func(d *Directive) *string { return &d.Error.Type }),
		textWord("message", "Replace the message of the error object.", plainText, func(d *Directive) *string { return &d.Error.Message }),
	}, modelWords()...)
}
