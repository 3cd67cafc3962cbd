Feature: Load: an upstream that fails

  The upstream fails on some of the calls, and only those calls may fail. A circuit breaker that also rejects healthy
  calls makes the outage worse.

  Rule: http:5xx - "Upstream / gateway error", common cause: "Retry or contact support"

    Scenario Outline: <case>
      Given the circumstance "upstream-error": the provider fails
      When many clients call "<surface>"
      Then every error response has this row's status and code, is complete and in the client's API format, and leaks no internals
      And the upstream is called no more often than limits.attempts allows
      And healthy calls succeed as often and as fast as before the outage
      And no upstream call stays open, calls succeed again within settle.recovery, and the gateway handles as many concurrent calls as before the outage

      Examples: under-load - the upstream fails on some of the calls while the others succeed
        | case                                         | surface   |
        | http:5xx/upstream-error/chat/under-load      | chat      |
        | http:5xx/upstream-error/responses/under-load | responses |
        | http:5xx/upstream-error/messages/under-load  | messages  |
        | http:5xx/upstream-error/gemini/under-load    | gemini    |
