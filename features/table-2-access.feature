Feature: Table 2: access codes

  The client requests something that it may not use or that does not exist.

  Rule: code:access_denied - "Access denied", what to do: "Check key, permissions, and group"

    # The contract implies status 403 but does not state it, so any other 4xx causes a warning, not a failure.
    Scenario Outline: <case>
      Given the circumstance "denied-access": a valid key used where its permissions or group do not reach (for example outside its IP list)
      When a client calls "<surface>"
      Then the status is 403
      And the error code is "access_denied"
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is not called, and no other caller is affected

      Examples: the key's permissions or group do not allow the request
        | case                                              | surface          |
        | code:access_denied/denied-access/chat             | chat             |
        | code:access_denied/denied-access/chat-stream      | chat-stream      |
        | code:access_denied/denied-access/completions      | completions      |
        | code:access_denied/denied-access/responses        | responses        |
        | code:access_denied/denied-access/responses-stream | responses-stream |
        | code:access_denied/denied-access/embeddings       | embeddings       |
        | code:access_denied/denied-access/images           | images           |
        | code:access_denied/denied-access/speech           | speech           |
        | code:access_denied/denied-access/transcriptions   | transcriptions   |
        | code:access_denied/denied-access/moderations      | moderations      |
        | code:access_denied/denied-access/rerank           | rerank           |
        | code:access_denied/denied-access/models           | models           |
        | code:access_denied/denied-access/messages         | messages         |
        | code:access_denied/denied-access/messages-stream  | messages-stream  |
        | code:access_denied/denied-access/count-tokens     | count-tokens     |
        | code:access_denied/denied-access/gemini           | gemini           |
        | code:access_denied/denied-access/gemini-stream    | gemini-stream    |

  Rule: code:model_not_found - "Model not found", what to do: "Verify model and your plan’s models"

    Scenario Outline: <case>
      Given the circumstance "absent-model": a model name that does not exist
      When a client calls "<surface>"
      Then the status is 404
      And the error code is "model_not_found"
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is called no more often than limits.attempts allows, and no other caller is affected

      Examples: a model name invented for this call
        | case                                               | surface          |
        | code:model_not_found/absent-model/chat             | chat             |
        | code:model_not_found/absent-model/chat-stream      | chat-stream      |
        | code:model_not_found/absent-model/completions      | completions      |
        | code:model_not_found/absent-model/responses        | responses        |
        | code:model_not_found/absent-model/responses-stream | responses-stream |
        | code:model_not_found/absent-model/embeddings       | embeddings       |
        | code:model_not_found/absent-model/images           | images           |
        | code:model_not_found/absent-model/speech           | speech           |
        | code:model_not_found/absent-model/transcriptions   | transcriptions   |
        | code:model_not_found/absent-model/moderations      | moderations      |
        | code:model_not_found/absent-model/rerank           | rerank           |
        | code:model_not_found/absent-model/models           | models           |
        | code:model_not_found/absent-model/messages         | messages         |
        | code:model_not_found/absent-model/messages-stream  | messages-stream  |
        | code:model_not_found/absent-model/count-tokens     | count-tokens     |
        | code:model_not_found/absent-model/gemini           | gemini           |
        | code:model_not_found/absent-model/gemini-stream    | gemini-stream    |
