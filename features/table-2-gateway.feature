Feature: Table 2: gateway codes

  Part of the gateway itself fails.

  Rule: code:json_marshal_failed - "Serialization failed", what to do: "Retry or contact support"

    Scenario Outline: <case>
      Given the circumstance "unserializable-result": the gateway cannot serialise what it has to send
      When a client calls "<surface>"
      Then the status is 5xx
      And the error code is "json_marshal_failed"
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is called no more often than limits.attempts allows, and no other caller is affected

      Examples: the gateway would have to send a value that JSON cannot represent
        | case                                                            | surface          |
        | code:json_marshal_failed/unserializable-result/chat             | chat             |
        | code:json_marshal_failed/unserializable-result/chat-stream      | chat-stream      |
        | code:json_marshal_failed/unserializable-result/completions      | completions      |
        | code:json_marshal_failed/unserializable-result/responses        | responses        |
        | code:json_marshal_failed/unserializable-result/responses-stream | responses-stream |
        | code:json_marshal_failed/unserializable-result/embeddings       | embeddings       |
        | code:json_marshal_failed/unserializable-result/images           | images           |
        | code:json_marshal_failed/unserializable-result/transcriptions   | transcriptions   |
        | code:json_marshal_failed/unserializable-result/moderations      | moderations      |
        | code:json_marshal_failed/unserializable-result/rerank           | rerank           |
        | code:json_marshal_failed/unserializable-result/messages         | messages         |
        | code:json_marshal_failed/unserializable-result/messages-stream  | messages-stream  |
        | code:json_marshal_failed/unserializable-result/count-tokens     | count-tokens     |
        | code:json_marshal_failed/unserializable-result/gemini           | gemini           |
        | code:json_marshal_failed/unserializable-result/gemini-stream    | gemini-stream    |

  Rule: code:query_data_error - "Data query error", what to do: "Retry or contact support"

    Scenario Outline: <case>
      Given the circumstance "failing-store-reads": the gateway's database fails on read
      When a client calls "<surface>"
      Then the status is 5xx
      And the error code is "query_data_error"
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is called no more often than limits.attempts allows, and no other caller is affected

      Examples: reads from the database fail
        | case                                                       | surface          |
        | code:query_data_error/failing-store-reads/chat             | chat             |
        | code:query_data_error/failing-store-reads/chat-stream      | chat-stream      |
        | code:query_data_error/failing-store-reads/completions      | completions      |
        | code:query_data_error/failing-store-reads/responses        | responses        |
        | code:query_data_error/failing-store-reads/responses-stream | responses-stream |
        | code:query_data_error/failing-store-reads/embeddings       | embeddings       |
        | code:query_data_error/failing-store-reads/images           | images           |
        | code:query_data_error/failing-store-reads/speech           | speech           |
        | code:query_data_error/failing-store-reads/transcriptions   | transcriptions   |
        | code:query_data_error/failing-store-reads/moderations      | moderations      |
        | code:query_data_error/failing-store-reads/rerank           | rerank           |
        | code:query_data_error/failing-store-reads/models           | models           |
        | code:query_data_error/failing-store-reads/messages         | messages         |
        | code:query_data_error/failing-store-reads/messages-stream  | messages-stream  |
        | code:query_data_error/failing-store-reads/count-tokens     | count-tokens     |
        | code:query_data_error/failing-store-reads/gemini           | gemini           |
        | code:query_data_error/failing-store-reads/gemini-stream    | gemini-stream    |

  Rule: code:update_data_error - "Data write error", what to do: "Retry or contact support"

    Scenario Outline: <case>
      Given the circumstance "failing-store-writes": the gateway's database fails on write
      When a client calls "<surface>"
      Then the status is 5xx
      And the error code is "update_data_error"
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is called no more often than limits.attempts allows, and no other caller is affected

      Examples: writes to the database fail
        | case                                                         | surface          |
        | code:update_data_error/failing-store-writes/chat             | chat             |
        | code:update_data_error/failing-store-writes/chat-stream      | chat-stream      |
        | code:update_data_error/failing-store-writes/completions      | completions      |
        | code:update_data_error/failing-store-writes/responses        | responses        |
        | code:update_data_error/failing-store-writes/responses-stream | responses-stream |
        | code:update_data_error/failing-store-writes/embeddings       | embeddings       |
        | code:update_data_error/failing-store-writes/images           | images           |
        | code:update_data_error/failing-store-writes/speech           | speech           |
        | code:update_data_error/failing-store-writes/transcriptions   | transcriptions   |
        | code:update_data_error/failing-store-writes/moderations      | moderations      |
        | code:update_data_error/failing-store-writes/rerank           | rerank           |
        | code:update_data_error/failing-store-writes/messages         | messages         |
        | code:update_data_error/failing-store-writes/messages-stream  | messages-stream  |
        | code:update_data_error/failing-store-writes/gemini           | gemini           |
        | code:update_data_error/failing-store-writes/gemini-stream    | gemini-stream    |
