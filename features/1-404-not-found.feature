Feature: Table 1: 404 Not found

  What the caller asks for is not there.

  Rule: http:404 - "Not found", common cause: "Path or model does not exist"

    Scenario Outline: <case>
      Given the circumstance "unknown-path": a path under the API root that does not exist (and the right path with the wrong method)
      When a caller asks on "<surface>" in the way "<variant>"
      Then the status is 404
      And the error code is one of table 2
      And the error is whole and in the caller's dialect
      And nothing that must stay inside is shown
      And the provider is asked within bounds

      Examples: no-such-path - a path beside the surface's own that does not exist
        | case                                           | surface     | variant      |
        | http:404/unknown-path/chat/no-such-path        | chat        | no-such-path |
        | http:404/unknown-path/completions/no-such-path | completions | no-such-path |
        | http:404/unknown-path/responses/no-such-path   | responses   | no-such-path |
        | http:404/unknown-path/messages/no-such-path    | messages    | no-such-path |
        | http:404/unknown-path/gemini/no-such-path      | gemini      | no-such-path |
        | http:404/unknown-path/embeddings/no-such-path  | embeddings  | no-such-path |

      Examples: wrong-method - the surface's own path with DELETE
        | case                                           | surface     | variant      |
        | http:404/unknown-path/chat/wrong-method        | chat        | wrong-method |
        | http:404/unknown-path/completions/wrong-method | completions | wrong-method |
        | http:404/unknown-path/responses/wrong-method   | responses   | wrong-method |
        | http:404/unknown-path/messages/wrong-method    | messages    | wrong-method |
        | http:404/unknown-path/gemini/wrong-method      | gemini      | wrong-method |
        | http:404/unknown-path/embeddings/wrong-method  | embeddings  | wrong-method |

    Scenario Outline: <case>
      Given the circumstance "unknown-model": a model name that does not exist
      When a caller asks on "<surface>"
      Then the status is 404
      And the error code is one of table 2
      And the error is whole and in the caller's dialect
      And nothing that must stay inside is shown
      And the provider is asked within bounds

      Examples: the status alone is judged here, the code by code:model_not_found
        | case                                    | surface          |
        | http:404/unknown-model/chat             | chat             |
        | http:404/unknown-model/chat-stream      | chat-stream      |
        | http:404/unknown-model/completions      | completions      |
        | http:404/unknown-model/responses        | responses        |
        | http:404/unknown-model/responses-stream | responses-stream |
        | http:404/unknown-model/messages         | messages         |
        | http:404/unknown-model/messages-stream  | messages-stream  |
        | http:404/unknown-model/gemini           | gemini           |
        | http:404/unknown-model/gemini-stream    | gemini-stream    |
        | http:404/unknown-model/embeddings       | embeddings       |
