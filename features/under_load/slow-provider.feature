Feature: Under load: a provider that is too slow

  One provider that hangs must cost its own callers the gateway's time limit, and everybody else nothing.

  Rule: code:channel:response_time_exceeded - "Upstream timeout", what to do: "Retry; shrink the request if needed"

    Scenario Outline: <case>
      Given the circumstance "slow-upstream": the provider does not answer within the gateway's limit
      When many callers ask on "<surface>"
      Then the gateway gives up on the provider in its time
      And every other answer is the error of this row, whole and in the caller's dialect
      And the provider is left in peace when its caller has gone
      And the healthy calls beside it are as sure and as quick as before
      And nothing is left behind, and all is well again in time

      Examples: under-load - the provider hangs or falls silent on a share of the calls while others go on
        | case                                                                   | surface   |
        | code:channel:response_time_exceeded/slow-upstream/chat/under-load      | chat      |
        | code:channel:response_time_exceeded/slow-upstream/responses/under-load | responses |
        | code:channel:response_time_exceeded/slow-upstream/messages/under-load  | messages  |
        | code:channel:response_time_exceeded/slow-upstream/gemini/under-load    | gemini    |
