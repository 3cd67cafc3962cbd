Feature: Table 2: request codes

  The client has to change the request. The code says what is wrong with the request.

  Rule: code:invalid_request - "Invalid request parameters", what to do: "Check params and body"

    Scenario Outline: <case>
      Given the circumstance "invalid-parameters": a well-formed body with invalid parameters
      When a client calls "<surface>" with variant "<variant>"
      Then the status is 400
      And the error code is "invalid_request"
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is called no more often than limits.attempts allows, and no other caller is affected

      Examples: wrong-type - a field (messages, input, prompt, query, file or contents) has the wrong type
        | case                                                                | surface          | variant    |
        | code:invalid_request/invalid-parameters/chat/wrong-type             | chat             | wrong-type |
        | code:invalid_request/invalid-parameters/chat-stream/wrong-type      | chat-stream      | wrong-type |
        | code:invalid_request/invalid-parameters/completions/wrong-type      | completions      | wrong-type |
        | code:invalid_request/invalid-parameters/responses/wrong-type        | responses        | wrong-type |
        | code:invalid_request/invalid-parameters/responses-stream/wrong-type | responses-stream | wrong-type |
        | code:invalid_request/invalid-parameters/embeddings/wrong-type       | embeddings       | wrong-type |
        | code:invalid_request/invalid-parameters/images/wrong-type           | images           | wrong-type |
        | code:invalid_request/invalid-parameters/speech/wrong-type           | speech           | wrong-type |
        | code:invalid_request/invalid-parameters/transcriptions/wrong-type   | transcriptions   | wrong-type |
        | code:invalid_request/invalid-parameters/moderations/wrong-type      | moderations      | wrong-type |
        | code:invalid_request/invalid-parameters/rerank/wrong-type           | rerank           | wrong-type |
        | code:invalid_request/invalid-parameters/messages/wrong-type         | messages         | wrong-type |
        | code:invalid_request/invalid-parameters/messages-stream/wrong-type  | messages-stream  | wrong-type |
        | code:invalid_request/invalid-parameters/count-tokens/wrong-type     | count-tokens     | wrong-type |
        | code:invalid_request/invalid-parameters/gemini/wrong-type           | gemini           | wrong-type |
        | code:invalid_request/invalid-parameters/gemini-stream/wrong-type    | gemini-stream    | wrong-type |

      Examples: out-of-range - a temperature of 99
        | case                                                                  | surface          | variant      |
        | code:invalid_request/invalid-parameters/chat/out-of-range             | chat             | out-of-range |
        | code:invalid_request/invalid-parameters/chat-stream/out-of-range      | chat-stream      | out-of-range |
        | code:invalid_request/invalid-parameters/completions/out-of-range      | completions      | out-of-range |
        | code:invalid_request/invalid-parameters/responses/out-of-range        | responses        | out-of-range |
        | code:invalid_request/invalid-parameters/responses-stream/out-of-range | responses-stream | out-of-range |
        | code:invalid_request/invalid-parameters/messages/out-of-range         | messages         | out-of-range |
        | code:invalid_request/invalid-parameters/messages-stream/out-of-range  | messages-stream  | out-of-range |
        | code:invalid_request/invalid-parameters/gemini/out-of-range           | gemini           | out-of-range |
        | code:invalid_request/invalid-parameters/gemini-stream/out-of-range    | gemini-stream    | out-of-range |

  Rule: code:bad_request_body - "Malformed request body", what to do: "Verify the JSON is valid"

    Scenario Outline: <case>
      Given the circumstance "malformed-body": a body that is not JSON
      When a client calls "<surface>" with variant "<variant>"
      Then the status is 400
      And the error code is "bad_request_body"
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is called no more often than limits.attempts allows, and no other caller is affected

      Examples: cut-json - the JSON is cut off in the middle
        | case                                                           | surface          | variant  |
        | code:bad_request_body/malformed-body/chat/cut-json             | chat             | cut-json |
        | code:bad_request_body/malformed-body/chat-stream/cut-json      | chat-stream      | cut-json |
        | code:bad_request_body/malformed-body/completions/cut-json      | completions      | cut-json |
        | code:bad_request_body/malformed-body/responses/cut-json        | responses        | cut-json |
        | code:bad_request_body/malformed-body/responses-stream/cut-json | responses-stream | cut-json |
        | code:bad_request_body/malformed-body/embeddings/cut-json       | embeddings       | cut-json |
        | code:bad_request_body/malformed-body/images/cut-json           | images           | cut-json |
        | code:bad_request_body/malformed-body/speech/cut-json           | speech           | cut-json |
        | code:bad_request_body/malformed-body/moderations/cut-json      | moderations      | cut-json |
        | code:bad_request_body/malformed-body/rerank/cut-json           | rerank           | cut-json |
        | code:bad_request_body/malformed-body/messages/cut-json         | messages         | cut-json |
        | code:bad_request_body/malformed-body/messages-stream/cut-json  | messages-stream  | cut-json |
        | code:bad_request_body/malformed-body/count-tokens/cut-json     | count-tokens     | cut-json |
        | code:bad_request_body/malformed-body/gemini/cut-json           | gemini           | cut-json |
        | code:bad_request_body/malformed-body/gemini-stream/cut-json    | gemini-stream    | cut-json |

      Examples: not-json - plain text sent as application/json
        | case                                                           | surface          | variant  |
        | code:bad_request_body/malformed-body/chat/not-json             | chat             | not-json |
        | code:bad_request_body/malformed-body/chat-stream/not-json      | chat-stream      | not-json |
        | code:bad_request_body/malformed-body/completions/not-json      | completions      | not-json |
        | code:bad_request_body/malformed-body/responses/not-json        | responses        | not-json |
        | code:bad_request_body/malformed-body/responses-stream/not-json | responses-stream | not-json |
        | code:bad_request_body/malformed-body/embeddings/not-json       | embeddings       | not-json |
        | code:bad_request_body/malformed-body/images/not-json           | images           | not-json |
        | code:bad_request_body/malformed-body/speech/not-json           | speech           | not-json |
        | code:bad_request_body/malformed-body/moderations/not-json      | moderations      | not-json |
        | code:bad_request_body/malformed-body/rerank/not-json           | rerank           | not-json |
        | code:bad_request_body/malformed-body/messages/not-json         | messages         | not-json |
        | code:bad_request_body/malformed-body/messages-stream/not-json  | messages-stream  | not-json |
        | code:bad_request_body/malformed-body/count-tokens/not-json     | count-tokens     | not-json |
        | code:bad_request_body/malformed-body/gemini/not-json           | gemini           | not-json |
        | code:bad_request_body/malformed-body/gemini-stream/not-json    | gemini-stream    | not-json |

      Examples: text-after - a JSON object followed by text
        | case                                                         | surface      | variant    |
        | code:bad_request_body/malformed-body/chat/text-after         | chat         | text-after |
        | code:bad_request_body/malformed-body/completions/text-after  | completions  | text-after |
        | code:bad_request_body/malformed-body/responses/text-after    | responses    | text-after |
        | code:bad_request_body/malformed-body/embeddings/text-after   | embeddings   | text-after |
        | code:bad_request_body/malformed-body/images/text-after       | images       | text-after |
        | code:bad_request_body/malformed-body/speech/text-after       | speech       | text-after |
        | code:bad_request_body/malformed-body/moderations/text-after  | moderations  | text-after |
        | code:bad_request_body/malformed-body/rerank/text-after       | rerank       | text-after |
        | code:bad_request_body/malformed-body/messages/text-after     | messages     | text-after |
        | code:bad_request_body/malformed-body/count-tokens/text-after | count-tokens | text-after |
        | code:bad_request_body/malformed-body/gemini/text-after       | gemini       | text-after |

      Examples: no-boundary - a multipart form whose Content-Type has no boundary
        | case                                                            | surface        | variant     |
        | code:bad_request_body/malformed-body/transcriptions/no-boundary | transcriptions | no-boundary |

      Examples: cut-form - a multipart form that is cut off in the middle of a part
        | case                                                         | surface        | variant  |
        | code:bad_request_body/malformed-body/transcriptions/cut-form | transcriptions | cut-form |

      Examples: form-body - a form sent as application/x-www-form-urlencoded
        | case                                                        | surface      | variant   |
        | code:bad_request_body/malformed-body/chat/form-body         | chat         | form-body |
        | code:bad_request_body/malformed-body/completions/form-body  | completions  | form-body |
        | code:bad_request_body/malformed-body/responses/form-body    | responses    | form-body |
        | code:bad_request_body/malformed-body/embeddings/form-body   | embeddings   | form-body |
        | code:bad_request_body/malformed-body/images/form-body       | images       | form-body |
        | code:bad_request_body/malformed-body/speech/form-body       | speech       | form-body |
        | code:bad_request_body/malformed-body/moderations/form-body  | moderations  | form-body |
        | code:bad_request_body/malformed-body/rerank/form-body       | rerank       | form-body |
        | code:bad_request_body/malformed-body/messages/form-body     | messages     | form-body |
        | code:bad_request_body/malformed-body/count-tokens/form-body | count-tokens | form-body |
        | code:bad_request_body/malformed-body/gemini/form-body       | gemini       | form-body |

  Rule: code:read_request_body_failed - "Failed to read request body", what to do: "Check body and Content-Type"

    # The contract implies status 400 but does not state it, so any other 4xx causes a warning, not a failure.
    Scenario Outline: <case>
      Given the circumstance "unreadable-body": a body that cannot be read to its end: short of its Content-Length, over the size limit, or with a broken Content-Encoding
      When a client calls "<surface>" with variant "<variant>"
      Then the status is 400
      And the error code is "read_request_body_failed"
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is called no more often than limits.attempts allows, and no other caller is affected

      Examples: short-body - the body is shorter than its Content-Length
        | case                                                                      | surface          | variant    |
        | code:read_request_body_failed/unreadable-body/chat/short-body             | chat             | short-body |
        | code:read_request_body_failed/unreadable-body/chat-stream/short-body      | chat-stream      | short-body |
        | code:read_request_body_failed/unreadable-body/completions/short-body      | completions      | short-body |
        | code:read_request_body_failed/unreadable-body/responses/short-body        | responses        | short-body |
        | code:read_request_body_failed/unreadable-body/responses-stream/short-body | responses-stream | short-body |
        | code:read_request_body_failed/unreadable-body/embeddings/short-body       | embeddings       | short-body |
        | code:read_request_body_failed/unreadable-body/images/short-body           | images           | short-body |
        | code:read_request_body_failed/unreadable-body/speech/short-body           | speech           | short-body |
        | code:read_request_body_failed/unreadable-body/transcriptions/short-body   | transcriptions   | short-body |
        | code:read_request_body_failed/unreadable-body/moderations/short-body      | moderations      | short-body |
        | code:read_request_body_failed/unreadable-body/rerank/short-body           | rerank           | short-body |
        | code:read_request_body_failed/unreadable-body/messages/short-body         | messages         | short-body |
        | code:read_request_body_failed/unreadable-body/messages-stream/short-body  | messages-stream  | short-body |
        | code:read_request_body_failed/unreadable-body/count-tokens/short-body     | count-tokens     | short-body |
        | code:read_request_body_failed/unreadable-body/gemini/short-body           | gemini           | short-body |
        | code:read_request_body_failed/unreadable-body/gemini-stream/short-body    | gemini-stream    | short-body |

      Examples: broken-gzip - the gzip body is cut off in the middle
        | case                                                                       | surface          | variant     |
        | code:read_request_body_failed/unreadable-body/chat/broken-gzip             | chat             | broken-gzip |
        | code:read_request_body_failed/unreadable-body/chat-stream/broken-gzip      | chat-stream      | broken-gzip |
        | code:read_request_body_failed/unreadable-body/completions/broken-gzip      | completions      | broken-gzip |
        | code:read_request_body_failed/unreadable-body/responses/broken-gzip        | responses        | broken-gzip |
        | code:read_request_body_failed/unreadable-body/responses-stream/broken-gzip | responses-stream | broken-gzip |
        | code:read_request_body_failed/unreadable-body/embeddings/broken-gzip       | embeddings       | broken-gzip |
        | code:read_request_body_failed/unreadable-body/images/broken-gzip           | images           | broken-gzip |
        | code:read_request_body_failed/unreadable-body/speech/broken-gzip           | speech           | broken-gzip |
        | code:read_request_body_failed/unreadable-body/transcriptions/broken-gzip   | transcriptions   | broken-gzip |
        | code:read_request_body_failed/unreadable-body/moderations/broken-gzip      | moderations      | broken-gzip |
        | code:read_request_body_failed/unreadable-body/rerank/broken-gzip           | rerank           | broken-gzip |
        | code:read_request_body_failed/unreadable-body/messages/broken-gzip         | messages         | broken-gzip |
        | code:read_request_body_failed/unreadable-body/messages-stream/broken-gzip  | messages-stream  | broken-gzip |
        | code:read_request_body_failed/unreadable-body/count-tokens/broken-gzip     | count-tokens     | broken-gzip |
        | code:read_request_body_failed/unreadable-body/gemini/broken-gzip           | gemini           | broken-gzip |
        | code:read_request_body_failed/unreadable-body/gemini-stream/broken-gzip    | gemini-stream    | broken-gzip |

      Examples: oversize - the body exceeds the gateway's declared size limit
        | case                                                                    | surface          | variant  |
        | code:read_request_body_failed/unreadable-body/chat/oversize             | chat             | oversize |
        | code:read_request_body_failed/unreadable-body/chat-stream/oversize      | chat-stream      | oversize |
        | code:read_request_body_failed/unreadable-body/completions/oversize      | completions      | oversize |
        | code:read_request_body_failed/unreadable-body/responses/oversize        | responses        | oversize |
        | code:read_request_body_failed/unreadable-body/responses-stream/oversize | responses-stream | oversize |
        | code:read_request_body_failed/unreadable-body/embeddings/oversize       | embeddings       | oversize |
        | code:read_request_body_failed/unreadable-body/images/oversize           | images           | oversize |
        | code:read_request_body_failed/unreadable-body/speech/oversize           | speech           | oversize |
        | code:read_request_body_failed/unreadable-body/transcriptions/oversize   | transcriptions   | oversize |
        | code:read_request_body_failed/unreadable-body/moderations/oversize      | moderations      | oversize |
        | code:read_request_body_failed/unreadable-body/rerank/oversize           | rerank           | oversize |
        | code:read_request_body_failed/unreadable-body/messages/oversize         | messages         | oversize |
        | code:read_request_body_failed/unreadable-body/messages-stream/oversize  | messages-stream  | oversize |
        | code:read_request_body_failed/unreadable-body/count-tokens/oversize     | count-tokens     | oversize |
        | code:read_request_body_failed/unreadable-body/gemini/oversize           | gemini           | oversize |
        | code:read_request_body_failed/unreadable-body/gemini-stream/oversize    | gemini-stream    | oversize |

  Rule: code:convert_request_failed - "Request conversion failed", what to do: "Ensure params match the API format"

    # The contract implies status 400 but does not state it, so any other 4xx causes a warning, not a failure.
    Scenario Outline: <case>
      Given the circumstance "unconvertible-request": a request that is valid in the caller's dialect and cannot be expressed in the provider's
      When a client calls "<surface>"
      Then the status is 400
      And the error code is "convert_request_failed"
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is not called, and no other caller is affected

      Examples: the request uses a feature that only the client's API format has
        | case                                                               | surface          |
        | code:convert_request_failed/unconvertible-request/chat             | chat             |
        | code:convert_request_failed/unconvertible-request/chat-stream      | chat-stream      |
        | code:convert_request_failed/unconvertible-request/completions      | completions      |
        | code:convert_request_failed/unconvertible-request/responses        | responses        |
        | code:convert_request_failed/unconvertible-request/responses-stream | responses-stream |
        | code:convert_request_failed/unconvertible-request/embeddings       | embeddings       |
        | code:convert_request_failed/unconvertible-request/images           | images           |
        | code:convert_request_failed/unconvertible-request/speech           | speech           |
        | code:convert_request_failed/unconvertible-request/transcriptions   | transcriptions   |
        | code:convert_request_failed/unconvertible-request/moderations      | moderations      |
        | code:convert_request_failed/unconvertible-request/rerank           | rerank           |
        | code:convert_request_failed/unconvertible-request/messages         | messages         |
        | code:convert_request_failed/unconvertible-request/messages-stream  | messages-stream  |
        | code:convert_request_failed/unconvertible-request/gemini           | gemini           |
        | code:convert_request_failed/unconvertible-request/gemini-stream    | gemini-stream    |

  Rule: code:invalid_api_type - "Unsupported API type", what to do: "Use a supported API format"

    # The contract implies status 400 but does not state it, so any other 4xx causes a warning, not a failure.
    Scenario Outline: <case>
      Given the circumstance "unsupported-api": a route whose channel has an API type that the gateway does not support
      When a client calls "<surface>"
      Then the status is 400
      And the error code is "invalid_api_type"
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is not called, and no other caller is affected

      Examples: the model's channel has an unsupported type
        | case                                                   | surface          |
        | code:invalid_api_type/unsupported-api/chat             | chat             |
        | code:invalid_api_type/unsupported-api/chat-stream      | chat-stream      |
        | code:invalid_api_type/unsupported-api/completions      | completions      |
        | code:invalid_api_type/unsupported-api/responses        | responses        |
        | code:invalid_api_type/unsupported-api/responses-stream | responses-stream |
        | code:invalid_api_type/unsupported-api/embeddings       | embeddings       |
        | code:invalid_api_type/unsupported-api/images           | images           |
        | code:invalid_api_type/unsupported-api/speech           | speech           |
        | code:invalid_api_type/unsupported-api/transcriptions   | transcriptions   |
        | code:invalid_api_type/unsupported-api/moderations      | moderations      |
        | code:invalid_api_type/unsupported-api/rerank           | rerank           |
        | code:invalid_api_type/unsupported-api/messages         | messages         |
        | code:invalid_api_type/unsupported-api/messages-stream  | messages-stream  |
        | code:invalid_api_type/unsupported-api/count-tokens     | count-tokens     |
        | code:invalid_api_type/unsupported-api/gemini           | gemini           |
        | code:invalid_api_type/unsupported-api/gemini-stream    | gemini-stream    |
