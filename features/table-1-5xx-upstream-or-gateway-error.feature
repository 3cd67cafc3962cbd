Feature: Table 1: 5xx Upstream / gateway error

  The client did nothing wrong. A retry may succeed.

  Rule: http:5xx - "Upstream / gateway error", common cause: "Retry or contact support"

    Scenario Outline: <case>
      Given the circumstance "upstream-error": the provider fails
      When a client calls "<surface>" with variant "<variant>"
      Then the status is 5xx
      And the error code is one of table 2
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is called no more often than allowed
      And the request is not billed

      Examples: error-object - the upstream answers 500 with its own error object
        | case                                                  | surface          | variant      |
        | http:5xx/upstream-error/chat/error-object             | chat             | error-object |
        | http:5xx/upstream-error/chat-stream/error-object      | chat-stream      | error-object |
        | http:5xx/upstream-error/completions/error-object      | completions      | error-object |
        | http:5xx/upstream-error/responses/error-object        | responses        | error-object |
        | http:5xx/upstream-error/responses-stream/error-object | responses-stream | error-object |
        | http:5xx/upstream-error/messages/error-object         | messages         | error-object |
        | http:5xx/upstream-error/messages-stream/error-object  | messages-stream  | error-object |
        | http:5xx/upstream-error/gemini/error-object           | gemini           | error-object |
        | http:5xx/upstream-error/gemini-stream/error-object    | gemini-stream    | error-object |
        | http:5xx/upstream-error/embeddings/error-object       | embeddings       | error-object |

      Examples: mid-stream - the upstream sends its own error event in the middle of its content
        | case                                                | surface          | variant    |
        | http:5xx/upstream-error/chat-stream/mid-stream      | chat-stream      | mid-stream |
        | http:5xx/upstream-error/responses-stream/mid-stream | responses-stream | mid-stream |
        | http:5xx/upstream-error/messages-stream/mid-stream  | messages-stream  | mid-stream |
        | http:5xx/upstream-error/gemini-stream/mid-stream    | gemini-stream    | mid-stream |

    Scenario Outline: <case>
      Given the circumstance "gateway-error": the gateway's own part fails (its store is gone)
      When a client calls "<surface>"
      Then the status is 5xx
      And the error code is one of table 2
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is called no more often than allowed

      Examples: the store that holds the gateway's keys is gone
        | case                                    | surface          |
        | http:5xx/gateway-error/chat             | chat             |
        | http:5xx/gateway-error/chat-stream      | chat-stream      |
        | http:5xx/gateway-error/completions      | completions      |
        | http:5xx/gateway-error/responses        | responses        |
        | http:5xx/gateway-error/responses-stream | responses-stream |
        | http:5xx/gateway-error/messages         | messages         |
        | http:5xx/gateway-error/messages-stream  | messages-stream  |
        | http:5xx/gateway-error/gemini           | gemini           |
        | http:5xx/gateway-error/gemini-stream    | gemini-stream    |
        | http:5xx/gateway-error/embeddings       | embeddings       |
