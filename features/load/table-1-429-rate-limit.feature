Feature: Load: a declared rate limit

  Calls within the limit are admitted, refused calls learn when to retry, and other clients are not affected.

  Rule: http:429 - "Rate limited", common cause: "See Rate Limits"

    Scenario Outline: <case>
      Given the circumstance "over-rate-limit": more requests in a window than the key's limit
      When many clients call "<surface>"
      Then the gateway admits exactly as many calls as the limit allows, both one at a time and all at once
      And every error response has this row's error, is complete and in the client's API format, and leaks no internals
      And Retry-After and the rate-limit headers are correct
      And a 429 from the upstream keeps its Retry-After
      And refused calls cost nothing, and the gateway admits calls again once the limit allows them
      And other keys are not affected, streaming calls count against the limit as declared, and disconnected callers no longer count

      Examples: under-load - clients exceed the limit with one call at a time, with many calls at once, and again after a pause
        | case                                          | surface   |
        | http:429/over-rate-limit/chat/under-load      | chat      |
        | http:429/over-rate-limit/responses/under-load | responses |
        | http:429/over-rate-limit/messages/under-load  | messages  |
        | http:429/over-rate-limit/gemini/under-load    | gemini    |
