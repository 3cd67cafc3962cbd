Feature: Table 1: 5xx Upstream / gateway error

  The caller did nothing wrong. Trying again may help.

  Rule: http:5xx - "Upstream / gateway error", common cause: "Retry or contact support"

    Scenario Outline: <case>
      Given the circumstance "upstream-error": the provider fails
      When a caller asks on "<surface>" in the way "<variant>"
      Then the status is 5xx
      And the error code is one of table 2
      And the error is whole and in the caller's dialect
      And nothing that must stay inside is shown
      And the provider is asked within bounds

      Examples: error-object - the provider answers 500 with its own error object
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

      Examples: mid-stream - the provider sends its own error event in the middle of its content
        | case                                                | surface          | variant    |
        | http:5xx/upstream-error/chat-stream/mid-stream      | chat-stream      | mid-stream |
        | http:5xx/upstream-error/responses-stream/mid-stream | responses-stream | mid-stream |
        | http:5xx/upstream-error/messages-stream/mid-stream  | messages-stream  | mid-stream |
        | http:5xx/upstream-error/gemini-stream/mid-stream    | gemini-stream    | mid-stream |

    Scenario Outline: <case>
      Given the circumstance "gateway-error": the gateway's own part fails (its store is gone)
      When a caller asks on "<surface>"
      Then the status is 5xx
      And the error code is one of table 2
      And the error is whole and in the caller's dialect
      And nothing that must stay inside is shown
      And the provider is asked within bounds

      Examples: the store the gateway reads its keys from is gone
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
