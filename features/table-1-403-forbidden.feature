Feature: Table 1: 403 Forbidden

  The gateway recognises the key but refuses the request.

  Rule: http:403 - "Forbidden", common cause: "Key revoked / no access to the model"

    Scenario Outline: <case>
      Given the circumstance "revoked-key": a key that was valid and was withdrawn
      When a client calls "<surface>"
      Then the status is 403
      And the error code is listed in table 2 of the contract
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is not called, and no other caller is affected

      Examples: a call with a revoked key for a model that the key was previously allowed to use
        | case                                  | surface          |
        | http:403/revoked-key/chat             | chat             |
        | http:403/revoked-key/chat-stream      | chat-stream      |
        | http:403/revoked-key/completions      | completions      |
        | http:403/revoked-key/responses        | responses        |
        | http:403/revoked-key/responses-stream | responses-stream |
        | http:403/revoked-key/embeddings       | embeddings       |
        | http:403/revoked-key/images           | images           |
        | http:403/revoked-key/speech           | speech           |
        | http:403/revoked-key/transcriptions   | transcriptions   |
        | http:403/revoked-key/moderations      | moderations      |
        | http:403/revoked-key/rerank           | rerank           |
        | http:403/revoked-key/models           | models           |
        | http:403/revoked-key/messages         | messages         |
        | http:403/revoked-key/messages-stream  | messages-stream  |
        | http:403/revoked-key/count-tokens     | count-tokens     |
        | http:403/revoked-key/gemini           | gemini           |
        | http:403/revoked-key/gemini-stream    | gemini-stream    |

    Scenario Outline: <case>
      Given the circumstance "revoked-key": a key that was valid and was withdrawn
      When a client calls "<surface>" with variant "<variant>"
      Then the status is 403
      And the error code is listed in table 2 of the contract
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is not called, and no other caller is affected

      Examples: list - a request for the model list with a revoked key
        | case                             | surface | variant |
        | http:403/revoked-key/models/list | models  | list    |

    Scenario Outline: <case>
      Given the circumstance "no-model-access": a valid key that may not use the asked model
      When a client calls "<surface>"
      Then the status is 403
      And the error code is listed in table 2 of the contract
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is not called, and no other caller is affected

      Examples: the request names a model that is not in the key's model list or group
        | case                                      | surface          |
        | http:403/no-model-access/chat             | chat             |
        | http:403/no-model-access/chat-stream      | chat-stream      |
        | http:403/no-model-access/completions      | completions      |
        | http:403/no-model-access/responses        | responses        |
        | http:403/no-model-access/responses-stream | responses-stream |
        | http:403/no-model-access/embeddings       | embeddings       |
        | http:403/no-model-access/images           | images           |
        | http:403/no-model-access/speech           | speech           |
        | http:403/no-model-access/transcriptions   | transcriptions   |
        | http:403/no-model-access/moderations      | moderations      |
        | http:403/no-model-access/rerank           | rerank           |
        | http:403/no-model-access/messages         | messages         |
        | http:403/no-model-access/messages-stream  | messages-stream  |
        | http:403/no-model-access/count-tokens     | count-tokens     |
        | http:403/no-model-access/gemini           | gemini           |
        | http:403/no-model-access/gemini-stream    | gemini-stream    |
