package reports

// zhMatrix are the texts of several runs in one matrix that the reports of one run do not have.
var zhMatrix = [][2]string{
	{"comparison", "对比"}, {"Comparison of {#} target(s)", "{1} 个目标的对比"}, {"gatecert: {#} target(s) side by side", "gatecert：{1} 个目标并列对比"}, {"result", "结果"},
	{"{#} target(s): {#} of {#} row(s) agree, {#} differ.", "{1} 个目标：{3} 个条目中 {2} 个一致，{4} 个不同。"},
	{"{#} target(s): {#} of {#} row(s) agree, {#} differ, {#} ran only on some targets.", "{1} 个目标：{3} 个条目中 {2} 个一致，{4} 个不同，{5} 个并非所有目标都运行过。"},
	{"{#} target(s)", "{1} 个目标"}, {"{#} of {#} row(s) agree, {#} differ", "{2} 个条目中 {1} 个一致，{3} 个不同"},
	{"{#} of {#} row(s) agree, {#} differ, {#} ran only on some targets", "{2} 个条目中 {1} 个一致，{3} 个不同，{4} 个并非所有目标都运行过"},
	{"{*} and {*} were judged against different versions of the contract.", "{1} 和 {2} 按不同版本的契约判定。"},
	{"{*} was tested at level {} and {*} at level {}.", "{1} 在级别 {2} 测试，{3} 在级别 {4} 测试。"},
	{"{#}/{#}: {#} of {#} cases pass", "{1}/{2}：{4} 个用例中 {3} 个通过"},
	{"clients that follow the row's advice (a row is omitted if all clients do):", "行为与条目说明一致的客户端（仅列出并非全部一致的条目）："},
	{"clients that follow the row's advice", "行为与条目说明一致的客户端"},
}

// zhAdvice is what callers should do, by the tables of the contract.
var zhAdvice = [][2]string{
	{"Missing / malformed parameters", "参数缺失或格式错误"},
	{"Missing or wrong key", "缺少密钥或密钥错误"},
	{"Key revoked / no access to the model", "密钥已吊销，或无权使用该模型"},
	{"Path or model does not exist", "路径或模型不存在"},
	{"See Rate Limits", "见速率限制"},
	{"Retry or contact support", "重试或联系支持"},
	{"Check params and body", "检查参数和请求体"},
	{"Verify the JSON is valid", "确认 JSON 有效"},
	{"Check body and Content-Type", "检查请求体和 Content-Type"},
	{"Ensure params match the API format", "确认参数符合 API 格式"},
	{"Adjust the input", "调整输入"},
	{"Adjust the prompt", "调整提示词"},
	{"Check key, permissions, and group", "检查密钥、权限和分组"},
	{"Verify model and your plan’s models", "确认模型名称和套餐内的模型"},
	{"Use a supported API format", "使用受支持的 API 格式"},
	{"Retry later or contact support", "稍后重试或联系支持"},
	{"Contact support", "联系支持"},
	{"Retry; shrink the request if needed", "重试；必要时缩短请求"},
	{"Top up or check your plan quota", "充值或检查套餐额度"},
	{"Check quota and retry", "检查额度后重试"},
	{"Check input and retry", "检查输入后重试"},
	{"Retry", "重试"},
	{"Retry; raise timeout for streaming", "重试；流式请求可延长超时"},
}
