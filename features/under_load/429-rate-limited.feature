Feature: Under load: 429 Rate limited

  A limit is a promise to everybody at once: who keeps to it is served, who does not is told when to come back, and
  nobody else feels it.

  Rule: http:429 - "Rate limited", common cause: "See Rate Limits"

    Scenario Outline: <case>
      Given the circumstance "over-rate-limit": more requests in a window than the key's limit
      When many callers ask on "<surface>"
      Then as many are admitted as the limit allows, one by one and all at once
      And every other answer is the error of this row, whole and in the caller's dialect
      And what the answers say about the limit is true
      And the refused calls are free, and nobody else feels them
      And calls are admitted again when the limit is

      Examples: under-load - callers go over the limit one by one, all at once, and again after a rest
        | case                                          | surface   |
        | http:429/over-rate-limit/chat/under-load      | chat      |
        | http:429/over-rate-limit/responses/under-load | responses |
        | http:429/over-rate-limit/messages/under-load  | messages  |
        | http:429/over-rate-limit/gemini/under-load    | gemini    |
