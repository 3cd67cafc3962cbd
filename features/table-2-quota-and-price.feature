Feature: Table 2: quota and price codes

  The account or the key has no quota left, or the model has no price.

  Rule: code:insufficient_user_quota - "Insufficient quota", what to do: "Top up or check your plan quota"

    # The contract implies status 403 but does not state it, so any other 4xx causes a warning, not a failure.
    Scenario Outline: <case>
      Given the circumstance "spent-account": the key's owner has no quota left
      When a client calls "<surface>"
      Then the status is 403
      And the error code is "insufficient_user_quota"
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is not called, and no other caller is affected

      Examples: the account that owns the key has no quota left
        | case                                                        | surface          |
        | code:insufficient_user_quota/spent-account/chat             | chat             |
        | code:insufficient_user_quota/spent-account/chat-stream      | chat-stream      |
        | code:insufficient_user_quota/spent-account/completions      | completions      |
        | code:insufficient_user_quota/spent-account/responses        | responses        |
        | code:insufficient_user_quota/spent-account/responses-stream | responses-stream |
        | code:insufficient_user_quota/spent-account/embeddings       | embeddings       |
        | code:insufficient_user_quota/spent-account/images           | images           |
        | code:insufficient_user_quota/spent-account/speech           | speech           |
        | code:insufficient_user_quota/spent-account/transcriptions   | transcriptions   |
        | code:insufficient_user_quota/spent-account/moderations      | moderations      |
        | code:insufficient_user_quota/spent-account/rerank           | rerank           |
        | code:insufficient_user_quota/spent-account/messages         | messages         |
        | code:insufficient_user_quota/spent-account/messages-stream  | messages-stream  |
        | code:insufficient_user_quota/spent-account/gemini           | gemini           |
        | code:insufficient_user_quota/spent-account/gemini-stream    | gemini-stream    |

  Rule: code:pre_consume_token_quota_failed - "Quota pre-deduction failed", what to do: "Check quota and retry"

    # The contract implies status 403 but does not state it, so any other 4xx causes a warning, not a failure.
    Scenario Outline: <case>
      Given the circumstance "spent-key": the owner has quota, the key's own budget is too small for the pre-deduction
      When a client calls "<surface>"
      Then the status is 403
      And the error code is "pre_consume_token_quota_failed"
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is not called, and no other caller is affected

      Examples: the key's own budget is too small
        | case                                                           | surface          |
        | code:pre_consume_token_quota_failed/spent-key/chat             | chat             |
        | code:pre_consume_token_quota_failed/spent-key/chat-stream      | chat-stream      |
        | code:pre_consume_token_quota_failed/spent-key/completions      | completions      |
        | code:pre_consume_token_quota_failed/spent-key/responses        | responses        |
        | code:pre_consume_token_quota_failed/spent-key/responses-stream | responses-stream |
        | code:pre_consume_token_quota_failed/spent-key/embeddings       | embeddings       |
        | code:pre_consume_token_quota_failed/spent-key/images           | images           |
        | code:pre_consume_token_quota_failed/spent-key/speech           | speech           |
        | code:pre_consume_token_quota_failed/spent-key/transcriptions   | transcriptions   |
        | code:pre_consume_token_quota_failed/spent-key/moderations      | moderations      |
        | code:pre_consume_token_quota_failed/spent-key/rerank           | rerank           |
        | code:pre_consume_token_quota_failed/spent-key/messages         | messages         |
        | code:pre_consume_token_quota_failed/spent-key/messages-stream  | messages-stream  |
        | code:pre_consume_token_quota_failed/spent-key/gemini           | gemini           |
        | code:pre_consume_token_quota_failed/spent-key/gemini-stream    | gemini-stream    |

  Rule: code:model_price_error - "Model pricing error", what to do: "Contact support"

    Scenario Outline: <case>
      Given the circumstance "unpriced-model": a routed model without a usable price
      When a client calls "<surface>"
      Then the status is 5xx
      And the error code is "model_price_error"
      And the error is complete and in the client's API format
      And the response leaks no internals
      And the upstream is not called, and no other caller is affected

      Examples: the model has a channel but no price
        | case                                                   | surface          |
        | code:model_price_error/unpriced-model/chat             | chat             |
        | code:model_price_error/unpriced-model/chat-stream      | chat-stream      |
        | code:model_price_error/unpriced-model/completions      | completions      |
        | code:model_price_error/unpriced-model/responses        | responses        |
        | code:model_price_error/unpriced-model/responses-stream | responses-stream |
        | code:model_price_error/unpriced-model/embeddings       | embeddings       |
        | code:model_price_error/unpriced-model/images           | images           |
        | code:model_price_error/unpriced-model/speech           | speech           |
        | code:model_price_error/unpriced-model/transcriptions   | transcriptions   |
        | code:model_price_error/unpriced-model/moderations      | moderations      |
        | code:model_price_error/unpriced-model/rerank           | rerank           |
        | code:model_price_error/unpriced-model/messages         | messages         |
        | code:model_price_error/unpriced-model/messages-stream  | messages-stream  |
        | code:model_price_error/unpriced-model/gemini           | gemini           |
        | code:model_price_error/unpriced-model/gemini-stream    | gemini-stream    |
