Feature: Table 2: upstream codes

  The upstream can fail in many ways. In each case, the client receives an error that leaks no internals and whose
  code identifies the failure.

  Rule: code:do_request_failed - "Upstream request failed", what to do: "Retry"

    Scenario Outline: <case>
      Given the circumstance "unreachable-upstream": the provider refuses, resets or cannot be resolved
      When a client calls "<surface>" with variant "<variant>"
      Then the status is 5xx
      And the error code is "do_request_failed"
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is called no more often than limits.attempts allows, and no other caller is affected
      And the request is not billed

      Examples: reset - the upstream resets the connection
        | case                                                               | surface          | variant |
        | code:do_request_failed/unreachable-upstream/chat/reset             | chat             | reset   |
        | code:do_request_failed/unreachable-upstream/chat-stream/reset      | chat-stream      | reset   |
        | code:do_request_failed/unreachable-upstream/completions/reset      | completions      | reset   |
        | code:do_request_failed/unreachable-upstream/responses/reset        | responses        | reset   |
        | code:do_request_failed/unreachable-upstream/responses-stream/reset | responses-stream | reset   |
        | code:do_request_failed/unreachable-upstream/embeddings/reset       | embeddings       | reset   |
        | code:do_request_failed/unreachable-upstream/images/reset           | images           | reset   |
        | code:do_request_failed/unreachable-upstream/speech/reset           | speech           | reset   |
        | code:do_request_failed/unreachable-upstream/transcriptions/reset   | transcriptions   | reset   |
        | code:do_request_failed/unreachable-upstream/moderations/reset      | moderations      | reset   |
        | code:do_request_failed/unreachable-upstream/rerank/reset           | rerank           | reset   |
        | code:do_request_failed/unreachable-upstream/messages/reset         | messages         | reset   |
        | code:do_request_failed/unreachable-upstream/messages-stream/reset  | messages-stream  | reset   |
        | code:do_request_failed/unreachable-upstream/count-tokens/reset     | count-tokens     | reset   |
        | code:do_request_failed/unreachable-upstream/gemini/reset           | gemini           | reset   |
        | code:do_request_failed/unreachable-upstream/gemini-stream/reset    | gemini-stream    | reset   |

      Examples: closed - the upstream closes the connection without a response
        | case                                                                | surface          | variant |
        | code:do_request_failed/unreachable-upstream/chat/closed             | chat             | closed  |
        | code:do_request_failed/unreachable-upstream/chat-stream/closed      | chat-stream      | closed  |
        | code:do_request_failed/unreachable-upstream/completions/closed      | completions      | closed  |
        | code:do_request_failed/unreachable-upstream/responses/closed        | responses        | closed  |
        | code:do_request_failed/unreachable-upstream/responses-stream/closed | responses-stream | closed  |
        | code:do_request_failed/unreachable-upstream/embeddings/closed       | embeddings       | closed  |
        | code:do_request_failed/unreachable-upstream/images/closed           | images           | closed  |
        | code:do_request_failed/unreachable-upstream/speech/closed           | speech           | closed  |
        | code:do_request_failed/unreachable-upstream/transcriptions/closed   | transcriptions   | closed  |
        | code:do_request_failed/unreachable-upstream/moderations/closed      | moderations      | closed  |
        | code:do_request_failed/unreachable-upstream/rerank/closed           | rerank           | closed  |
        | code:do_request_failed/unreachable-upstream/messages/closed         | messages         | closed  |
        | code:do_request_failed/unreachable-upstream/messages-stream/closed  | messages-stream  | closed  |
        | code:do_request_failed/unreachable-upstream/count-tokens/closed     | count-tokens     | closed  |
        | code:do_request_failed/unreachable-upstream/gemini/closed           | gemini           | closed  |
        | code:do_request_failed/unreachable-upstream/gemini-stream/closed    | gemini-stream    | closed  |

    Scenario Outline: <case>
      Given the circumstance "unreachable-upstream": the provider refuses, resets or cannot be resolved
      When a client calls "<surface>" with variant "<variant>"
      Then the status is 5xx
      And the error code is "do_request_failed"
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is not called, and no other caller is affected

      Examples: refused - nothing is listening on the channel's address
        | case                                                                 | surface          | variant |
        | code:do_request_failed/unreachable-upstream/chat/refused             | chat             | refused |
        | code:do_request_failed/unreachable-upstream/chat-stream/refused      | chat-stream      | refused |
        | code:do_request_failed/unreachable-upstream/completions/refused      | completions      | refused |
        | code:do_request_failed/unreachable-upstream/responses/refused        | responses        | refused |
        | code:do_request_failed/unreachable-upstream/responses-stream/refused | responses-stream | refused |
        | code:do_request_failed/unreachable-upstream/embeddings/refused       | embeddings       | refused |
        | code:do_request_failed/unreachable-upstream/images/refused           | images           | refused |
        | code:do_request_failed/unreachable-upstream/speech/refused           | speech           | refused |
        | code:do_request_failed/unreachable-upstream/transcriptions/refused   | transcriptions   | refused |
        | code:do_request_failed/unreachable-upstream/moderations/refused      | moderations      | refused |
        | code:do_request_failed/unreachable-upstream/rerank/refused           | rerank           | refused |
        | code:do_request_failed/unreachable-upstream/messages/refused         | messages         | refused |
        | code:do_request_failed/unreachable-upstream/messages-stream/refused  | messages-stream  | refused |
        | code:do_request_failed/unreachable-upstream/count-tokens/refused     | count-tokens     | refused |
        | code:do_request_failed/unreachable-upstream/gemini/refused           | gemini           | refused |
        | code:do_request_failed/unreachable-upstream/gemini-stream/refused    | gemini-stream    | refused |

  Rule: code:bad_response - "Bad upstream response", what to do: "Retry or contact support"

    Scenario Outline: <case>
      Given the circumstance "bad-upstream-response": the provider answers 200 with something that is not an answer (broken JSON, HTML, an error object)
      When a client calls "<surface>" with variant "<variant>"
      Then the status is 5xx
      And the error code is "bad_response"
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is called no more often than limits.attempts allows, and no other caller is affected
      And the request is not billed

      Examples: broken-json - the upstream returns 200 with malformed JSON
        | case                                                                 | surface          | variant     |
        | code:bad_response/bad-upstream-response/chat/broken-json             | chat             | broken-json |
        | code:bad_response/bad-upstream-response/chat-stream/broken-json      | chat-stream      | broken-json |
        | code:bad_response/bad-upstream-response/completions/broken-json      | completions      | broken-json |
        | code:bad_response/bad-upstream-response/responses/broken-json        | responses        | broken-json |
        | code:bad_response/bad-upstream-response/responses-stream/broken-json | responses-stream | broken-json |
        | code:bad_response/bad-upstream-response/embeddings/broken-json       | embeddings       | broken-json |
        | code:bad_response/bad-upstream-response/images/broken-json           | images           | broken-json |
        | code:bad_response/bad-upstream-response/transcriptions/broken-json   | transcriptions   | broken-json |
        | code:bad_response/bad-upstream-response/moderations/broken-json      | moderations      | broken-json |
        | code:bad_response/bad-upstream-response/rerank/broken-json           | rerank           | broken-json |
        | code:bad_response/bad-upstream-response/messages/broken-json         | messages         | broken-json |
        | code:bad_response/bad-upstream-response/messages-stream/broken-json  | messages-stream  | broken-json |
        | code:bad_response/bad-upstream-response/count-tokens/broken-json     | count-tokens     | broken-json |
        | code:bad_response/bad-upstream-response/gemini/broken-json           | gemini           | broken-json |
        | code:bad_response/bad-upstream-response/gemini-stream/broken-json    | gemini-stream    | broken-json |

      Examples: html - the upstream returns 200 with an HTML page
        | case                                                          | surface          | variant |
        | code:bad_response/bad-upstream-response/chat/html             | chat             | html    |
        | code:bad_response/bad-upstream-response/chat-stream/html      | chat-stream      | html    |
        | code:bad_response/bad-upstream-response/completions/html      | completions      | html    |
        | code:bad_response/bad-upstream-response/responses/html        | responses        | html    |
        | code:bad_response/bad-upstream-response/responses-stream/html | responses-stream | html    |
        | code:bad_response/bad-upstream-response/embeddings/html       | embeddings       | html    |
        | code:bad_response/bad-upstream-response/images/html           | images           | html    |
        | code:bad_response/bad-upstream-response/speech/html           | speech           | html    |
        | code:bad_response/bad-upstream-response/transcriptions/html   | transcriptions   | html    |
        | code:bad_response/bad-upstream-response/moderations/html      | moderations      | html    |
        | code:bad_response/bad-upstream-response/rerank/html           | rerank           | html    |
        | code:bad_response/bad-upstream-response/messages/html         | messages         | html    |
        | code:bad_response/bad-upstream-response/messages-stream/html  | messages-stream  | html    |
        | code:bad_response/bad-upstream-response/count-tokens/html     | count-tokens     | html    |
        | code:bad_response/bad-upstream-response/gemini/html           | gemini           | html    |
        | code:bad_response/bad-upstream-response/gemini-stream/html    | gemini-stream    | html    |

      Examples: error-object - the upstream returns 200 with an error object
        | case                                                                  | surface          | variant      |
        | code:bad_response/bad-upstream-response/chat/error-object             | chat             | error-object |
        | code:bad_response/bad-upstream-response/chat-stream/error-object      | chat-stream      | error-object |
        | code:bad_response/bad-upstream-response/completions/error-object      | completions      | error-object |
        | code:bad_response/bad-upstream-response/responses/error-object        | responses        | error-object |
        | code:bad_response/bad-upstream-response/responses-stream/error-object | responses-stream | error-object |
        | code:bad_response/bad-upstream-response/embeddings/error-object       | embeddings       | error-object |
        | code:bad_response/bad-upstream-response/images/error-object           | images           | error-object |
        | code:bad_response/bad-upstream-response/speech/error-object           | speech           | error-object |
        | code:bad_response/bad-upstream-response/transcriptions/error-object   | transcriptions   | error-object |
        | code:bad_response/bad-upstream-response/moderations/error-object      | moderations      | error-object |
        | code:bad_response/bad-upstream-response/rerank/error-object           | rerank           | error-object |
        | code:bad_response/bad-upstream-response/messages/error-object         | messages         | error-object |
        | code:bad_response/bad-upstream-response/messages-stream/error-object  | messages-stream  | error-object |
        | code:bad_response/bad-upstream-response/count-tokens/error-object     | count-tokens     | error-object |
        | code:bad_response/bad-upstream-response/gemini/error-object           | gemini           | error-object |
        | code:bad_response/bad-upstream-response/gemini-stream/error-object    | gemini-stream    | error-object |

      Examples: null - the upstream returns 200 with the JSON value null
        | case                                                        | surface        | variant |
        | code:bad_response/bad-upstream-response/chat/null           | chat           | null    |
        | code:bad_response/bad-upstream-response/completions/null    | completions    | null    |
        | code:bad_response/bad-upstream-response/responses/null      | responses      | null    |
        | code:bad_response/bad-upstream-response/embeddings/null     | embeddings     | null    |
        | code:bad_response/bad-upstream-response/images/null         | images         | null    |
        | code:bad_response/bad-upstream-response/speech/null         | speech         | null    |
        | code:bad_response/bad-upstream-response/transcriptions/null | transcriptions | null    |
        | code:bad_response/bad-upstream-response/moderations/null    | moderations    | null    |
        | code:bad_response/bad-upstream-response/rerank/null         | rerank         | null    |
        | code:bad_response/bad-upstream-response/messages/null       | messages       | null    |
        | code:bad_response/bad-upstream-response/count-tokens/null   | count-tokens   | null    |
        | code:bad_response/bad-upstream-response/gemini/null         | gemini         | null    |

  Rule: code:bad_response_status_code - "Bad upstream status code", what to do: "Retry or contact support"

    Scenario Outline: <case>
      Given the circumstance "bad-upstream-status": the provider answers with a status that is no success, without a usable error object
      When a client calls "<surface>" with variant "<variant>"
      Then the status is 5xx
      And the error code is "bad_response_status_code"
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is called no more often than limits.attempts allows, and no other caller is affected
      And the request is not billed

      Examples: html-502 - the upstream returns 502 with an HTML page
        | case                                                                        | surface          | variant  |
        | code:bad_response_status_code/bad-upstream-status/chat/html-502             | chat             | html-502 |
        | code:bad_response_status_code/bad-upstream-status/chat-stream/html-502      | chat-stream      | html-502 |
        | code:bad_response_status_code/bad-upstream-status/completions/html-502      | completions      | html-502 |
        | code:bad_response_status_code/bad-upstream-status/responses/html-502        | responses        | html-502 |
        | code:bad_response_status_code/bad-upstream-status/responses-stream/html-502 | responses-stream | html-502 |
        | code:bad_response_status_code/bad-upstream-status/embeddings/html-502       | embeddings       | html-502 |
        | code:bad_response_status_code/bad-upstream-status/images/html-502           | images           | html-502 |
        | code:bad_response_status_code/bad-upstream-status/speech/html-502           | speech           | html-502 |
        | code:bad_response_status_code/bad-upstream-status/transcriptions/html-502   | transcriptions   | html-502 |
        | code:bad_response_status_code/bad-upstream-status/moderations/html-502      | moderations      | html-502 |
        | code:bad_response_status_code/bad-upstream-status/rerank/html-502           | rerank           | html-502 |
        | code:bad_response_status_code/bad-upstream-status/messages/html-502         | messages         | html-502 |
        | code:bad_response_status_code/bad-upstream-status/messages-stream/html-502  | messages-stream  | html-502 |
        | code:bad_response_status_code/bad-upstream-status/count-tokens/html-502     | count-tokens     | html-502 |
        | code:bad_response_status_code/bad-upstream-status/gemini/html-502           | gemini           | html-502 |
        | code:bad_response_status_code/bad-upstream-status/gemini-stream/html-502    | gemini-stream    | html-502 |

      Examples: empty-503 - the upstream returns 503 with an empty body
        | case                                                                         | surface          | variant   |
        | code:bad_response_status_code/bad-upstream-status/chat/empty-503             | chat             | empty-503 |
        | code:bad_response_status_code/bad-upstream-status/chat-stream/empty-503      | chat-stream      | empty-503 |
        | code:bad_response_status_code/bad-upstream-status/completions/empty-503      | completions      | empty-503 |
        | code:bad_response_status_code/bad-upstream-status/responses/empty-503        | responses        | empty-503 |
        | code:bad_response_status_code/bad-upstream-status/responses-stream/empty-503 | responses-stream | empty-503 |
        | code:bad_response_status_code/bad-upstream-status/embeddings/empty-503       | embeddings       | empty-503 |
        | code:bad_response_status_code/bad-upstream-status/images/empty-503           | images           | empty-503 |
        | code:bad_response_status_code/bad-upstream-status/speech/empty-503           | speech           | empty-503 |
        | code:bad_response_status_code/bad-upstream-status/transcriptions/empty-503   | transcriptions   | empty-503 |
        | code:bad_response_status_code/bad-upstream-status/moderations/empty-503      | moderations      | empty-503 |
        | code:bad_response_status_code/bad-upstream-status/rerank/empty-503           | rerank           | empty-503 |
        | code:bad_response_status_code/bad-upstream-status/messages/empty-503         | messages         | empty-503 |
        | code:bad_response_status_code/bad-upstream-status/messages-stream/empty-503  | messages-stream  | empty-503 |
        | code:bad_response_status_code/bad-upstream-status/count-tokens/empty-503     | count-tokens     | empty-503 |
        | code:bad_response_status_code/bad-upstream-status/gemini/empty-503           | gemini           | empty-503 |
        | code:bad_response_status_code/bad-upstream-status/gemini-stream/empty-503    | gemini-stream    | empty-503 |

      Examples: foreign-500 - the upstream returns 500 with JSON that is not an error object
        | case                                                                           | surface          | variant     |
        | code:bad_response_status_code/bad-upstream-status/chat/foreign-500             | chat             | foreign-500 |
        | code:bad_response_status_code/bad-upstream-status/chat-stream/foreign-500      | chat-stream      | foreign-500 |
        | code:bad_response_status_code/bad-upstream-status/completions/foreign-500      | completions      | foreign-500 |
        | code:bad_response_status_code/bad-upstream-status/responses/foreign-500        | responses        | foreign-500 |
        | code:bad_response_status_code/bad-upstream-status/responses-stream/foreign-500 | responses-stream | foreign-500 |
        | code:bad_response_status_code/bad-upstream-status/embeddings/foreign-500       | embeddings       | foreign-500 |
        | code:bad_response_status_code/bad-upstream-status/images/foreign-500           | images           | foreign-500 |
        | code:bad_response_status_code/bad-upstream-status/speech/foreign-500           | speech           | foreign-500 |
        | code:bad_response_status_code/bad-upstream-status/transcriptions/foreign-500   | transcriptions   | foreign-500 |
        | code:bad_response_status_code/bad-upstream-status/moderations/foreign-500      | moderations      | foreign-500 |
        | code:bad_response_status_code/bad-upstream-status/rerank/foreign-500           | rerank           | foreign-500 |
        | code:bad_response_status_code/bad-upstream-status/messages/foreign-500         | messages         | foreign-500 |
        | code:bad_response_status_code/bad-upstream-status/messages-stream/foreign-500  | messages-stream  | foreign-500 |
        | code:bad_response_status_code/bad-upstream-status/count-tokens/foreign-500     | count-tokens     | foreign-500 |
        | code:bad_response_status_code/bad-upstream-status/gemini/foreign-500           | gemini           | foreign-500 |
        | code:bad_response_status_code/bad-upstream-status/gemini-stream/foreign-500    | gemini-stream    | foreign-500 |

      Examples: html-404 - the upstream returns 404 with an HTML page, which is the upstream's fault and not the client's
        | case                                                                        | surface          | variant  |
        | code:bad_response_status_code/bad-upstream-status/chat/html-404             | chat             | html-404 |
        | code:bad_response_status_code/bad-upstream-status/chat-stream/html-404      | chat-stream      | html-404 |
        | code:bad_response_status_code/bad-upstream-status/completions/html-404      | completions      | html-404 |
        | code:bad_response_status_code/bad-upstream-status/responses/html-404        | responses        | html-404 |
        | code:bad_response_status_code/bad-upstream-status/responses-stream/html-404 | responses-stream | html-404 |
        | code:bad_response_status_code/bad-upstream-status/embeddings/html-404       | embeddings       | html-404 |
        | code:bad_response_status_code/bad-upstream-status/images/html-404           | images           | html-404 |
        | code:bad_response_status_code/bad-upstream-status/speech/html-404           | speech           | html-404 |
        | code:bad_response_status_code/bad-upstream-status/transcriptions/html-404   | transcriptions   | html-404 |
        | code:bad_response_status_code/bad-upstream-status/moderations/html-404      | moderations      | html-404 |
        | code:bad_response_status_code/bad-upstream-status/rerank/html-404           | rerank           | html-404 |
        | code:bad_response_status_code/bad-upstream-status/messages/html-404         | messages         | html-404 |
        | code:bad_response_status_code/bad-upstream-status/messages-stream/html-404  | messages-stream  | html-404 |
        | code:bad_response_status_code/bad-upstream-status/gemini/html-404           | gemini           | html-404 |
        | code:bad_response_status_code/bad-upstream-status/gemini-stream/html-404    | gemini-stream    | html-404 |

  Rule: code:empty_response - "Empty upstream response", what to do: "Retry; raise timeout for streaming"

    Scenario Outline: <case>
      Given the circumstance "empty-upstream-response": the provider answers 200 with an empty body, no choices, or a stream with no content
      When a client calls "<surface>" with variant "<variant>"
      Then the status is 5xx
      And the error code is "empty_response"
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is called no more often than limits.attempts allows, and no other caller is affected
      And the request is not billed

      Examples: empty-body - the upstream returns 200 with an empty body
        | case                                                                    | surface          | variant    |
        | code:empty_response/empty-upstream-response/chat/empty-body             | chat             | empty-body |
        | code:empty_response/empty-upstream-response/chat-stream/empty-body      | chat-stream      | empty-body |
        | code:empty_response/empty-upstream-response/completions/empty-body      | completions      | empty-body |
        | code:empty_response/empty-upstream-response/responses/empty-body        | responses        | empty-body |
        | code:empty_response/empty-upstream-response/responses-stream/empty-body | responses-stream | empty-body |
        | code:empty_response/empty-upstream-response/embeddings/empty-body       | embeddings       | empty-body |
        | code:empty_response/empty-upstream-response/images/empty-body           | images           | empty-body |
        | code:empty_response/empty-upstream-response/speech/empty-body           | speech           | empty-body |
        | code:empty_response/empty-upstream-response/transcriptions/empty-body   | transcriptions   | empty-body |
        | code:empty_response/empty-upstream-response/moderations/empty-body      | moderations      | empty-body |
        | code:empty_response/empty-upstream-response/rerank/empty-body           | rerank           | empty-body |
        | code:empty_response/empty-upstream-response/messages/empty-body         | messages         | empty-body |
        | code:empty_response/empty-upstream-response/messages-stream/empty-body  | messages-stream  | empty-body |
        | code:empty_response/empty-upstream-response/count-tokens/empty-body     | count-tokens     | empty-body |
        | code:empty_response/empty-upstream-response/gemini/empty-body           | gemini           | empty-body |
        | code:empty_response/empty-upstream-response/gemini-stream/empty-body    | gemini-stream    | empty-body |

      Examples: no-content - the upstream returns 200 with no choices, or a stream without content
        | case                                                                    | surface          | variant    |
        | code:empty_response/empty-upstream-response/chat/no-content             | chat             | no-content |
        | code:empty_response/empty-upstream-response/chat-stream/no-content      | chat-stream      | no-content |
        | code:empty_response/empty-upstream-response/completions/no-content      | completions      | no-content |
        | code:empty_response/empty-upstream-response/responses/no-content        | responses        | no-content |
        | code:empty_response/empty-upstream-response/responses-stream/no-content | responses-stream | no-content |
        | code:empty_response/empty-upstream-response/embeddings/no-content       | embeddings       | no-content |
        | code:empty_response/empty-upstream-response/images/no-content           | images           | no-content |
        | code:empty_response/empty-upstream-response/moderations/no-content      | moderations      | no-content |
        | code:empty_response/empty-upstream-response/rerank/no-content           | rerank           | no-content |
        | code:empty_response/empty-upstream-response/messages/no-content         | messages         | no-content |
        | code:empty_response/empty-upstream-response/messages-stream/no-content  | messages-stream  | no-content |
        | code:empty_response/empty-upstream-response/gemini/no-content           | gemini           | no-content |
        | code:empty_response/empty-upstream-response/gemini-stream/no-content    | gemini-stream    | no-content |

      Examples: empty-stream - the upstream returns 200 with an event stream that contains no events
        | case                                                                      | surface          | variant      |
        | code:empty_response/empty-upstream-response/chat-stream/empty-stream      | chat-stream      | empty-stream |
        | code:empty_response/empty-upstream-response/responses-stream/empty-stream | responses-stream | empty-stream |
        | code:empty_response/empty-upstream-response/messages-stream/empty-stream  | messages-stream  | empty-stream |
        | code:empty_response/empty-upstream-response/gemini-stream/empty-stream    | gemini-stream    | empty-stream |

  Rule: code:read_response_body_failed - "Failed to read upstream response", what to do: "Retry"

    Scenario Outline: <case>
      Given the circumstance "truncated-upstream-response": the provider's body breaks off: short Content-Length, cut chunk, broken encoding
      When a client calls "<surface>" with variant "<variant>"
      Then the status is 5xx
      And the error code is "read_response_body_failed"
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is called no more often than limits.attempts allows, and no other caller is affected
      And the request is not billed

      Examples: short-body - the upstream's body is shorter than its Content-Length
        | case                                                                                 | surface        | variant    |
        | code:read_response_body_failed/truncated-upstream-response/chat/short-body           | chat           | short-body |
        | code:read_response_body_failed/truncated-upstream-response/completions/short-body    | completions    | short-body |
        | code:read_response_body_failed/truncated-upstream-response/responses/short-body      | responses      | short-body |
        | code:read_response_body_failed/truncated-upstream-response/embeddings/short-body     | embeddings     | short-body |
        | code:read_response_body_failed/truncated-upstream-response/images/short-body         | images         | short-body |
        | code:read_response_body_failed/truncated-upstream-response/speech/short-body         | speech         | short-body |
        | code:read_response_body_failed/truncated-upstream-response/transcriptions/short-body | transcriptions | short-body |
        | code:read_response_body_failed/truncated-upstream-response/moderations/short-body    | moderations    | short-body |
        | code:read_response_body_failed/truncated-upstream-response/rerank/short-body         | rerank         | short-body |
        | code:read_response_body_failed/truncated-upstream-response/messages/short-body       | messages       | short-body |
        | code:read_response_body_failed/truncated-upstream-response/count-tokens/short-body   | count-tokens   | short-body |
        | code:read_response_body_failed/truncated-upstream-response/gemini/short-body         | gemini         | short-body |

      Examples: cut-chunk - the upstream's chunked body ends without its last chunk
        | case                                                                                | surface        | variant   |
        | code:read_response_body_failed/truncated-upstream-response/chat/cut-chunk           | chat           | cut-chunk |
        | code:read_response_body_failed/truncated-upstream-response/completions/cut-chunk    | completions    | cut-chunk |
        | code:read_response_body_failed/truncated-upstream-response/responses/cut-chunk      | responses      | cut-chunk |
        | code:read_response_body_failed/truncated-upstream-response/embeddings/cut-chunk     | embeddings     | cut-chunk |
        | code:read_response_body_failed/truncated-upstream-response/images/cut-chunk         | images         | cut-chunk |
        | code:read_response_body_failed/truncated-upstream-response/speech/cut-chunk         | speech         | cut-chunk |
        | code:read_response_body_failed/truncated-upstream-response/transcriptions/cut-chunk | transcriptions | cut-chunk |
        | code:read_response_body_failed/truncated-upstream-response/moderations/cut-chunk    | moderations    | cut-chunk |
        | code:read_response_body_failed/truncated-upstream-response/rerank/cut-chunk         | rerank         | cut-chunk |
        | code:read_response_body_failed/truncated-upstream-response/messages/cut-chunk       | messages       | cut-chunk |
        | code:read_response_body_failed/truncated-upstream-response/count-tokens/cut-chunk   | count-tokens   | cut-chunk |
        | code:read_response_body_failed/truncated-upstream-response/gemini/cut-chunk         | gemini         | cut-chunk |

      Examples: broken-gzip - the upstream's gzip body is cut off in the middle
        | case                                                                                  | surface        | variant     |
        | code:read_response_body_failed/truncated-upstream-response/chat/broken-gzip           | chat           | broken-gzip |
        | code:read_response_body_failed/truncated-upstream-response/completions/broken-gzip    | completions    | broken-gzip |
        | code:read_response_body_failed/truncated-upstream-response/responses/broken-gzip      | responses      | broken-gzip |
        | code:read_response_body_failed/truncated-upstream-response/embeddings/broken-gzip     | embeddings     | broken-gzip |
        | code:read_response_body_failed/truncated-upstream-response/images/broken-gzip         | images         | broken-gzip |
        | code:read_response_body_failed/truncated-upstream-response/speech/broken-gzip         | speech         | broken-gzip |
        | code:read_response_body_failed/truncated-upstream-response/transcriptions/broken-gzip | transcriptions | broken-gzip |
        | code:read_response_body_failed/truncated-upstream-response/moderations/broken-gzip    | moderations    | broken-gzip |
        | code:read_response_body_failed/truncated-upstream-response/rerank/broken-gzip         | rerank         | broken-gzip |
        | code:read_response_body_failed/truncated-upstream-response/messages/broken-gzip       | messages       | broken-gzip |
        | code:read_response_body_failed/truncated-upstream-response/count-tokens/broken-gzip   | count-tokens   | broken-gzip |
        | code:read_response_body_failed/truncated-upstream-response/gemini/broken-gzip         | gemini         | broken-gzip |

      Examples: cut-stream - the upstream breaks the connection in the middle of the content
        | case                                                                                   | surface          | variant    |
        | code:read_response_body_failed/truncated-upstream-response/chat-stream/cut-stream      | chat-stream      | cut-stream |
        | code:read_response_body_failed/truncated-upstream-response/responses-stream/cut-stream | responses-stream | cut-stream |
        | code:read_response_body_failed/truncated-upstream-response/messages-stream/cut-stream  | messages-stream  | cut-stream |
        | code:read_response_body_failed/truncated-upstream-response/gemini-stream/cut-stream    | gemini-stream    | cut-stream |

      Examples: ended-early - the upstream's stream ends cleanly in the middle of the content, without a finish event
        | case                                                                                    | surface          | variant     |
        | code:read_response_body_failed/truncated-upstream-response/chat-stream/ended-early      | chat-stream      | ended-early |
        | code:read_response_body_failed/truncated-upstream-response/responses-stream/ended-early | responses-stream | ended-early |
        | code:read_response_body_failed/truncated-upstream-response/messages-stream/ended-early  | messages-stream  | ended-early |
        | code:read_response_body_failed/truncated-upstream-response/gemini-stream/ended-early    | gemini-stream    | ended-early |
