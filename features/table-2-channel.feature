Feature: Table 2: channel codes

  The gateway's route to the upstream is broken, which is never the client's fault.

  Rule: code:get_channel_failed - "No available channel", what to do: "Retry later or contact support"

    Scenario Outline: <case>
      Given the circumstance "no-channel": a known model for which no channel is available
      When a client calls "<surface>"
      Then the status is 5xx
      And the error code is "get_channel_failed"
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is not called, and no other caller is affected

      Examples: the model is listed and priced, but no channel serves it
        | case                                                | surface          |
        | code:get_channel_failed/no-channel/chat             | chat             |
        | code:get_channel_failed/no-channel/chat-stream      | chat-stream      |
        | code:get_channel_failed/no-channel/completions      | completions      |
        | code:get_channel_failed/no-channel/responses        | responses        |
        | code:get_channel_failed/no-channel/responses-stream | responses-stream |
        | code:get_channel_failed/no-channel/embeddings       | embeddings       |
        | code:get_channel_failed/no-channel/images           | images           |
        | code:get_channel_failed/no-channel/speech           | speech           |
        | code:get_channel_failed/no-channel/transcriptions   | transcriptions   |
        | code:get_channel_failed/no-channel/moderations      | moderations      |
        | code:get_channel_failed/no-channel/rerank           | rerank           |
        | code:get_channel_failed/no-channel/messages         | messages         |
        | code:get_channel_failed/no-channel/messages-stream  | messages-stream  |
        | code:get_channel_failed/no-channel/count-tokens     | count-tokens     |
        | code:get_channel_failed/no-channel/gemini           | gemini           |
        | code:get_channel_failed/no-channel/gemini-stream    | gemini-stream    |

  Rule: code:channel:no_available_key - "No available channel key", what to do: "Retry later or contact support"

    Scenario Outline: <case>
      Given the circumstance "channel-without-key": a channel all of whose keys are disabled
      When a client calls "<surface>"
      Then the status is 5xx
      And the error code is "channel:no_available_key"
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is not called, and no other caller is affected

      Examples: every key of the model's channel is disabled
        | case                                                               | surface          |
        | code:channel:no_available_key/channel-without-key/chat             | chat             |
        | code:channel:no_available_key/channel-without-key/chat-stream      | chat-stream      |
        | code:channel:no_available_key/channel-without-key/completions      | completions      |
        | code:channel:no_available_key/channel-without-key/responses        | responses        |
        | code:channel:no_available_key/channel-without-key/responses-stream | responses-stream |
        | code:channel:no_available_key/channel-without-key/embeddings       | embeddings       |
        | code:channel:no_available_key/channel-without-key/images           | images           |
        | code:channel:no_available_key/channel-without-key/speech           | speech           |
        | code:channel:no_available_key/channel-without-key/transcriptions   | transcriptions   |
        | code:channel:no_available_key/channel-without-key/moderations      | moderations      |
        | code:channel:no_available_key/channel-without-key/rerank           | rerank           |
        | code:channel:no_available_key/channel-without-key/messages         | messages         |
        | code:channel:no_available_key/channel-without-key/messages-stream  | messages-stream  |
        | code:channel:no_available_key/channel-without-key/count-tokens     | count-tokens     |
        | code:channel:no_available_key/channel-without-key/gemini           | gemini           |
        | code:channel:no_available_key/channel-without-key/gemini-stream    | gemini-stream    |

  Rule: code:channel:invalid_key - "Invalid channel key", what to do: "Contact support"

    Scenario Outline: <case>
      Given the circumstance "channel-with-bad-key": a channel whose key the provider (or the channel type) rejects
      When a client calls "<surface>"
      Then the status is 5xx
      And the error code is "channel:invalid_key"
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is called no more often than limits.attempts allows, and no other caller is affected

      Examples: the upstream rejects the channel's key
        | case                                                           | surface          |
        | code:channel:invalid_key/channel-with-bad-key/chat             | chat             |
        | code:channel:invalid_key/channel-with-bad-key/chat-stream      | chat-stream      |
        | code:channel:invalid_key/channel-with-bad-key/completions      | completions      |
        | code:channel:invalid_key/channel-with-bad-key/responses        | responses        |
        | code:channel:invalid_key/channel-with-bad-key/responses-stream | responses-stream |
        | code:channel:invalid_key/channel-with-bad-key/embeddings       | embeddings       |
        | code:channel:invalid_key/channel-with-bad-key/images           | images           |
        | code:channel:invalid_key/channel-with-bad-key/speech           | speech           |
        | code:channel:invalid_key/channel-with-bad-key/transcriptions   | transcriptions   |
        | code:channel:invalid_key/channel-with-bad-key/moderations      | moderations      |
        | code:channel:invalid_key/channel-with-bad-key/rerank           | rerank           |
        | code:channel:invalid_key/channel-with-bad-key/messages         | messages         |
        | code:channel:invalid_key/channel-with-bad-key/messages-stream  | messages-stream  |
        | code:channel:invalid_key/channel-with-bad-key/count-tokens     | count-tokens     |
        | code:channel:invalid_key/channel-with-bad-key/gemini           | gemini           |
        | code:channel:invalid_key/channel-with-bad-key/gemini-stream    | gemini-stream    |

  Rule: code:channel:model_mapped_error - "Model mapping error", what to do: "Contact support"

    Scenario Outline: <case>
      Given the circumstance "bad-model-mapping": a channel whose model mapping is cyclic or unreadable
      When a client calls "<surface>"
      Then the status is 5xx
      And the error code is "channel:model_mapped_error"
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is not called, and no other caller is affected

      Examples: the channel's model mapping is cyclic
        | case                                                               | surface          |
        | code:channel:model_mapped_error/bad-model-mapping/chat             | chat             |
        | code:channel:model_mapped_error/bad-model-mapping/chat-stream      | chat-stream      |
        | code:channel:model_mapped_error/bad-model-mapping/completions      | completions      |
        | code:channel:model_mapped_error/bad-model-mapping/responses        | responses        |
        | code:channel:model_mapped_error/bad-model-mapping/responses-stream | responses-stream |
        | code:channel:model_mapped_error/bad-model-mapping/embeddings       | embeddings       |
        | code:channel:model_mapped_error/bad-model-mapping/images           | images           |
        | code:channel:model_mapped_error/bad-model-mapping/speech           | speech           |
        | code:channel:model_mapped_error/bad-model-mapping/transcriptions   | transcriptions   |
        | code:channel:model_mapped_error/bad-model-mapping/moderations      | moderations      |
        | code:channel:model_mapped_error/bad-model-mapping/rerank           | rerank           |
        | code:channel:model_mapped_error/bad-model-mapping/messages         | messages         |
        | code:channel:model_mapped_error/bad-model-mapping/messages-stream  | messages-stream  |
        | code:channel:model_mapped_error/bad-model-mapping/count-tokens     | count-tokens     |
        | code:channel:model_mapped_error/bad-model-mapping/gemini           | gemini           |
        | code:channel:model_mapped_error/bad-model-mapping/gemini-stream    | gemini-stream    |

  Rule: code:channel:response_time_exceeded - "Upstream timeout", what to do: "Retry; shrink the request if needed"

    Scenario Outline: <case>
      Given the circumstance "slow-upstream": the provider does not answer within the gateway's limit
      When a client calls "<surface>" with variant "<variant>"
      Then the status is 5xx
      And the error code is "channel:response_time_exceeded"
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is called no more often than limits.attempts allows, and no other caller is affected
      And the gateway times out as declared and cancels the upstream call

      Examples: no-answer - the upstream never answers
        | case                                                                         | surface          | variant   |
        | code:channel:response_time_exceeded/slow-upstream/chat/no-answer             | chat             | no-answer |
        | code:channel:response_time_exceeded/slow-upstream/chat-stream/no-answer      | chat-stream      | no-answer |
        | code:channel:response_time_exceeded/slow-upstream/completions/no-answer      | completions      | no-answer |
        | code:channel:response_time_exceeded/slow-upstream/responses/no-answer        | responses        | no-answer |
        | code:channel:response_time_exceeded/slow-upstream/responses-stream/no-answer | responses-stream | no-answer |
        | code:channel:response_time_exceeded/slow-upstream/embeddings/no-answer       | embeddings       | no-answer |
        | code:channel:response_time_exceeded/slow-upstream/images/no-answer           | images           | no-answer |
        | code:channel:response_time_exceeded/slow-upstream/speech/no-answer           | speech           | no-answer |
        | code:channel:response_time_exceeded/slow-upstream/transcriptions/no-answer   | transcriptions   | no-answer |
        | code:channel:response_time_exceeded/slow-upstream/moderations/no-answer      | moderations      | no-answer |
        | code:channel:response_time_exceeded/slow-upstream/rerank/no-answer           | rerank           | no-answer |
        | code:channel:response_time_exceeded/slow-upstream/messages/no-answer         | messages         | no-answer |
        | code:channel:response_time_exceeded/slow-upstream/messages-stream/no-answer  | messages-stream  | no-answer |
        | code:channel:response_time_exceeded/slow-upstream/count-tokens/no-answer     | count-tokens     | no-answer |
        | code:channel:response_time_exceeded/slow-upstream/gemini/no-answer           | gemini           | no-answer |
        | code:channel:response_time_exceeded/slow-upstream/gemini-stream/no-answer    | gemini-stream    | no-answer |

      Examples: stalled-answer - the upstream starts its answer and then stalls
        | case                                                                              | surface          | variant        |
        | code:channel:response_time_exceeded/slow-upstream/chat/stalled-answer             | chat             | stalled-answer |
        | code:channel:response_time_exceeded/slow-upstream/chat-stream/stalled-answer      | chat-stream      | stalled-answer |
        | code:channel:response_time_exceeded/slow-upstream/completions/stalled-answer      | completions      | stalled-answer |
        | code:channel:response_time_exceeded/slow-upstream/responses/stalled-answer        | responses        | stalled-answer |
        | code:channel:response_time_exceeded/slow-upstream/responses-stream/stalled-answer | responses-stream | stalled-answer |
        | code:channel:response_time_exceeded/slow-upstream/embeddings/stalled-answer       | embeddings       | stalled-answer |
        | code:channel:response_time_exceeded/slow-upstream/images/stalled-answer           | images           | stalled-answer |
        | code:channel:response_time_exceeded/slow-upstream/speech/stalled-answer           | speech           | stalled-answer |
        | code:channel:response_time_exceeded/slow-upstream/transcriptions/stalled-answer   | transcriptions   | stalled-answer |
        | code:channel:response_time_exceeded/slow-upstream/moderations/stalled-answer      | moderations      | stalled-answer |
        | code:channel:response_time_exceeded/slow-upstream/rerank/stalled-answer           | rerank           | stalled-answer |
        | code:channel:response_time_exceeded/slow-upstream/messages/stalled-answer         | messages         | stalled-answer |
        | code:channel:response_time_exceeded/slow-upstream/messages-stream/stalled-answer  | messages-stream  | stalled-answer |
        | code:channel:response_time_exceeded/slow-upstream/count-tokens/stalled-answer     | count-tokens     | stalled-answer |
        | code:channel:response_time_exceeded/slow-upstream/gemini/stalled-answer           | gemini           | stalled-answer |
        | code:channel:response_time_exceeded/slow-upstream/gemini-stream/stalled-answer    | gemini-stream    | stalled-answer |
