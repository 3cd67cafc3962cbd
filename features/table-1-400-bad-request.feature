Feature: Table 1: 400 Bad request

  The request is invalid, so a retry of the same request cannot succeed.

  Rule: http:400 - "Bad request", common cause: "Missing / malformed parameters"

    Scenario Outline: <case>
      Given the circumstance "missing-parameter": valid JSON without a required field (no messages / no input / no model)
      When a client calls "<surface>" with variant "<variant>"
      Then the status is 400
      And the error code is listed in table 2 of the contract
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is called no more often than limits.attempts allows, and no other caller is affected

      Examples: no-model - the request body has no model field
        | case                                                 | surface          | variant  |
        | http:400/missing-parameter/chat/no-model             | chat             | no-model |
        | http:400/missing-parameter/chat-stream/no-model      | chat-stream      | no-model |
        | http:400/missing-parameter/completions/no-model      | completions      | no-model |
        | http:400/missing-parameter/responses/no-model        | responses        | no-model |
        | http:400/missing-parameter/responses-stream/no-model | responses-stream | no-model |
        | http:400/missing-parameter/embeddings/no-model       | embeddings       | no-model |
        | http:400/missing-parameter/speech/no-model           | speech           | no-model |
        | http:400/missing-parameter/transcriptions/no-model   | transcriptions   | no-model |
        | http:400/missing-parameter/rerank/no-model           | rerank           | no-model |
        | http:400/missing-parameter/messages/no-model         | messages         | no-model |
        | http:400/missing-parameter/messages-stream/no-model  | messages-stream  | no-model |
        | http:400/missing-parameter/count-tokens/no-model     | count-tokens     | no-model |

      Examples: no-input - the request body has no messages, input, prompt, query, file or contents field
        | case                                                 | surface          | variant  |
        | http:400/missing-parameter/chat/no-input             | chat             | no-input |
        | http:400/missing-parameter/chat-stream/no-input      | chat-stream      | no-input |
        | http:400/missing-parameter/completions/no-input      | completions      | no-input |
        | http:400/missing-parameter/responses/no-input        | responses        | no-input |
        | http:400/missing-parameter/responses-stream/no-input | responses-stream | no-input |
        | http:400/missing-parameter/embeddings/no-input       | embeddings       | no-input |
        | http:400/missing-parameter/images/no-input           | images           | no-input |
        | http:400/missing-parameter/speech/no-input           | speech           | no-input |
        | http:400/missing-parameter/transcriptions/no-input   | transcriptions   | no-input |
        | http:400/missing-parameter/moderations/no-input      | moderations      | no-input |
        | http:400/missing-parameter/rerank/no-input           | rerank           | no-input |
        | http:400/missing-parameter/messages/no-input         | messages         | no-input |
        | http:400/missing-parameter/messages-stream/no-input  | messages-stream  | no-input |
        | http:400/missing-parameter/count-tokens/no-input     | count-tokens     | no-input |
        | http:400/missing-parameter/gemini/no-input           | gemini           | no-input |
        | http:400/missing-parameter/gemini-stream/no-input    | gemini-stream    | no-input |

      Examples: other-name - the form contains the file in a field with the wrong name
        | case                                                 | surface        | variant    |
        | http:400/missing-parameter/transcriptions/other-name | transcriptions | other-name |

    Scenario Outline: <case>
      Given the circumstance "malformed-parameter": a field of the wrong type or out of range
      When a client calls "<surface>" with variant "<variant>"
      Then the status is 400
      And the error code is listed in table 2 of the contract
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is called no more often than limits.attempts allows, and no other caller is affected

      Examples: wrong-type - a field (messages, input, prompt, query, file or contents) has the wrong type
        | case                                                     | surface          | variant    |
        | http:400/malformed-parameter/chat/wrong-type             | chat             | wrong-type |
        | http:400/malformed-parameter/chat-stream/wrong-type      | chat-stream      | wrong-type |
        | http:400/malformed-parameter/completions/wrong-type      | completions      | wrong-type |
        | http:400/malformed-parameter/responses/wrong-type        | responses        | wrong-type |
        | http:400/malformed-parameter/responses-stream/wrong-type | responses-stream | wrong-type |
        | http:400/malformed-parameter/embeddings/wrong-type       | embeddings       | wrong-type |
        | http:400/malformed-parameter/images/wrong-type           | images           | wrong-type |
        | http:400/malformed-parameter/speech/wrong-type           | speech           | wrong-type |
        | http:400/malformed-parameter/transcriptions/wrong-type   | transcriptions   | wrong-type |
        | http:400/malformed-parameter/moderations/wrong-type      | moderations      | wrong-type |
        | http:400/malformed-parameter/rerank/wrong-type           | rerank           | wrong-type |
        | http:400/malformed-parameter/messages/wrong-type         | messages         | wrong-type |
        | http:400/malformed-parameter/messages-stream/wrong-type  | messages-stream  | wrong-type |
        | http:400/malformed-parameter/count-tokens/wrong-type     | count-tokens     | wrong-type |
        | http:400/malformed-parameter/gemini/wrong-type           | gemini           | wrong-type |
        | http:400/malformed-parameter/gemini-stream/wrong-type    | gemini-stream    | wrong-type |

      Examples: out-of-range - a temperature of 99
        | case                                                       | surface          | variant      |
        | http:400/malformed-parameter/chat/out-of-range             | chat             | out-of-range |
        | http:400/malformed-parameter/chat-stream/out-of-range      | chat-stream      | out-of-range |
        | http:400/malformed-parameter/completions/out-of-range      | completions      | out-of-range |
        | http:400/malformed-parameter/responses/out-of-range        | responses        | out-of-range |
        | http:400/malformed-parameter/responses-stream/out-of-range | responses-stream | out-of-range |
        | http:400/malformed-parameter/messages/out-of-range         | messages         | out-of-range |
        | http:400/malformed-parameter/messages-stream/out-of-range  | messages-stream  | out-of-range |
        | http:400/malformed-parameter/gemini/out-of-range           | gemini           | out-of-range |
        | http:400/malformed-parameter/gemini-stream/out-of-range    | gemini-stream    | out-of-range |

    # The upstream refuses the request. Any 4xx is right, because the caller has to change the request. A 5xx causes a warning, not a failure.
    Scenario Outline: <case>
      Given the circumstance "malformed-parameter": a field of the wrong type or out of range
      When a client calls "<surface>" with variant "<variant>"
      Then the status is 4xx
      And the error code is listed in table 2 of the contract
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is called no more often than limits.attempts allows, and no other caller is affected
      And the request is not billed

      Examples: refused-400 - the upstream rejects a parameter with 400 and its own error object
        | case                                                      | surface          | variant     |
        | http:400/malformed-parameter/chat/refused-400             | chat             | refused-400 |
        | http:400/malformed-parameter/chat-stream/refused-400      | chat-stream      | refused-400 |
        | http:400/malformed-parameter/completions/refused-400      | completions      | refused-400 |
        | http:400/malformed-parameter/responses/refused-400        | responses        | refused-400 |
        | http:400/malformed-parameter/responses-stream/refused-400 | responses-stream | refused-400 |
        | http:400/malformed-parameter/embeddings/refused-400       | embeddings       | refused-400 |
        | http:400/malformed-parameter/images/refused-400           | images           | refused-400 |
        | http:400/malformed-parameter/speech/refused-400           | speech           | refused-400 |
        | http:400/malformed-parameter/transcriptions/refused-400   | transcriptions   | refused-400 |
        | http:400/malformed-parameter/moderations/refused-400      | moderations      | refused-400 |
        | http:400/malformed-parameter/rerank/refused-400           | rerank           | refused-400 |
        | http:400/malformed-parameter/messages/refused-400         | messages         | refused-400 |
        | http:400/malformed-parameter/messages-stream/refused-400  | messages-stream  | refused-400 |
        | http:400/malformed-parameter/count-tokens/refused-400     | count-tokens     | refused-400 |
        | http:400/malformed-parameter/gemini/refused-400           | gemini           | refused-400 |
        | http:400/malformed-parameter/gemini-stream/refused-400    | gemini-stream    | refused-400 |

      Examples: refused-404 - a parameter refers to something that the upstream does not have, so the upstream returns 404 with its own error object
        | case                                                      | surface          | variant     |
        | http:400/malformed-parameter/chat/refused-404             | chat             | refused-404 |
        | http:400/malformed-parameter/chat-stream/refused-404      | chat-stream      | refused-404 |
        | http:400/malformed-parameter/completions/refused-404      | completions      | refused-404 |
        | http:400/malformed-parameter/responses/refused-404        | responses        | refused-404 |
        | http:400/malformed-parameter/responses-stream/refused-404 | responses-stream | refused-404 |
        | http:400/malformed-parameter/embeddings/refused-404       | embeddings       | refused-404 |
        | http:400/malformed-parameter/images/refused-404           | images           | refused-404 |
        | http:400/malformed-parameter/speech/refused-404           | speech           | refused-404 |
        | http:400/malformed-parameter/transcriptions/refused-404   | transcriptions   | refused-404 |
        | http:400/malformed-parameter/moderations/refused-404      | moderations      | refused-404 |
        | http:400/malformed-parameter/rerank/refused-404           | rerank           | refused-404 |
        | http:400/malformed-parameter/messages/refused-404         | messages         | refused-404 |
        | http:400/malformed-parameter/messages-stream/refused-404  | messages-stream  | refused-404 |
        | http:400/malformed-parameter/count-tokens/refused-404     | count-tokens     | refused-404 |
        | http:400/malformed-parameter/gemini/refused-404           | gemini           | refused-404 |
        | http:400/malformed-parameter/gemini-stream/refused-404    | gemini-stream    | refused-404 |

      Examples: refused-413 - the upstream rejects the input as too large, with 413 and its own error object
        | case                                                      | surface          | variant     |
        | http:400/malformed-parameter/chat/refused-413             | chat             | refused-413 |
        | http:400/malformed-parameter/chat-stream/refused-413      | chat-stream      | refused-413 |
        | http:400/malformed-parameter/completions/refused-413      | completions      | refused-413 |
        | http:400/malformed-parameter/responses/refused-413        | responses        | refused-413 |
        | http:400/malformed-parameter/responses-stream/refused-413 | responses-stream | refused-413 |
        | http:400/malformed-parameter/embeddings/refused-413       | embeddings       | refused-413 |
        | http:400/malformed-parameter/images/refused-413           | images           | refused-413 |
        | http:400/malformed-parameter/speech/refused-413           | speech           | refused-413 |
        | http:400/malformed-parameter/transcriptions/refused-413   | transcriptions   | refused-413 |
        | http:400/malformed-parameter/moderations/refused-413      | moderations      | refused-413 |
        | http:400/malformed-parameter/rerank/refused-413           | rerank           | refused-413 |
        | http:400/malformed-parameter/messages/refused-413         | messages         | refused-413 |
        | http:400/malformed-parameter/messages-stream/refused-413  | messages-stream  | refused-413 |
        | http:400/malformed-parameter/count-tokens/refused-413     | count-tokens     | refused-413 |
        | http:400/malformed-parameter/gemini/refused-413           | gemini           | refused-413 |
        | http:400/malformed-parameter/gemini-stream/refused-413    | gemini-stream    | refused-413 |

      Examples: refused-422 - the upstream rejects a parameter with 422 and its own error object, in which the code is a number
        | case                                                      | surface          | variant     |
        | http:400/malformed-parameter/chat/refused-422             | chat             | refused-422 |
        | http:400/malformed-parameter/chat-stream/refused-422      | chat-stream      | refused-422 |
        | http:400/malformed-parameter/completions/refused-422      | completions      | refused-422 |
        | http:400/malformed-parameter/responses/refused-422        | responses        | refused-422 |
        | http:400/malformed-parameter/responses-stream/refused-422 | responses-stream | refused-422 |
        | http:400/malformed-parameter/embeddings/refused-422       | embeddings       | refused-422 |
        | http:400/malformed-parameter/images/refused-422           | images           | refused-422 |
        | http:400/malformed-parameter/speech/refused-422           | speech           | refused-422 |
        | http:400/malformed-parameter/transcriptions/refused-422   | transcriptions   | refused-422 |
        | http:400/malformed-parameter/moderations/refused-422      | moderations      | refused-422 |
        | http:400/malformed-parameter/rerank/refused-422           | rerank           | refused-422 |
        | http:400/malformed-parameter/messages/refused-422         | messages         | refused-422 |
        | http:400/malformed-parameter/messages-stream/refused-422  | messages-stream  | refused-422 |
        | http:400/malformed-parameter/count-tokens/refused-422     | count-tokens     | refused-422 |
        | http:400/malformed-parameter/gemini/refused-422           | gemini           | refused-422 |
        | http:400/malformed-parameter/gemini-stream/refused-422    | gemini-stream    | refused-422 |
