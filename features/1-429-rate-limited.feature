Feature: Table 1: 429 Rate limited

  The caller is right and too early. The answer says when to come back.

  Rule: http:429 - "Rate limited", common cause: "See Rate Limits"

    Scenario Outline: <case>
      Given the circumstance "over-rate-limit": more requests in a window than the key's limit
      When a caller asks on "<surface>"
      Then the status is 429
      And the answer says when to come back
      And the error is whole and in the caller's dialect
      And nothing that must stay inside is shown
      And the provider is not asked

      Examples: requests are sent until one is refused; that one is judged
        | case                                      | surface          |
        | http:429/over-rate-limit/chat             | chat             |
        | http:429/over-rate-limit/chat-stream      | chat-stream      |
        | http:429/over-rate-limit/completions      | completions      |
        | http:429/over-rate-limit/responses        | responses        |
        | http:429/over-rate-limit/responses-stream | responses-stream |
        | http:429/over-rate-limit/messages         | messages         |
        | http:429/over-rate-limit/messages-stream  | messages-stream  |
        | http:429/over-rate-limit/gemini           | gemini           |
        | http:429/over-rate-limit/gemini-stream    | gemini-stream    |
        | http:429/over-rate-limit/embeddings       | embeddings       |
