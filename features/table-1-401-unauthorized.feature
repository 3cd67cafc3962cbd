Feature: Table 1: 401 Unauthorized

  The request carries no key or a key that was never issued.

  Rule: http:401 - "Unauthorized", common cause: "Missing or wrong key"

    Scenario Outline: <case>
      Given the circumstance "missing-key": no credential
      When a client calls "<surface>"
      Then the status is 401
      And the error code is listed in table 2 of the contract
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is not called, and no other caller is affected

      Examples: the request carries no key
        | case                                  | surface          |
        | http:401/missing-key/chat             | chat             |
        | http:401/missing-key/chat-stream      | chat-stream      |
        | http:401/missing-key/completions      | completions      |
        | http:401/missing-key/responses        | responses        |
        | http:401/missing-key/responses-stream | responses-stream |
        | http:401/missing-key/embeddings       | embeddings       |
        | http:401/missing-key/images           | images           |
        | http:401/missing-key/speech           | speech           |
        | http:401/missing-key/transcriptions   | transcriptions   |
        | http:401/missing-key/moderations      | moderations      |
        | http:401/missing-key/rerank           | rerank           |
        | http:401/missing-key/models           | models           |
        | http:401/missing-key/messages         | messages         |
        | http:401/missing-key/messages-stream  | messages-stream  |
        | http:401/missing-key/count-tokens     | count-tokens     |
        | http:401/missing-key/gemini           | gemini           |
        | http:401/missing-key/gemini-stream    | gemini-stream    |

    Scenario Outline: <case>
      Given the circumstance "missing-key": no credential
      When a client calls "<surface>" with variant "<variant>"
      Then the status is 401
      And the error code is listed in table 2 of the contract
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is not called, and no other caller is affected

      Examples: list - a request for the model list without a key
        | case                             | surface | variant |
        | http:401/missing-key/models/list | models  | list    |

    Scenario Outline: <case>
      Given the circumstance "wrong-key": a well-formed key that was never issued
      When a client calls "<surface>" with variant "<variant>"
      Then the status is 401
      And the error code is listed in table 2 of the contract
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is not called, and no other caller is affected

      Examples: header - the key is in the API format's own header
        | case                                       | surface          | variant |
        | http:401/wrong-key/chat/header             | chat             | header  |
        | http:401/wrong-key/chat-stream/header      | chat-stream      | header  |
        | http:401/wrong-key/completions/header      | completions      | header  |
        | http:401/wrong-key/responses/header        | responses        | header  |
        | http:401/wrong-key/responses-stream/header | responses-stream | header  |
        | http:401/wrong-key/embeddings/header       | embeddings       | header  |
        | http:401/wrong-key/images/header           | images           | header  |
        | http:401/wrong-key/speech/header           | speech           | header  |
        | http:401/wrong-key/transcriptions/header   | transcriptions   | header  |
        | http:401/wrong-key/moderations/header      | moderations      | header  |
        | http:401/wrong-key/rerank/header           | rerank           | header  |
        | http:401/wrong-key/models/header           | models           | header  |
        | http:401/wrong-key/messages/header         | messages         | header  |
        | http:401/wrong-key/messages-stream/header  | messages-stream  | header  |
        | http:401/wrong-key/count-tokens/header     | count-tokens     | header  |
        | http:401/wrong-key/gemini/header           | gemini           | header  |
        | http:401/wrong-key/gemini-stream/header    | gemini-stream    | header  |

      Examples: query - the key is in the URL's query string, as ?key=KEY
        | case                                   | surface       | variant |
        | http:401/wrong-key/gemini/query        | gemini        | query   |
        | http:401/wrong-key/gemini-stream/query | gemini-stream | query   |

      Examples: list - a request for the model list with a key that was never issued
        | case                           | surface | variant |
        | http:401/wrong-key/models/list | models  | list    |
