package reports

// zhContract are the sentences of the requirements, and the meanings of the rows.
var zhContract = [][2]string{
	{"In this case: {} ({}, {}).", "此处：{1}（{2}，{3}）。"},
	{"The gateway responds.", "必须有响应。"},
	{"An error response never has a 2xx or 3xx status.", "错误绝不能是 2xx 或 3xx。"},
	{"The status is 4xx for errors that the caller can fix and 5xx for failures of the gateway or the upstream.", "调用方能够解决的问题用 4xx，网关或上游造成的问题用 5xx。"},
	{"The status is the one that the row specifies.", "状态码与条目规定的一致。"},
	{"If the gateway's upstream key is invalid or its upstream account is empty, the response does not blame the caller: its status is not 401, 402 or 403, and its code is not about the caller's key or quota.", "网关自己的密钥失效或账户余额不足，绝不能归咎于调用方：不得返回 401、402、403，也不得返回与调用方密钥或额度有关的错误码。"},
	{"Content-Type is application/json.", "Content-Type 为 application/json。"},
	{"The error response is complete.", "错误响应完整送达。"},
	{"The body has the API format's error envelope.", "响应体是该 API 格式的错误信封。"},
	{"message is a non-empty string.", "message 是非空字符串。"},
	{"The response contains the row's error.code in the place that the API format defines.", "条目规定的 error.code 位于该 API 格式规定的位置。"},
	{"The code is in the preferred place, not in a place that is only tolerated.", "错误码不放在仅被容忍的位置。"},
	{"Every error except 429 has a code from table 2 that fits its cause.", "除 429 外，每个错误都带有表 2 中与原因相符的错误码。"},
	{"type, param and code are present in the OpenAI envelope.", "OpenAI 错误信封中包含 type、param 和 code。"},
	{"In the error object, the code, the type and (in Gemini's format) the numeric code agree with the HTTP status.", "错误对象与状态码一致：错误码、type，以及 Gemini 的数字。"},
	{"If the upstream does not answer, the gateway responds when its declared timeout expires.", "上游不响应时，网关在声明的超时时间内给出响应。"},
	{"The response reveals no secrets or internals.", "不泄露任何内部信息。"},
	{"If an error occurs after a stream has begun, the stream reports the error with the API format's own error event.", "已经开始的流用该 API 格式自己的事件报告错误。"},
	{"A failed stream does not end as if it were complete.", "失败的流不能像正常完成那样结束。"},
	{"The event stream is well-formed.", "事件流格式正确。"},
	{"A 429 has a Retry-After header whose value is in whole seconds and exceeds neither the limit's window nor one day.", "429 带有以整秒表示的 Retry-After，不超过限流窗口，也不超过一天。"},
	{"A refused request never reaches the upstream.", "被拒绝的请求不会到达上游。"},
	{"The upstream is called no more often than limits.attempts allows.", "对上游的调用次数不超过允许的上限。"},
	{"When the gateway gives up on an upstream call, it cancels the call.", "网关放弃等待后，对上游的调用随之取消。"},
	{"A failed request costs nothing.", "失败的请求不计费。"},
	{"When the gateway follows an upstream redirect to another host, it does not send its upstream key to that host.", "上游重定向到其他主机时，不携带网关的密钥跟随。"},
	{"A failed call does not affect other calls: healthy calls succeed again within settle.recovery.", "一次失败不影响其他调用：正常调用在 settle.recovery 之内恢复成功。"},
	{"The response has a request id.", "响应带有请求 ID。"},
	{"A 401 has a WWW-Authenticate header.", "401 带有 WWW-Authenticate。"},
	{"A 405 has an Allow header.", "405 带有 Allow。"},
	{"The error response is the gateway's own, not the upstream's.", "错误响应由网关自己生成。"},
	{"When calls are sent one at a time, the gateway admits exactly as many as the declared limit allows.", "逐个调用时，放行的数量与声明的限流完全一致。"},
	{"When many calls are sent at once, the gateway admits exactly as many as the declared limit allows.", "大量并发调用时同样如此。"},
	{"Calls are refused until the Retry-After time has passed, and admitted afterwards.", "Retry-After 到期之前的调用被拒绝，到期之后的调用被放行。"},
	{"Rate-limit header fields can be parsed and match the gateway's behaviour.", "限流响应头可以解析，并与实际行为一致。"},
	{"When a caller disconnects, their call no longer counts against the concurrency limit.", "中途离开的调用方不再占用并发名额。"},
	{"Refused calls cost nothing and do not count against the limit.", "被拒绝的调用不计费，也不占用限流额度。"},
	{"While one key is over its limit, calls with other keys are neither refused nor slowed down.", "某一密钥超出限流时，其他密钥既不被拒绝，也不变慢。"},
	{"Streaming calls share the limit with other calls or have a separate limit, as the profile declares.", "流式调用按声明与其他调用共用限流，或单独限流。"},
	{"Healthy calls succeed while other calls fail at the upstream.", "其他调用在上游失败时，正常调用仍然成功。"},
	{"During the outage, healthy calls take about as long as they did before the outage.", "正常调用的耗时与之前相近。"},
	{"After the outage, the gateway has no more open upstream calls than it had before the outage.", "故障结束后，上游的未完成调用不多于故障之前。"},
	{"After the outage, the gateway handles as many concurrent calls as it did before the outage.", "故障结束后，能同时处理的调用与故障之前一样多。"},
	{"Calls succeed again once the limit allows them or the upstream is healthy again.", "限流有余量或上游恢复后，调用重新成功。"},
	{"When the upstream returns 429, the gateway passes on the Retry-After header and retries no more often than limits.attempts allows.", "上游自己的 429 保留其 Retry-After，重试不超过上限。"},
	{"When the client disconnects, the gateway cancels the upstream call.", "客户端断开后，对上游的调用随之取消。"},

	{"Bad request", "请求错误"}, {"bad request", "请求错误"}, {"Unauthorized", "未授权"}, {"unauthorized", "未授权"}, {"Forbidden", "禁止访问"}, {"forbidden", "禁止访问"},
	{"Not found", "未找到"}, {"not found", "未找到"}, {"Rate limited", "触发限流"}, {"rate limited", "触发限流"}, {"Upstream / gateway error", "上游或网关错误"}, {"upstream / gateway error", "上游或网关错误"},
	{"Invalid request parameters", "请求参数无效"}, {"invalid request parameters", "请求参数无效"}, {"Malformed request body", "请求体格式错误"}, {"malformed request body", "请求体格式错误"},
	{"Failed to read request body", "读取请求体失败"}, {"failed to read request body", "读取请求体失败"}, {"Request conversion failed", "请求转换失败"}, {"request conversion failed", "请求转换失败"},
	{"Sensitive content detected", "检测到敏感内容"}, {"sensitive content detected", "检测到敏感内容"}, {"Prompt was blocked", "提示词被拦截"}, {"prompt was blocked", "提示词被拦截"},
	{"Access denied", "拒绝访问"}, {"access denied", "拒绝访问"}, {"Model not found", "模型不存在"}, {"model not found", "模型不存在"}, {"Unsupported API type", "不支持的 API 类型"}, {"unsupported api type", "不支持的 API 类型"},
	{"No available channel", "没有可用渠道"}, {"no available channel", "没有可用渠道"}, {"No available channel key", "渠道没有可用密钥"}, {"no available channel key", "渠道没有可用密钥"},
	{"Invalid channel key", "渠道密钥无效"}, {"invalid channel key", "渠道密钥无效"}, {"Model mapping error", "模型映射错误"}, {"model mapping error", "模型映射错误"}, {"Upstream timeout", "上游超时"}, {"upstream timeout", "上游超时"},
	{"Insufficient quota", "额度不足"}, {"insufficient quota", "额度不足"}, {"Quota pre-deduction failed", "预扣额度失败"}, {"quota pre-deduction failed", "预扣额度失败"}, {"Model pricing error", "模型定价错误"}, {"model pricing error", "模型定价错误"},
	{"Token counting failed", "Token 计数失败"}, {"token counting failed", "Token 计数失败"}, {"Upstream request failed", "请求上游失败"}, {"upstream request failed", "请求上游失败"},
	{"Bad upstream response", "上游响应异常"}, {"bad upstream response", "上游响应异常"}, {"Bad upstream status code", "上游状态码异常"}, {"bad upstream status code", "上游状态码异常"},
	{"Empty upstream response", "上游响应为空"}, {"empty upstream response", "上游响应为空"}, {"Failed to read upstream response", "读取上游响应失败"}, {"failed to read upstream response", "读取上游响应失败"},
	{"Serialization failed", "序列化失败"}, {"serialization failed", "序列化失败"}, {"Data query error", "数据查询错误"}, {"data query error", "数据查询错误"}, {"Data write error", "数据写入错误"}, {"data write error", "数据写入错误"},
}

// zhRows explain the rows. The English texts are [RowText].
var zhRows = zhRowTexts()

func zhRowTexts() [][2]string {
	var list [][2]string
	for id, text := range map[string]string{ //nolint:gosec // texts about keys, no keys
		"http:400":                            "请求无效。常见错误：校验太晚而返回 500（chat 正确而 images、speech、rerank 出错的网关很常见），客户端因此反复重试不可能成功的请求；或者自动补全缺失的参数并返回 200。",
		"http:401":                            "仅用于缺少密钥或从未签发过的密钥。已吊销的密钥应返回 403：如果返回 401，调用方会去找拼写错误，而不是申请新密钥。",
		"http:403":                            "网关认识该密钥。客户端不会重试，用户会去检查套餐。如果已吊销的密钥返回 401，用户会去找拼写错误。",
		"http:404":                            "路径或模型不存在。常见错误：未知路径返回管理后台的 HTML 页面和 200；未知模型返回 503（“无渠道”），多数 SDK 会重试两次；`GET /v1/models/NAME` 返回 200 和错误对象。",
		"http:429":                            "多数 SDK 会重试，并遵守 `Retry-After`；没有该响应头就只能猜。常见错误是 429 没有响应体，用户看不到任何说明。错误码和 type 不限：表中没有规定。",
		"http:5xx":                            "调用方没有做错，重试可能有效。如果上游因网关的错误（例如密钥错误）返回 4xx，调用方仍然必须得到 5xx：绝不能是 401、402、403，也不能是让调用方去充值或检查密钥的错误码，不管上游用什么名称。",
		"code:invalid_request":                "参数错误的错误码。状态码有明确规定：400，绝不能是 500 或 422。",
		"code:bad_request_body":               "请求体无法解析。与 `invalid_request` 不同，它指向生成请求体的代码，而不是其中的值。",
		"code:read_request_body_failed":       "请求体无法完整读取。413 和 415 可以理解，记为警告。常见错误：400 没有响应体，或者根本没有响应。",
		"code:convert_request_failed":         "请求在调用方的 API 格式中有效，但在上游的格式中没有对应表示。悄悄丢弃字段比拒绝请求更糟，因为调用方不会发现响应忽略了该字段。",
		"code:sensitive_words_detected":       "调用方需要修改输入。5xx 是错误的：多数 SDK 会把同样的内容发送三次。",
		"code:prompt_blocked":                 "上游因策略拒绝了提示词：OpenAI 返回 400，Anthropic 返回 `stop_reason: refusal`，Gemini 返回 `promptFeedback`。常见错误是把它转成空的 200：看起来像模型没有回答。",
		"code:access_denied":                  "有效的密钥用在了不允许的地方，例如 IP 白名单或分组限制。401 记为警告。",
		"code:model_not_found":                "状态码有明确规定：404。最常见的错误是返回 503，多数 SDK 会徒劳地重试。",
		"code:invalid_api_type":               "模型所在渠道的 API 类型不被网关支持。契约建议调用方使用受支持的 API 格式，因此状态码是 4xx。",
		"code:get_channel_failed":             "模型存在，但当前没有渠道可以提供服务。",
		"code:channel:no_available_key":       "渠道的所有密钥都被禁用。不带密钥继续请求的网关会返回其他错误，或者上游的错误。",
		"code:channel:invalid_key":            "上游拒绝的是*网关*的密钥。常见错误是透传上游的 401，把责任归于调用方的密钥。绝不能是 401 或 403。",
		"code:channel:model_mapped_error":     "运营者配置的模型映射存在循环或无法解析。",
		"code:channel:response_time_exceeded": "上游太慢。网关超时后调用方必须得到该错误，对上游的调用必须取消。常见错误：无限等待、返回 408、用 `[DONE]` 结束流。",
		"code:insufficient_user_quota":        "密钥的所有者需要充值。402 可以理解；429 会让多数 SDK 徒劳地重试。两者都记为警告。",
		"code:pre_consume_token_quota_failed": "所有者有额度，但该密钥自己的额度太小。",
		"code:model_price_error":              "运营者没有设置价格。这不是调用方的问题，因此是 5xx。",
		"code:count_token_failed":             "无法计算输入的 Token 数。可能是调用方的问题（400），也可能是网关的问题（5xx）；契约两者都允许。",
		"code:do_request_failed":              "无法连接上游。常见错误是暴露上游地址（`dial tcp 10.0.0.7:443`）。",
		"code:bad_response":                   "上游返回了 200，但内容不是有效的回答。如果网关把 200 里的错误原样透传，测试过的九个客户端库中有七个会当作成功。",
		"code:bad_response_status_code":       "上游返回错误状态码，且没有错误对象。上游的 404 不能变成调用方的 404。",
		"code:empty_response":                 "上游返回 200 但没有内容。如果网关透传一个正常结束的空流，调用方可能会当作成功，因为测试过的九个客户端库都不会发现缺少结束事件。",
		"code:read_response_body_failed":      "上游的响应中途断开。在流式响应中，网关必须发送该 API 格式自己的错误事件，或者明显地中断传输。如果用 `[DONE]` 结束流，半个回答看起来就像完整的回答。",
		"code:json_marshal_failed":            "网关无法序列化响应。常见错误是状态码 200 和半个响应体。",
		"code:query_data_error":               "数据库读取失败。常见错误：返回 403 或 404（“密钥不存在”），以及在消息中暴露 SQL。",
		"code:update_data_error":              "数据库写入失败，通常发生在预扣额度时。常见错误是返回 403 “额度不足”，把责任归于调用方的余额。",
	} {
		for row, english := range rowTexts {
			if string(row) == id {
				list = append(list, [2]string{english, text})
			}
		}
	}
	return list
}
