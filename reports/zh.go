package reports

import (
	"slices"
	"sync"
)

// chinese is simplified Chinese. It is read-only, and made when a report is first written in it: its expressions take 4 ms, a fifth of
// the start of the command.
var chinese = sync.OnceValue(func() Language {
	return newLanguage("zh", slices.Concat(zhFrame, zhPage, zhCallers, zhTitles, zhContract, zhRows, zhRemedies, zhNotes, zhSteps, zhCircumstances, zhMatrix, zhAdvice))
})

// zhFrame are the texts around the results. {} is any text, {#} a number, (s) an s or none.
var zhFrame = [][2]string{
	{"row", "条目"}, {"level", "级别"}, {"cases", "用例"}, {"all", "全部"}, {"held:", "满足："}, {"held", "满足"}, {"of cases", "用例数"},
	{"aspect", "方面"}, {"meaning", "含义"}, {"status", "状态码"}, {"in part", "部分测试"}, {"such as", "例如"},
	{"envelope", "错误信封"}, {"code", "错误码"}, {"stream", "流式"}, {"leaks", "泄露"}, {"effects", "副作用"},
	{"{} {#} of {#}", "{1} {2}/{3}"},
	{"pass", "通过"}, {"warn", "警告"}, {"not-offered", "未提供"}, {"expected-fail", "预期失败"}, {"untestable", "无法测试"}, {"error", "错误"}, {"fail", "失败"}, {"not-run", "未运行"},
	{"~ streaming", "~ 流式"}, {"k/n k of n cases tested", "k/n 共 n 个用例，已测 k 个"}, {"± only some cases tested", "± 未提供，仅测试了一部分"},

	{"level {}", "级别 {1}"}, {"{} without load cases", "{1}（不含负载用例）"}, {"tables 1 and 2", "表 1 和表 2"}, {"table 1, no codes", "表 1（不声明错误码）"},
	{"{}, no client keys", "{1}，不声明客户端密钥"}, {"tables 1 and 2, the gateway's own names for {#} of {#} codes", "表 1 和表 2，{2} 个错误码中有 {1} 个使用自有名称"},
	{"the profile's own recipes define the requests for these circumstances: {}", "以下场景的请求由配置文件中的 recipe 决定：{1}"},
	{"note: {}", "注意：{1}"}, {"Notes", "注意事项"}, {"The run", "本次运行"}, {"Load cases", "负载用例"}, {"{#} {} endpoint(s)", "{2} 端点（{1} 个）"}, {"other", "其他"},

	{"Fix these first: {#} cause(s) of {#} failure(s) and {#} warning(s)", "优先修复：{2} 个失败和 {3} 个警告，共 {1} 个原因"},
	{"Fix these first: {#} cause(s) of {#} failure(s)", "优先修复：{2} 个失败，共 {1} 个原因"},
	{"Fix these first: {#} cause(s) of {#} warning(s)", "优先修复：{2} 个警告，共 {1} 个原因"},
	{"{#} failure(s), {#} warning(s)", "{1} 个失败，{2} 个警告"},
	{"… and {#} more cause(s), in report.html", "… 另有 {1} 个原因，见 report.html"}, {"… and {#} more, see report.html", "… 另有 {1} 个，见 report.html"},
	{"… and {#} more in report.html", "… 另有 {1} 个，见 report.html"}, {"… and {#} more", "… 另有 {1} 个"},
	{"{#} expected case(s) never ran:", "有 {1} 个应当运行的用例没有运行："},
	{"{#} case(s), {#} endpoint(s)", "{1} 个用例，{2} 个端点"}, {"{#} case(s), {#} endpoint(s), such as {}", "{1} 个用例，{2} 个端点，例如 {3}"},
	{"found in", "出现于"}, {"request", "请求"}, {"response", "响应"}, {"load", "负载"}, {"got", "实际"}, {"want", "应为"}, {"contract", "契约"}, {"impact", "影响"}, {"fix", "修复"},
	{"requirement", "要求"}, {"scenario", "场景"}, {"step", "步骤"}, {"response", "响应"}, {"reason", "原因"},
	{"target", "目标"}, {"url", "URL"}, {"driver", "驱动"}, {"version", "版本"}, {"claims", "声明"}, {"recipes", "recipe"}, {"load cases", "负载用例"}, {"rows", "条目"},
	{"started", "开始时间"}, {"duration", "耗时"}, {"run", "运行"}, {"tool", "工具"},

	// The closing sentence.
	{"conformant at {}: {}.", "符合契约（{1}）：{2}。"}, {"NOT conformant at {}: {}.", "不符合契约（{1}）：{2}。"},
	{"PASS: {} ({}).", "通过：{1}（{2}）。"}, {"FAIL: {} ({}).", "未通过：{1}（{2}）。"},
	{"INCOMPLETE: {}. Nothing is certified.", "运行不完整：{1}。未认证任何内容。"}, {"INCONCLUSIVE: {}. Nothing is certified.", "无法得出结论：{1}。未认证任何内容。"},
	{"level {} to table 1; the gateway claims no codes", "级别 {1}，仅限表 1，不声明错误码"}, {"level {} to table 1 and to the gateway's own codes", "级别 {1}，限表 1 及自有错误码"},
	{"level {}; the gateway issues no client keys", "级别 {1}，不声明客户端密钥"}, {"level {}, load cases on {}", "级别 {1}，负载用例运行于 {2}"},
	{"level {} to table 1; the gateway claims no codes; the gateway issues no client keys", "级别 {1}，仅限表 1，不声明错误码和客户端密钥"},
	{"level {} to table 1 and to the gateway's own codes; the gateway issues no client keys", "级别 {1}，限表 1 及自有错误码，不声明客户端密钥"},
	{"{}, level {}", "{1}，级别 {2}"}, {"{}, {}", "{1}，{2}"},
	{"{#} of {#} row(s) {}", "{2} 个条目中 {1} 个{3}"}, {"{#} of {#} selected row(s) {}", "选定的 {2} 个条目中 {1} 个{3}"}, {"{#} of {#} selected case(s) {}", "选定的 {2} 个用例中 {1} 个{3}"},
	{"passes", "通过"}, {"warns", "警告"}, {"not offered", "未提供"}, {"fails as expected", "预期失败"}, {"fail as expected", "预期失败"}, {"fails", "失败"}, {"in error", "出错"}, {"not run", "未运行"},
	{"{#} pass", "{1} 个通过"}, {"{#} passes", "{1} 个通过"}, {"{#} warn", "{1} 个警告"}, {"{#} warns", "{1} 个警告"}, {"{#} fail", "{1} 个失败"}, {"{#} fails", "{1} 个失败"},
	{"{#} not offered", "{1} 个未提供"}, {"{#} not offered ({#} in part)", "{1} 个未提供（其中 {2} 个仅测试了一部分）"}, {"not offered ({#} in part)", "未提供（其中 {1} 个仅测试了一部分）"},
	{"{#} fail as expected", "{1} 个预期失败"}, {"{#} fails as expected", "{1} 个预期失败"}, {"{#} untestable", "{1} 个无法测试"}, {"{#} in error", "{1} 个出错"}, {"{#} not run", "{1} 个未运行"},
	{"the log has no footer", "日志没有结尾记录"}, {"the log ends in an incomplete line and has no footer", "日志以不完整的一行结束，没有结尾记录"}, {"the run was interrupted", "运行被中断"},
	{"no case was executed", "没有执行任何用例"}, {"{#} of {#} expected case(s) never ran", "{2} 个应当运行的用例中有 {1} 个没有运行"}, {"{}; {}", "{1}；{2}"},
	{"the footer's counts do not match the cases in the log", "结尾记录的计数与日志中的用例不一致"},
	{"the healthy control call failed on every endpoint", "没有端点能正常响应健康检查调用"}, {"no case could be judged", "没有用例能够判定"},

	// What is run again.
	{"fixed: {}", "已修复：{1}"}, {"{#} case(s) did not pass in the earlier run: {}", "此前未通过的 {1} 个用例：{2}"},
	{"{#} fixed", "已修复 {1} 个"}, {"{#} still failing", "仍失败 {1} 个"}, {"{#} different", "结果不同 {1} 个"},
}

// zhTitles are the names of causes.
var zhTitles = [][2]string{
	{"{#} responses show {}", "{1} 响应泄露了 {2}"}, {"Responses show {}", "响应泄露了 {1}"},
	{"{#} responses have no code", "{1} 响应缺少错误码"}, {"Responses have no code", "响应缺少错误码"},
	{"{#} responses have no message", "{1} 响应缺少消息（message）"}, {"Responses have no message", "响应缺少消息（message）"},
	{"{#} responses have no {}", "{1} 响应缺少 {2}"}, {"Responses have no {}", "响应缺少 {1}"},
	{"{#} responses have {}", "{1} 响应有问题：{2}"}, {"Responses have {}", "响应有问题：{1}"},
	{"{#} responses have {} as their message", "{1} 响应的 message 为{2}"}, {"Responses have {} as their message", "响应的 message 为{1}"},
	{"{#} responses have {} as their code", "{1} 响应的错误码为{2}"}, {"Responses have {} as their code", "响应的错误码为{1}"},
	{"{#} responses have the code {}", "{1} 响应的错误码为 {2}"}, {"Responses have the code {}", "响应的错误码为 {1}"},
	{"{#} responses have the code in {}", "{1} 响应的错误码位于 {2}"}, {"Responses have the code in {}", "响应的错误码位于 {1}"},
	{"{#} responses have the code {} with {}", "{1} 响应的错误码 {2} 与 {3} 不匹配"}, {"Responses have the code {} with {}", "响应的错误码 {1} 与 {2} 不匹配"},
	{"{#} responses have the code {}, which blames the caller", "{1} 响应的错误码 {2} 把责任归于调用方"}, {"Responses have the code {}, which blames the caller", "响应的错误码 {1} 把责任归于调用方"},
	{"{#} responses have the type {}, which does not match the HTTP status", "{1} 响应的 type {2} 与状态码不匹配"}, {"Responses have the type {}, which does not match the HTTP status", "响应的 type {1} 与状态码不匹配"},
	{"{#} responses have an error.code that differs from the HTTP status", "{1} 响应的 error.code 与状态码不一致"}, {"Responses have an error.code that differs from the HTTP status", "响应的 error.code 与状态码不一致"},
	{"{#} responses have the Content-Type {}", "{1} 响应的 Content-Type 为 {2}"}, {"Responses have the Content-Type {}", "响应的 Content-Type 为 {1}"},
	{"{#} responses are not valid error envelopes: {}", "{1} 响应不是错误信封：{2}"}, {"Responses are not valid error envelopes: {}", "响应不是错误信封：{1}"},
	{"{} instead of {}", "应为 {2}，实际为 {1}"}, {"{} blames the caller for something that is not their fault", "{1} 把非调用方的问题归咎于调用方"},
	{"{#} with {}", "{1}（{2}）"}, {"an error object", "响应体为错误对象"}, {"an HTML page", "响应体为 HTML 页面"}, {"another body", "响应体为其他内容"}, {"an ordinary answer", "普通响应"},
	{"the error in an event stream", "错误放在事件流中"}, {"an event stream that breaks off", "事件流中途断开"}, {"an empty {}", "空的 {1}"},
	{"an HTML page instead of JSON", "返回 HTML 页面而不是 JSON"}, {"an empty body", "响应体为空"}, {"text that is not JSON", "文本不是 JSON"}, {"truncated JSON", "JSON 被截断"},
	{"a body that is still compressed", "响应体仍处于压缩状态"}, {"a body that is not UTF-8", "响应体不是 UTF-8"}, {"JSON with trailing data", "JSON 之后还有多余内容"},
	{"an object", "对象"}, {"a list", "列表"}, {"a number", "数字"}, {"a boolean", "布尔值"}, {"error object", "错误对象"}, {"message", "message"}, {"param", "param"}, {"type", "type"},
	{"Could not be judged: {}", "无法判定：{1}"}, {"Could not be judged", "无法判定"},
}
