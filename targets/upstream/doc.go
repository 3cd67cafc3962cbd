// Package upstream plays the LLM provider that stands behind a gateway under test.
//
// It speaks three protocols, streaming and not: OpenAI (chat/completions, completions, responses, embeddings, models),
// Anthropic (messages) and Gemini (generateContent, streamGenerateContent, embedContent, batchEmbedContents). It
// matches the end of a path, so any base path works. It validates as the real providers do and answers with complete,
// healthy answers, unless the prompt says otherwise:
//
//	[[gatecert token=abc status=503 body=html]]
//
// Such a directive rides in the prompt, so the upstream needs no state, and any gateway that can route one model to it
// can be brought into every trouble a provider can make, at any concurrency. [Directive] is its Go form. The words, as
// [Vocabulary] lists them (n counts server-sent events, or the elements of Gemini's JSON array):
//
//	token=abc                 record what is seen under this token
//	status=503                answer with this status; an error object from 400 on, nothing for 3xx
//	body=error                the protocol's own error object, whatever the status
//	body=foreign|html|text    JSON without an error object, a page, a line
//	body=empty                no byte
//	body=broken-json|null     half a healthy answer, the value null
//	no-choices                200 without choices, content, candidates or vectors
//	empty-stream              200 and a stream without an event
//	refuse                    a refusal on policy grounds in the protocol's own way
//	hang                      never a head
//	reset                     TCP RST in place of an answer
//	close                     the connection closes in place of an answer
//	stall                     half of the answer, then silence
//	stall-after=n             n events, then silence
//	cut-after=n               n events, then the connection breaks
//	end-after=n               n events, then an orderly end without finish
//	error-after=n             n events, then the protocol's error event, then the end
//	no-done                   all but the end marker ([DONE], message_stop)
//	truncate=length           half of what Content-Length promises
//	truncate=chunk            half in chunks, no last chunk
//	truncate=gzip             half of a gzip body in an orderly transfer
//	broken-event=n            the n-th event, from 1, is broken JSON
//	chunks=n                  n content deltas in a healthy answer, in place of 3
//	delay=250ms               wait before the head
//	gap=250ms                 wait between events
//	crlf                      CR LF in the event stream
//	comments                  a keep-alive comment before every event
//	retry-after=30            a Retry-After field
//	header=Name:value         any other field, repeatable
//	code= type= message=      replace the fields of the error object
//
// Text values are query-escaped. What cannot be obeyed is never passed over: unknown, repeated or contradictory words,
// and words that do not fit the request (the ninth event of a stream of six, or of no stream at all), get a 421, which
// also stands in the record. A request that a real provider would refuse is refused before its directive is obeyed.
//
// What arrived is remembered by token: [Upstream.Seen] in the same process, [Remote] from another one, over
// GET /_gatecert/seen/{token}. [Listen] serves an upstream over TCP; behind another http.Server, hung requests end
// only when the gateway leaves.
package upstream
