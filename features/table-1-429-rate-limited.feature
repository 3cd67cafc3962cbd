Feature: Table 1: 429 Rate limited

  The request is valid but was sent too soon. The response says when to retry.

  Rule: http:429 - "Rate limited", common cause: "See Rate Limits"

    Scenario Outline: <case>
      Given the circumstance "over-rate-limit": more requests in a window than the key's limit
      When a client calls "<surface>"
      Then the status is 429
      And the response says when to retry
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is not called, and no other caller is affected

      Examples: gatecert sends requests until the gateway refuses one, then judges the refusal
        | case                                      | surface          |
        | http:429/over-rate-limit/chat             | chat             |
        | http:429/over-rate-limit/chat-stream      | chat-stream      |
        | http:429/over-rate-limit/completions      | completions      |
        | http:429/over-rate-limit/responses        | responses        |
        | http:429/over-rate-limit/responses-stream | responses-stream |
        | http:429/over-rate-limit/embeddings       | embeddings       |
        | http:429/over-rate-limit/images           | images           |
        | http:429/over-rate-limit/speech           | speech           |
        | http:429/over-rate-limit/transcriptions   | transcriptions   |
        | http:429/over-rate-limit/moderations      | moderations      |
        | http:429/over-rate-limit/rerank           | rerank           |
        | http:429/over-rate-limit/models           | models           |
        | http:429/over-rate-limit/messages         | messages         |
        | http:429/over-rate-limit/messages-stream  | messages-stream  |
        | http:429/over-rate-limit/count-tokens     | count-tokens     |
        | http:429/over-rate-limit/gemini           | gemini           |
        | http:429/over-rate-limit/gemini-stream    | gemini-stream    |
