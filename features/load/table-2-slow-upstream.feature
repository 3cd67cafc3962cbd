Feature: Load: an upstream that is too slow

  If the upstream hangs, the gateway ends each waiting call as soon as the declared timeout expires. Other calls are not
  delayed.

  Rule: code:channel:response_time_exceeded - "Upstream timeout", what to do: "Retry; shrink the request if needed"

    Scenario Outline: <case>
      Given the circumstance "slow-upstream": the provider does not answer within the gateway's limit
      When many clients call "<surface>"
      Then the gateway stops waiting for the upstream when its declared timeout expires
      And every error response has this row's status and code, is complete and in the client's API format, and leaks no internals
      And the upstream is called no more often than limits.attempts allows
      And the upstream call is cancelled once the gateway times out or the client disconnects
      And healthy calls succeed as often and as fast as before the outage
      And no upstream call stays open, calls succeed again within settle.recovery, and the gateway handles as many concurrent calls as before the outage

      Examples: under-load - the upstream hangs or stalls on some of the calls while the others succeed
        | case                                                                   | surface   |
        | code:channel:response_time_exceeded/slow-upstream/chat/under-load      | chat      |
        | code:channel:response_time_exceeded/slow-upstream/responses/under-load | responses |
        | code:channel:response_time_exceeded/slow-upstream/messages/under-load  | messages  |
        | code:channel:response_time_exceeded/slow-upstream/gemini/under-load    | gemini    |
