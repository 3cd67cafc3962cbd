Feature: Table 1: 5xx Upstream / gateway error

  The client did nothing wrong. A retry may succeed.

  Rule: http:5xx - "Upstream / gateway error", common cause: "Retry or contact support"

    Scenario Outline: <case>
      Given the circumstance "upstream-error": the provider fails
      When a client calls "<surface>" with variant "<variant>"
      Then the status is 5xx
      And the error code is listed in table 2 of the contract
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is called no more often than limits.attempts allows, and no other caller is affected
      And the request is not billed

      Examples: error-object - the upstream returns 500 with its own error object
        | case                                                  | surface          | variant      |
        | http:5xx/upstream-error/chat/error-object             | chat             | error-object |
        | http:5xx/upstream-error/chat-stream/error-object      | chat-stream      | error-object |
        | http:5xx/upstream-error/completions/error-object      | completions      | error-object |
        | http:5xx/upstream-error/responses/error-object        | responses        | error-object |
        | http:5xx/upstream-error/responses-stream/error-object | responses-stream | error-object |
        | http:5xx/upstream-error/embeddings/error-object       | embeddings       | error-object |
        | http:5xx/upstream-error/images/error-object           | images           | error-object |
        | http:5xx/upstream-error/speech/error-object           | speech           | error-object |
        | http:5xx/upstream-error/transcriptions/error-object   | transcriptions   | error-object |
        | http:5xx/upstream-error/moderations/error-object      | moderations      | error-object |
        | http:5xx/upstream-error/rerank/error-object           | rerank           | error-object |
        | http:5xx/upstream-error/messages/error-object         | messages         | error-object |
        | http:5xx/upstream-error/messages-stream/error-object  | messages-stream  | error-object |
        | http:5xx/upstream-error/count-tokens/error-object     | count-tokens     | error-object |
        | http:5xx/upstream-error/gemini/error-object           | gemini           | error-object |
        | http:5xx/upstream-error/gemini-stream/error-object    | gemini-stream    | error-object |

      Examples: error-401 - the upstream rejects the gateway's key with 401 and its own error object
        | case                                               | surface          | variant   |
        | http:5xx/upstream-error/chat/error-401             | chat             | error-401 |
        | http:5xx/upstream-error/chat-stream/error-401      | chat-stream      | error-401 |
        | http:5xx/upstream-error/completions/error-401      | completions      | error-401 |
        | http:5xx/upstream-error/responses/error-401        | responses        | error-401 |
        | http:5xx/upstream-error/responses-stream/error-401 | responses-stream | error-401 |
        | http:5xx/upstream-error/embeddings/error-401       | embeddings       | error-401 |
        | http:5xx/upstream-error/images/error-401           | images           | error-401 |
        | http:5xx/upstream-error/speech/error-401           | speech           | error-401 |
        | http:5xx/upstream-error/transcriptions/error-401   | transcriptions   | error-401 |
        | http:5xx/upstream-error/moderations/error-401      | moderations      | error-401 |
        | http:5xx/upstream-error/rerank/error-401           | rerank           | error-401 |
        | http:5xx/upstream-error/messages/error-401         | messages         | error-401 |
        | http:5xx/upstream-error/messages-stream/error-401  | messages-stream  | error-401 |
        | http:5xx/upstream-error/count-tokens/error-401     | count-tokens     | error-401 |
        | http:5xx/upstream-error/gemini/error-401           | gemini           | error-401 |
        | http:5xx/upstream-error/gemini-stream/error-401    | gemini-stream    | error-401 |

      Examples: error-402 - the gateway's upstream account is empty, so the upstream returns 402 with its own error object
        | case                                               | surface          | variant   |
        | http:5xx/upstream-error/chat/error-402             | chat             | error-402 |
        | http:5xx/upstream-error/chat-stream/error-402      | chat-stream      | error-402 |
        | http:5xx/upstream-error/completions/error-402      | completions      | error-402 |
        | http:5xx/upstream-error/responses/error-402        | responses        | error-402 |
        | http:5xx/upstream-error/responses-stream/error-402 | responses-stream | error-402 |
        | http:5xx/upstream-error/embeddings/error-402       | embeddings       | error-402 |
        | http:5xx/upstream-error/images/error-402           | images           | error-402 |
        | http:5xx/upstream-error/speech/error-402           | speech           | error-402 |
        | http:5xx/upstream-error/transcriptions/error-402   | transcriptions   | error-402 |
        | http:5xx/upstream-error/moderations/error-402      | moderations      | error-402 |
        | http:5xx/upstream-error/rerank/error-402           | rerank           | error-402 |
        | http:5xx/upstream-error/messages/error-402         | messages         | error-402 |
        | http:5xx/upstream-error/messages-stream/error-402  | messages-stream  | error-402 |
        | http:5xx/upstream-error/count-tokens/error-402     | count-tokens     | error-402 |
        | http:5xx/upstream-error/gemini/error-402           | gemini           | error-402 |
        | http:5xx/upstream-error/gemini-stream/error-402    | gemini-stream    | error-402 |

      Examples: error-403 - the upstream rejects the gateway's key with 403 and its own error object
        | case                                               | surface          | variant   |
        | http:5xx/upstream-error/chat/error-403             | chat             | error-403 |
        | http:5xx/upstream-error/chat-stream/error-403      | chat-stream      | error-403 |
        | http:5xx/upstream-error/completions/error-403      | completions      | error-403 |
        | http:5xx/upstream-error/responses/error-403        | responses        | error-403 |
        | http:5xx/upstream-error/responses-stream/error-403 | responses-stream | error-403 |
        | http:5xx/upstream-error/embeddings/error-403       | embeddings       | error-403 |
        | http:5xx/upstream-error/images/error-403           | images           | error-403 |
        | http:5xx/upstream-error/speech/error-403           | speech           | error-403 |
        | http:5xx/upstream-error/transcriptions/error-403   | transcriptions   | error-403 |
        | http:5xx/upstream-error/moderations/error-403      | moderations      | error-403 |
        | http:5xx/upstream-error/rerank/error-403           | rerank           | error-403 |
        | http:5xx/upstream-error/messages/error-403         | messages         | error-403 |
        | http:5xx/upstream-error/messages-stream/error-403  | messages-stream  | error-403 |
        | http:5xx/upstream-error/count-tokens/error-403     | count-tokens     | error-403 |
        | http:5xx/upstream-error/gemini/error-403           | gemini           | error-403 |
        | http:5xx/upstream-error/gemini-stream/error-403    | gemini-stream    | error-403 |

      Examples: own-words - the gateway's account is empty at an upstream that is itself a gateway, so the upstream returns 403 with the code insufficient_user_quota
        | case                                               | surface          | variant   |
        | http:5xx/upstream-error/chat/own-words             | chat             | own-words |
        | http:5xx/upstream-error/chat-stream/own-words      | chat-stream      | own-words |
        | http:5xx/upstream-error/completions/own-words      | completions      | own-words |
        | http:5xx/upstream-error/responses/own-words        | responses        | own-words |
        | http:5xx/upstream-error/responses-stream/own-words | responses-stream | own-words |
        | http:5xx/upstream-error/embeddings/own-words       | embeddings       | own-words |
        | http:5xx/upstream-error/images/own-words           | images           | own-words |
        | http:5xx/upstream-error/speech/own-words           | speech           | own-words |
        | http:5xx/upstream-error/transcriptions/own-words   | transcriptions   | own-words |
        | http:5xx/upstream-error/moderations/own-words      | moderations      | own-words |
        | http:5xx/upstream-error/rerank/own-words           | rerank           | own-words |
        | http:5xx/upstream-error/messages/own-words         | messages         | own-words |
        | http:5xx/upstream-error/messages-stream/own-words  | messages-stream  | own-words |
        | http:5xx/upstream-error/count-tokens/own-words     | count-tokens     | own-words |
        | http:5xx/upstream-error/gemini/own-words           | gemini           | own-words |
        | http:5xx/upstream-error/gemini-stream/own-words    | gemini-stream    | own-words |

      Examples: numeric-code - the upstream returns 500 with an error object in which the code is a number
        | case                                                  | surface          | variant      |
        | http:5xx/upstream-error/chat/numeric-code             | chat             | numeric-code |
        | http:5xx/upstream-error/chat-stream/numeric-code      | chat-stream      | numeric-code |
        | http:5xx/upstream-error/completions/numeric-code      | completions      | numeric-code |
        | http:5xx/upstream-error/responses/numeric-code        | responses        | numeric-code |
        | http:5xx/upstream-error/responses-stream/numeric-code | responses-stream | numeric-code |
        | http:5xx/upstream-error/embeddings/numeric-code       | embeddings       | numeric-code |
        | http:5xx/upstream-error/images/numeric-code           | images           | numeric-code |
        | http:5xx/upstream-error/speech/numeric-code           | speech           | numeric-code |
        | http:5xx/upstream-error/transcriptions/numeric-code   | transcriptions   | numeric-code |
        | http:5xx/upstream-error/moderations/numeric-code      | moderations      | numeric-code |
        | http:5xx/upstream-error/rerank/numeric-code           | rerank           | numeric-code |
        | http:5xx/upstream-error/messages/numeric-code         | messages         | numeric-code |
        | http:5xx/upstream-error/messages-stream/numeric-code  | messages-stream  | numeric-code |
        | http:5xx/upstream-error/count-tokens/numeric-code     | count-tokens     | numeric-code |
        | http:5xx/upstream-error/gemini/numeric-code           | gemini           | numeric-code |
        | http:5xx/upstream-error/gemini-stream/numeric-code    | gemini-stream    | numeric-code |

      Examples: error-529 - the upstream is overloaded and returns 529 with its own error object
        | case                                               | surface          | variant   |
        | http:5xx/upstream-error/chat/error-529             | chat             | error-529 |
        | http:5xx/upstream-error/chat-stream/error-529      | chat-stream      | error-529 |
        | http:5xx/upstream-error/completions/error-529      | completions      | error-529 |
        | http:5xx/upstream-error/responses/error-529        | responses        | error-529 |
        | http:5xx/upstream-error/responses-stream/error-529 | responses-stream | error-529 |
        | http:5xx/upstream-error/embeddings/error-529       | embeddings       | error-529 |
        | http:5xx/upstream-error/images/error-529           | images           | error-529 |
        | http:5xx/upstream-error/speech/error-529           | speech           | error-529 |
        | http:5xx/upstream-error/transcriptions/error-529   | transcriptions   | error-529 |
        | http:5xx/upstream-error/moderations/error-529      | moderations      | error-529 |
        | http:5xx/upstream-error/rerank/error-529           | rerank           | error-529 |
        | http:5xx/upstream-error/messages/error-529         | messages         | error-529 |
        | http:5xx/upstream-error/messages-stream/error-529  | messages-stream  | error-529 |
        | http:5xx/upstream-error/count-tokens/error-529     | count-tokens     | error-529 |
        | http:5xx/upstream-error/gemini/error-529           | gemini           | error-529 |
        | http:5xx/upstream-error/gemini-stream/error-529    | gemini-stream    | error-529 |

      Examples: compressed-error - the upstream returns 500 with its own error object, compressed with gzip
        | case                                                      | surface          | variant          |
        | http:5xx/upstream-error/chat/compressed-error             | chat             | compressed-error |
        | http:5xx/upstream-error/chat-stream/compressed-error      | chat-stream      | compressed-error |
        | http:5xx/upstream-error/completions/compressed-error      | completions      | compressed-error |
        | http:5xx/upstream-error/responses/compressed-error        | responses        | compressed-error |
        | http:5xx/upstream-error/responses-stream/compressed-error | responses-stream | compressed-error |
        | http:5xx/upstream-error/embeddings/compressed-error       | embeddings       | compressed-error |
        | http:5xx/upstream-error/images/compressed-error           | images           | compressed-error |
        | http:5xx/upstream-error/speech/compressed-error           | speech           | compressed-error |
        | http:5xx/upstream-error/transcriptions/compressed-error   | transcriptions   | compressed-error |
        | http:5xx/upstream-error/moderations/compressed-error      | moderations      | compressed-error |
        | http:5xx/upstream-error/rerank/compressed-error           | rerank           | compressed-error |
        | http:5xx/upstream-error/messages/compressed-error         | messages         | compressed-error |
        | http:5xx/upstream-error/messages-stream/compressed-error  | messages-stream  | compressed-error |
        | http:5xx/upstream-error/count-tokens/compressed-error     | count-tokens     | compressed-error |
        | http:5xx/upstream-error/gemini/compressed-error           | gemini           | compressed-error |
        | http:5xx/upstream-error/gemini-stream/compressed-error    | gemini-stream    | compressed-error |

      Examples: first-event-error - the upstream's stream begins with its own error event
        | case                                                       | surface          | variant           |
        | http:5xx/upstream-error/chat-stream/first-event-error      | chat-stream      | first-event-error |
        | http:5xx/upstream-error/responses-stream/first-event-error | responses-stream | first-event-error |
        | http:5xx/upstream-error/messages-stream/first-event-error  | messages-stream  | first-event-error |
        | http:5xx/upstream-error/gemini-stream/first-event-error    | gemini-stream    | first-event-error |

      Examples: lifecycle-then-error - the upstream begins its stream normally, then sends its own error event before any content
        | case                                                          | surface          | variant              |
        | http:5xx/upstream-error/chat-stream/lifecycle-then-error      | chat-stream      | lifecycle-then-error |
        | http:5xx/upstream-error/responses-stream/lifecycle-then-error | responses-stream | lifecycle-then-error |
        | http:5xx/upstream-error/messages-stream/lifecycle-then-error  | messages-stream  | lifecycle-then-error |

      Examples: mid-stream - the upstream sends its own error event in the middle of the content
        | case                                                | surface          | variant    |
        | http:5xx/upstream-error/chat-stream/mid-stream      | chat-stream      | mid-stream |
        | http:5xx/upstream-error/responses-stream/mid-stream | responses-stream | mid-stream |
        | http:5xx/upstream-error/messages-stream/mid-stream  | messages-stream  | mid-stream |
        | http:5xx/upstream-error/gemini-stream/mid-stream    | gemini-stream    | mid-stream |

      Examples: answer-with-error - the upstream sends a partial answer that contains an error object
        | case                                                       | surface          | variant           |
        | http:5xx/upstream-error/chat/answer-with-error             | chat             | answer-with-error |
        | http:5xx/upstream-error/chat-stream/answer-with-error      | chat-stream      | answer-with-error |
        | http:5xx/upstream-error/completions/answer-with-error      | completions      | answer-with-error |
        | http:5xx/upstream-error/responses/answer-with-error        | responses        | answer-with-error |
        | http:5xx/upstream-error/responses-stream/answer-with-error | responses-stream | answer-with-error |
        | http:5xx/upstream-error/messages/answer-with-error         | messages         | answer-with-error |
        | http:5xx/upstream-error/messages-stream/answer-with-error  | messages-stream  | answer-with-error |
        | http:5xx/upstream-error/gemini/answer-with-error           | gemini           | answer-with-error |
        | http:5xx/upstream-error/gemini-stream/answer-with-error    | gemini-stream    | answer-with-error |

      Examples: error-after-reasoning - the upstream sends its own error event in the middle of the reasoning
        | case                                                           | surface          | variant               |
        | http:5xx/upstream-error/chat-stream/error-after-reasoning      | chat-stream      | error-after-reasoning |
        | http:5xx/upstream-error/responses-stream/error-after-reasoning | responses-stream | error-after-reasoning |
        | http:5xx/upstream-error/messages-stream/error-after-reasoning  | messages-stream  | error-after-reasoning |
        | http:5xx/upstream-error/gemini-stream/error-after-reasoning    | gemini-stream    | error-after-reasoning |

      Examples: cut-tool-call - the upstream breaks the connection in the middle of a tool call
        | case                                                   | surface          | variant       |
        | http:5xx/upstream-error/chat-stream/cut-tool-call      | chat-stream      | cut-tool-call |
        | http:5xx/upstream-error/responses-stream/cut-tool-call | responses-stream | cut-tool-call |
        | http:5xx/upstream-error/messages-stream/cut-tool-call  | messages-stream  | cut-tool-call |
        | http:5xx/upstream-error/gemini-stream/cut-tool-call    | gemini-stream    | cut-tool-call |

      Examples: ended-tool-call - the upstream's stream ends cleanly in the middle of a tool call, without a finish event
        | case                                                     | surface          | variant         |
        | http:5xx/upstream-error/chat-stream/ended-tool-call      | chat-stream      | ended-tool-call |
        | http:5xx/upstream-error/responses-stream/ended-tool-call | responses-stream | ended-tool-call |
        | http:5xx/upstream-error/messages-stream/ended-tool-call  | messages-stream  | ended-tool-call |
        | http:5xx/upstream-error/gemini-stream/ended-tool-call    | gemini-stream    | ended-tool-call |

    Scenario Outline: <case>
      Given the circumstance "upstream-error": the provider fails
      When a client calls "<surface>" with variant "<variant>"
      Then the status is 429 or 5xx
      And the error code is listed in table 2 of the contract
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is called no more often than limits.attempts allows, and no other caller is affected
      And the request is not billed, and a 429 says when to retry

      Examples: error-429 - the upstream rate-limits the gateway and returns 429 with Retry-After and its own error object
        | case                                               | surface          | variant   |
        | http:5xx/upstream-error/chat/error-429             | chat             | error-429 |
        | http:5xx/upstream-error/chat-stream/error-429      | chat-stream      | error-429 |
        | http:5xx/upstream-error/completions/error-429      | completions      | error-429 |
        | http:5xx/upstream-error/responses/error-429        | responses        | error-429 |
        | http:5xx/upstream-error/responses-stream/error-429 | responses-stream | error-429 |
        | http:5xx/upstream-error/embeddings/error-429       | embeddings       | error-429 |
        | http:5xx/upstream-error/images/error-429           | images           | error-429 |
        | http:5xx/upstream-error/speech/error-429           | speech           | error-429 |
        | http:5xx/upstream-error/transcriptions/error-429   | transcriptions   | error-429 |
        | http:5xx/upstream-error/moderations/error-429      | moderations      | error-429 |
        | http:5xx/upstream-error/rerank/error-429           | rerank           | error-429 |
        | http:5xx/upstream-error/messages/error-429         | messages         | error-429 |
        | http:5xx/upstream-error/messages-stream/error-429  | messages-stream  | error-429 |
        | http:5xx/upstream-error/count-tokens/error-429     | count-tokens     | error-429 |
        | http:5xx/upstream-error/gemini/error-429           | gemini           | error-429 |
        | http:5xx/upstream-error/gemini-stream/error-429    | gemini-stream    | error-429 |

    Scenario Outline: <case>
      Given the circumstance "upstream-error": the provider fails
      When a client calls "<surface>" with variant "<variant>"
      Then the status is 5xx
      And the error code is listed in table 2 of the contract
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is called no more often than limits.attempts allows, the gateway's key is sent to no other host, and no other caller is affected
      And the request is not billed

      Examples: redirect - the upstream redirects the call to another host
        | case                                              | surface          | variant  |
        | http:5xx/upstream-error/chat/redirect             | chat             | redirect |
        | http:5xx/upstream-error/chat-stream/redirect      | chat-stream      | redirect |
        | http:5xx/upstream-error/completions/redirect      | completions      | redirect |
        | http:5xx/upstream-error/responses/redirect        | responses        | redirect |
        | http:5xx/upstream-error/responses-stream/redirect | responses-stream | redirect |
        | http:5xx/upstream-error/embeddings/redirect       | embeddings       | redirect |
        | http:5xx/upstream-error/images/redirect           | images           | redirect |
        | http:5xx/upstream-error/speech/redirect           | speech           | redirect |
        | http:5xx/upstream-error/transcriptions/redirect   | transcriptions   | redirect |
        | http:5xx/upstream-error/moderations/redirect      | moderations      | redirect |
        | http:5xx/upstream-error/rerank/redirect           | rerank           | redirect |
        | http:5xx/upstream-error/messages/redirect         | messages         | redirect |
        | http:5xx/upstream-error/messages-stream/redirect  | messages-stream  | redirect |
        | http:5xx/upstream-error/count-tokens/redirect     | count-tokens     | redirect |
        | http:5xx/upstream-error/gemini/redirect           | gemini           | redirect |
        | http:5xx/upstream-error/gemini-stream/redirect    | gemini-stream    | redirect |

    Scenario Outline: <case>
      Given the circumstance "gateway-error": the gateway's own part fails (its store is gone)
      When a client calls "<surface>"
      Then the status is 5xx
      And the error code is listed in table 2 of the contract
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is called no more often than limits.attempts allows, and no other caller is affected

      Examples: the database that contains the callers' keys is unavailable
        | case                                    | surface          |
        | http:5xx/gateway-error/chat             | chat             |
        | http:5xx/gateway-error/chat-stream      | chat-stream      |
        | http:5xx/gateway-error/completions      | completions      |
        | http:5xx/gateway-error/responses        | responses        |
        | http:5xx/gateway-error/responses-stream | responses-stream |
        | http:5xx/gateway-error/embeddings       | embeddings       |
        | http:5xx/gateway-error/images           | images           |
        | http:5xx/gateway-error/speech           | speech           |
        | http:5xx/gateway-error/transcriptions   | transcriptions   |
        | http:5xx/gateway-error/moderations      | moderations      |
        | http:5xx/gateway-error/rerank           | rerank           |
        | http:5xx/gateway-error/models           | models           |
        | http:5xx/gateway-error/messages         | messages         |
        | http:5xx/gateway-error/messages-stream  | messages-stream  |
        | http:5xx/gateway-error/count-tokens     | count-tokens     |
        | http:5xx/gateway-error/gemini           | gemini           |
        | http:5xx/gateway-error/gemini-stream    | gemini-stream    |
