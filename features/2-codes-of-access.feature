Feature: Table 2: codes of access

  The caller asks for what it may not have, or for what is not there.

  Rule: code:access_denied - "Access denied", what to do: "Check key, permissions, and group"

    # The status 403 is derived: another one of its class is a warning, no failure.
    Scenario Outline: <case>
      Given the circumstance "denied-access": a valid key used where its permissions or group do not reach (for example outside its IP list)
      When a caller asks on "<surface>"
      Then the status is 403
      And the error code is "access_denied"
      And the error is whole and in the caller's dialect
      And nothing that must stay inside is shown
      And the provider is not asked

      Examples: the key is used where it may not be
        | case                                              | surface          |
        | code:access_denied/denied-access/chat             | chat             |
        | code:access_denied/denied-access/chat-stream      | chat-stream      |
        | code:access_denied/denied-access/completions      | completions      |
        | code:access_denied/denied-access/responses        | responses        |
        | code:access_denied/denied-access/responses-stream | responses-stream |
        | code:access_denied/denied-access/messages         | messages         |
        | code:access_denied/denied-access/messages-stream  | messages-stream  |
        | code:access_denied/denied-access/gemini           | gemini           |
        | code:access_denied/denied-access/gemini-stream    | gemini-stream    |
        | code:access_denied/denied-access/embeddings       | embeddings       |

  Rule: code:model_not_found - "Model not found", what to do: "Verify model and your plan’s models"

    Scenario Outline: <case>
      Given the circumstance "absent-model": a model name that does not exist
      When a caller asks on "<surface>"
      Then the status is 404
      And the error code is "model_not_found"
      And the error is whole and in the caller's dialect
      And nothing that must stay inside is shown
      And the provider is asked within bounds

      Examples: a model name made up for this call
        | case                                               | surface          |
        | code:model_not_found/absent-model/chat             | chat             |
        | code:model_not_found/absent-model/chat-stream      | chat-stream      |
        | code:model_not_found/absent-model/completions      | completions      |
        | code:model_not_found/absent-model/responses        | responses        |
        | code:model_not_found/absent-model/responses-stream | responses-stream |
        | code:model_not_found/absent-model/messages         | messages         |
        | code:model_not_found/absent-model/messages-stream  | messages-stream  |
        | code:model_not_found/absent-model/gemini           | gemini           |
        | code:model_not_found/absent-model/gemini-stream    | gemini-stream    |
        | code:model_not_found/absent-model/embeddings       | embeddings       |
