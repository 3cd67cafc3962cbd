Feature: Load: a declared rate limit

  The gateway admits calls within the limit and says when to retry a refused call. Other clients are not affected.

  Rule: http:429 - "Rate limited", common cause: "See Rate Limits"

    Scenario Outline: <case>
      Given the circumstance "over-rate-limit": more requests in a window than the key's limit
      When many clients call "<surface>"
      Then the gateway admits exactly as many calls as the limit allows, whether they are sent one at a time or all at once
      And every error response has this row's status and code, is complete and in the client's API format, and leaks no internals
      And Retry-After and the rate-limit headers are correct
      And the gateway passes on the Retry-After of a 429 from the upstream
      And refused calls cost nothing, and the gateway admits calls again once the limit allows them
      And other keys are not affected; streaming calls share the limit or have a separate limit, as the profile declares; calls no longer count against the limit once their client disconnects

      Examples: under-load - clients send more calls than the limit allows: one at a time, many at once, and again after a pause
        | case                                          | surface   |
        | http:429/over-rate-limit/chat/under-load      | chat      |
        | http:429/over-rate-limit/responses/under-load | responses |
        | http:429/over-rate-limit/messages/under-load  | messages  |
        | http:429/over-rate-limit/gemini/under-load    | gemini    |
