// Package upstream is the mock upstream: an LLM API that stands behind a gateway under test and fails on request.
//
// It speaks the protocols of OpenAI (chat/completions, completions, responses, embeddings, models), Anthropic (messages)
// and Gemini (generateContent, streamGenerateContent, embedContent, batchEmbedContents), streaming and not. It matches the end
// of a path, so it works below any base path. It validates requests as the real APIs do and answers with complete, healthy
// responses, unless the prompt has a directive:
//
//	[[gatecert token=abc status=503 body=html]]
//
// The directive travels in the prompt, so the upstream keeps no state between requests, and any gateway that can route one model
// to it can be tested against every upstream failure, at any concurrency. [Directive] is its Go form. These are its words, which
// [Vocabulary] lists too (n counts server-sent events, or the elements of Gemini's JSON array):
//
//	token=abc                 record the request under this token
//	status=503                respond with this status; an error object from 400 on, an empty body for 3xx
//	body=error                the protocol's own error object, whatever the status
//	body=foreign|html|text    JSON that is not an error object, an HTML page, a line of text
//	body=empty                an empty body
//	body=broken-json|null     half of a healthy response, the JSON value null
//	no-choices                200 without choices, content, candidates or vectors
//	empty-stream              200 and a stream without events
//	refuse                    a refusal on policy grounds, in the protocol's own way
//	hang                      send nothing at all
//	reset                     send a TCP RST instead of responding
//	close                     end the connection instead of responding
//	stall                     half of the response, then silence
//	stall-after=n             n events, then silence
//	cut-after=n               n events, then close the connection
//	end-after=n               n events, then end the transfer properly, without finish
//	error-after=n             n events, then the protocol's error event, then the end
//	no-done                   everything but the end marker ([DONE], message_stop)
//	truncate=length           half of the body that Content-Length announces
//	truncate=chunk            half of the body in chunks, without the last chunk
//	truncate=gzip             half of a gzip body in a complete transfer
//	broken-event=n            the n-th event, from 1, is broken JSON
//	chunks=n                  n content deltas in a healthy response; default 3
//	delay=250ms               wait before the response header
//	gap=250ms                 wait between events
//	crlf                      CR LF line ends in the event stream
//	comments                  a keep-alive comment before every event
//	retry-after=30            a Retry-After header field
//	header=Name:value         any other header field, repeatable
//	code= type= message=      replace these fields of the error object
//
// Text values are query-escaped. A directive that cannot be followed is never ignored: unknown, repeated or contradictory words,
// and words that do not fit the request (the ninth event of a stream of six, or of a response that is not a stream), get a 421,
// which is recorded too. A request that a real API would refuse is refused before its directive is followed.
//
// Attempts are recorded by token. [Upstream.Seen] returns them in the same process, [Remote] from another one, with
// GET /_gatecert/seen/{token}. [Listen] serves an upstream over TCP. Behind any other http.Server, hanging requests end only
// when the gateway closes the connection.
package upstream
