Feature: Under load: a provider that fails

  The failures of one provider are told to those who asked it. A breaker that opens for everybody is a second failure.

  Rule: http:5xx - "Upstream / gateway error", common cause: "Retry or contact support"

    Scenario Outline: <case>
      Given the circumstance "upstream-error": the provider fails
      When many callers ask on "<surface>"
      Then every other answer is the error of this row, whole and in the caller's dialect
      And the provider is left in peace when its caller has gone
      And the healthy calls beside it are as sure and as quick as before
      And nothing is left behind, and all is well again in time

      Examples: under-load - the provider fails on a share of the calls while others go on
        | case                                         | surface   |
        | http:5xx/upstream-error/chat/under-load      | chat      |
        | http:5xx/upstream-error/responses/under-load | responses |
        | http:5xx/upstream-error/messages/under-load  | messages  |
        | http:5xx/upstream-error/gemini/under-load    | gemini    |
