Feature: Table 2: content codes

  The request is well-formed, but its content cannot be processed.

  Rule: code:sensitive_words_detected - "Sensitive content detected", what to do: "Adjust the input"

    # The contract implies status 400 but does not state it, so any other 4xx causes a warning, not a failure.
    Scenario Outline: <case>
      Given the circumstance "sensitive-content": a prompt with a word on the gateway's list
      When a client calls "<surface>"
      Then the status is 400
      And the error code is "sensitive_words_detected"
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is not called, and no other caller is affected

      Examples: the prompt contains a word on the gateway's list of sensitive words
        | case                                                             | surface          |
        | code:sensitive_words_detected/sensitive-content/chat             | chat             |
        | code:sensitive_words_detected/sensitive-content/chat-stream      | chat-stream      |
        | code:sensitive_words_detected/sensitive-content/completions      | completions      |
        | code:sensitive_words_detected/sensitive-content/responses        | responses        |
        | code:sensitive_words_detected/sensitive-content/responses-stream | responses-stream |
        | code:sensitive_words_detected/sensitive-content/embeddings       | embeddings       |
        | code:sensitive_words_detected/sensitive-content/images           | images           |
        | code:sensitive_words_detected/sensitive-content/speech           | speech           |
        | code:sensitive_words_detected/sensitive-content/transcriptions   | transcriptions   |
        | code:sensitive_words_detected/sensitive-content/moderations      | moderations      |
        | code:sensitive_words_detected/sensitive-content/rerank           | rerank           |
        | code:sensitive_words_detected/sensitive-content/messages         | messages         |
        | code:sensitive_words_detected/sensitive-content/messages-stream  | messages-stream  |
        | code:sensitive_words_detected/sensitive-content/count-tokens     | count-tokens     |
        | code:sensitive_words_detected/sensitive-content/gemini           | gemini           |
        | code:sensitive_words_detected/sensitive-content/gemini-stream    | gemini-stream    |

  Rule: code:prompt_blocked - "Prompt was blocked", what to do: "Adjust the prompt"

    # The contract implies status 400 but does not state it, so any other 4xx causes a warning, not a failure.
    Scenario Outline: <case>
      Given the circumstance "blocked-prompt": the provider refuses the prompt on policy grounds
      When a client calls "<surface>"
      Then the status is 400
      And the error code is "prompt_blocked"
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is called no more often than limits.attempts allows, and no other caller is affected
      And the request is not billed

      Examples: the upstream refuses the prompt in the way that its API format defines
        | case                                                | surface          |
        | code:prompt_blocked/blocked-prompt/chat             | chat             |
        | code:prompt_blocked/blocked-prompt/chat-stream      | chat-stream      |
        | code:prompt_blocked/blocked-prompt/completions      | completions      |
        | code:prompt_blocked/blocked-prompt/responses        | responses        |
        | code:prompt_blocked/blocked-prompt/responses-stream | responses-stream |
        | code:prompt_blocked/blocked-prompt/images           | images           |
        | code:prompt_blocked/blocked-prompt/messages         | messages         |
        | code:prompt_blocked/blocked-prompt/messages-stream  | messages-stream  |
        | code:prompt_blocked/blocked-prompt/gemini           | gemini           |
        | code:prompt_blocked/blocked-prompt/gemini-stream    | gemini-stream    |

  Rule: code:count_token_failed - "Token counting failed", what to do: "Check input and retry"

    # The contract implies status 400 or 5xx but does not state it, so any other 4xx causes a warning, not a failure.
    Scenario Outline: <case>
      Given the circumstance "uncountable-input": input whose tokens cannot be counted (for example a corrupt image or audio part)
      When a client calls "<surface>"
      Then the status is 400 or 5xx
      And the error code is "count_token_failed"
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is not called, and no other caller is affected

      Examples: the input's tokens cannot be counted
        | case                                                       | surface          |
        | code:count_token_failed/uncountable-input/chat             | chat             |
        | code:count_token_failed/uncountable-input/chat-stream      | chat-stream      |
        | code:count_token_failed/uncountable-input/completions      | completions      |
        | code:count_token_failed/uncountable-input/responses        | responses        |
        | code:count_token_failed/uncountable-input/responses-stream | responses-stream |
        | code:count_token_failed/uncountable-input/embeddings       | embeddings       |
        | code:count_token_failed/uncountable-input/transcriptions   | transcriptions   |
        | code:count_token_failed/uncountable-input/messages         | messages         |
        | code:count_token_failed/uncountable-input/messages-stream  | messages-stream  |
        | code:count_token_failed/uncountable-input/count-tokens     | count-tokens     |
        | code:count_token_failed/uncountable-input/gemini           | gemini           |
        | code:count_token_failed/uncountable-input/gemini-stream    | gemini-stream    |
