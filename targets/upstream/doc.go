// Package upstream is the mock upstream: an LLM API that stands behind a gateway under test and fails on request.
//
// It speaks the protocols of OpenAI (chat/completions, completions, responses, embeddings, models), Anthropic (messages) and Gemini (generateContent,
// streamGenerateContent, embedContent, batchEmbedContents), streaming and not. It matches the end of a path, so it works below any base path. It
// validates requests as the real APIs do and answers with complete, healthy responses, unless the prompt contains a directive:
//
//	[[gatecert token=abc status=503 body=html]]
//
// Because the prompt contains the directive, the upstream keeps no state between requests. Any gateway that can route one model to the upstream can
// therefore be tested with every upstream failure, at any concurrency. [Directive] is the Go form of a directive, and [Vocabulary] explains its
// words, as gatecert list directives prints them. Event numbers count server-sent events, or the elements of Gemini's JSON array.
//
// Text values are URL-encoded. A directive that cannot be followed is never ignored: unknown, repeated or contradictory words, and words that do
// not fit the request (the ninth event of a stream of six, or of a response that is not a stream), cause a 421, which is also recorded. A request
// that a real API would refuse is refused before its directive is followed.
//
// Attempts are recorded by token. [Upstream.Seen] returns them in the same process, [Remote] from another one, with GET /_gatecert/seen/{token}.
// [Listen] serves an upstream over TCP. Behind any other http.Server, hanging requests end only when the gateway closes the connection.
package upstream
