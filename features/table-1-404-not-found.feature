Feature: Table 1: 404 Not found

  The path or the model does not exist.

  Rule: http:404 - "Not found", common cause: "Path or model does not exist"

    Scenario Outline: <case>
      Given the circumstance "unknown-path": a path under the API root that does not exist (and the right path with the wrong method)
      When a client calls "<surface>" with variant "<variant>"
      Then the status is 404
      And the error code is listed in table 2 of the contract
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is called no more often than limits.attempts allows, and no other caller is affected

      Examples: no-such-path - a nonexistent path that is similar to the endpoint's own path
        | case                                              | surface        | variant      |
        | http:404/unknown-path/chat/no-such-path           | chat           | no-such-path |
        | http:404/unknown-path/completions/no-such-path    | completions    | no-such-path |
        | http:404/unknown-path/responses/no-such-path      | responses      | no-such-path |
        | http:404/unknown-path/embeddings/no-such-path     | embeddings     | no-such-path |
        | http:404/unknown-path/images/no-such-path         | images         | no-such-path |
        | http:404/unknown-path/speech/no-such-path         | speech         | no-such-path |
        | http:404/unknown-path/transcriptions/no-such-path | transcriptions | no-such-path |
        | http:404/unknown-path/moderations/no-such-path    | moderations    | no-such-path |
        | http:404/unknown-path/rerank/no-such-path         | rerank         | no-such-path |
        | http:404/unknown-path/models/no-such-path         | models         | no-such-path |
        | http:404/unknown-path/messages/no-such-path       | messages       | no-such-path |
        | http:404/unknown-path/count-tokens/no-such-path   | count-tokens   | no-such-path |
        | http:404/unknown-path/gemini/no-such-path         | gemini         | no-such-path |

      Examples: get - a browser-like GET request for a path that does not exist
        | case                                     | surface        | variant |
        | http:404/unknown-path/chat/get           | chat           | get     |
        | http:404/unknown-path/completions/get    | completions    | get     |
        | http:404/unknown-path/responses/get      | responses      | get     |
        | http:404/unknown-path/embeddings/get     | embeddings     | get     |
        | http:404/unknown-path/images/get         | images         | get     |
        | http:404/unknown-path/speech/get         | speech         | get     |
        | http:404/unknown-path/transcriptions/get | transcriptions | get     |
        | http:404/unknown-path/moderations/get    | moderations    | get     |
        | http:404/unknown-path/rerank/get         | rerank         | get     |
        | http:404/unknown-path/models/get         | models         | get     |
        | http:404/unknown-path/messages/get       | messages       | get     |
        | http:404/unknown-path/count-tokens/get   | count-tokens   | get     |
        | http:404/unknown-path/gemini/get         | gemini         | get     |

      Examples: wrong-method - a DELETE request to the endpoint's own path
        | case                                              | surface        | variant      |
        | http:404/unknown-path/chat/wrong-method           | chat           | wrong-method |
        | http:404/unknown-path/completions/wrong-method    | completions    | wrong-method |
        | http:404/unknown-path/responses/wrong-method      | responses      | wrong-method |
        | http:404/unknown-path/embeddings/wrong-method     | embeddings     | wrong-method |
        | http:404/unknown-path/images/wrong-method         | images         | wrong-method |
        | http:404/unknown-path/speech/wrong-method         | speech         | wrong-method |
        | http:404/unknown-path/transcriptions/wrong-method | transcriptions | wrong-method |
        | http:404/unknown-path/moderations/wrong-method    | moderations    | wrong-method |
        | http:404/unknown-path/rerank/wrong-method         | rerank         | wrong-method |
        | http:404/unknown-path/messages/wrong-method       | messages       | wrong-method |
        | http:404/unknown-path/count-tokens/wrong-method   | count-tokens   | wrong-method |
        | http:404/unknown-path/gemini/wrong-method         | gemini         | wrong-method |

    Scenario Outline: <case>
      Given the circumstance "unknown-path": a path under the API root that does not exist (and the right path with the wrong method)
      When a client calls "<surface>" with variant "<variant>"
      Then the status is 404 or 501
      And the error code is listed in table 2 of the contract
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is called no more often than limits.attempts allows, and no other caller is affected

      Examples: unsupported - a request to count tokens for a model whose upstream cannot count tokens
        | case                                           | surface      | variant     |
        | http:404/unknown-path/count-tokens/unsupported | count-tokens | unsupported |

    Scenario Outline: <case>
      Given the circumstance "unknown-model": a model name that does not exist
      When a client calls "<surface>"
      Then the status is 404
      And the error code is listed in table 2 of the contract
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is called no more often than limits.attempts allows, and no other caller is affected

      Examples: this row requires the status 404; the row code:model_not_found also requires the code model_not_found
        | case                                    | surface          |
        | http:404/unknown-model/chat             | chat             |
        | http:404/unknown-model/chat-stream      | chat-stream      |
        | http:404/unknown-model/completions      | completions      |
        | http:404/unknown-model/responses        | responses        |
        | http:404/unknown-model/responses-stream | responses-stream |
        | http:404/unknown-model/embeddings       | embeddings       |
        | http:404/unknown-model/images           | images           |
        | http:404/unknown-model/speech           | speech           |
        | http:404/unknown-model/transcriptions   | transcriptions   |
        | http:404/unknown-model/moderations      | moderations      |
        | http:404/unknown-model/rerank           | rerank           |
        | http:404/unknown-model/models           | models           |
        | http:404/unknown-model/messages         | messages         |
        | http:404/unknown-model/messages-stream  | messages-stream  |
        | http:404/unknown-model/count-tokens     | count-tokens     |
        | http:404/unknown-model/gemini           | gemini           |
        | http:404/unknown-model/gemini-stream    | gemini-stream    |
