package reports

// zhCallers are the texts about what client libraries do.
var zhCallers = [][2]string{
	{"What your callers do", "调用方的实际行为"}, {"What the gateway does", "网关的行为"}, {"Views", "视图"}, {"What they do", "行为"}, {"Client libraries", "客户端库"}, {"Clients", "客户端数"}, {"Rows", "条目数"}, {"Clients …", "客户端……"},
	{"Clients that do not follow the row's advice, by row", "逐条列出与条目说明不一致的行为"}, {"Rows by caller", "条目与调用方"}, {"Caller legend", "调用方图例"}, {"Skipped", "未执行"},
	{"What clients do for each row of the contract. Open a cell to read the details.", "契约条目与调用方。打开单元格查看文字说明。"},
	{"follows the row's advice", "与条目说明一致"}, {"does not fully follow the row's advice", "与条目说明略有出入"}, {"wastes requests or misleads the caller", "浪费请求或造成误导"},
	{"{#} client(s), {#} row(s): {}", "{1} 个客户端，{2} 个条目：{3}"},
	{"no client wastes requests or treats an error as a success", "没有客户端浪费请求或把错误当作响应"},
	{"on {#} row(s) at least one client wastes requests or treats an error as a success", "在 {1} 个条目上，有客户端浪费请求或把错误当作响应"},
	{". This view is not a verdict on the gateway: it shows how client libraries handle the gateway's responses. ● is a request that received an error,\n○ a request that succeeded, × a request without a complete response.",
		"。这些都不是对网关的判定，而是客户端库对其响应的处理。● 是得到错误的请求，○ 是得到正常响应的请求，× 是没有得到完整响应的请求。"},
	{"retry even though a retry cannot succeed", "重发不可能成功的请求"}, {"treat an error or an incomplete response as a success", "把错误或不完整的响应当作响应"},
	{"retry before the Retry-After time has passed", "早于 Retry-After 重发"}, {"hang until the call times out", "时间用尽仍未结束"}, {"do not retry even though a retry may succeed", "不重发可能成功的请求"},
	{"do not expose the code in a field of the error", "错误对象的任何字段都没有错误码"}, {"raise an error whose class does not belong to the client library", "抛出的错误不属于自身的类"},
	{"{#} of {#} client(s) retries in vain ({}); {}", "{2} 个客户端中有 {1} 个徒劳重试（{3}）；{4}"}, {"{#} of {#} client(s) does not retry ({}); {}", "{2} 个客户端中有 {1} 个不重试（{3}）；{4}"},
	{"{#} of {#} client(s) retry in vain ({}); {}", "{2} 个客户端中有 {1} 个徒劳重试（{3}）；{4}"}, {"{#} of {#} client(s) do not retry ({}); {}", "{2} 个客户端中有 {1} 个不重试（{3}）；{4}"},
	{"no status that the contract names for this row makes any of them stop retrying", "契约在此列出的状态码都不能让它们停止"},
	{"{} instead of {} would stop all of them", "用 {1} 代替 {2} 可使其全部停止"}, {"{} instead of {} would stop {#} of them", "用 {1} 代替 {2} 可使其中 {3} 个停止"},
	{"{} instead of {} would make all of them retry", "用 {1} 代替 {2} 可使其全部重试"}, {"{} instead of {} would make {#} of them retry", "用 {1} 代替 {2} 可使其中 {3} 个重试"},
	{"x-should-retry: false would stop all of them", "x-should-retry: false 可使其全部停止"}, {"x-should-retry: false would stop {#} of them", "x-should-retry: false 可使其中 {1} 个停止"},
	{"{} would stop all of them", "{1} 可使其全部停止"}, {"{} would stop {#} of them", "{1} 可使其中 {2} 个停止"},
	{"{#} response(s) that gatecert itself sent", "gatecert 自己给出的 {1} 种响应"},
	{"{#} more clients are only in clients.json, to keep this page small.", "另有 {1} 个客户端在 clients.json 中，本页放不下。"},
	{"{#} more client is only in clients.json, to keep this page small.", "另有 {1} 个客户端在 clients.json 中，本页放不下。"},

	{"sends nothing", "不发送"}, {"sends the request once", "发送一次"}, {"sends the request twice", "发送两次"}, {"sends the request {#} times", "发送 {1} 次"}, {"keeps resending the request until the call times out", "一再重发，直到时间用尽"},
	{"{} and reports success", "{1}，给出正常响应"}, {"{} and hangs until the call times out", "{1}，时间用尽仍未结束"},
	{"{} and raises no error", "{1}，不报错"}, {"{} and raises no error; the caller receives {#} character(s) of text", "{1}，不报错；调用方收到 {2} 个字符的文本"},
	{"{} and raises {*}", "{1}，抛出 {2}"}, {"{} and raises {*}; {}", "{1}，抛出 {2}；{3}"}, {"no result: {*}", "没有结果：{1}"},
	{"the code is in {*}", "错误码在 {1}"}, {"the code is only in the raw body, at {*}", "错误码只在原始响应体中：{1}"}, {"the code is only in the text of the message", "错误码只在消息文本中"},
	{"the code does not appear in the error", "任何地方都没有错误码"}, {"the response had no error code", "没有附带错误码"},
}
