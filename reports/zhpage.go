package reports

// zhPage are the texts of report.html that the other reports do not have.
var zhPage = [][2]string{
	{"conformance report", "符合性报告"}, {"Skip to the matrix", "跳到矩阵"}, {"theme: {}", "主题：{1}"}, {"auto", "自动"}, {"light", "浅色"}, {"dark", "深色"}, {"automatic", "自动"},
	{"Colour theme: {}", "颜色主题：{1}"}, {"Verdict", "结论"}, {"Fix these first", "优先修复"}, {"{#} more cause(s)", "另有 {1} 个原因"}, {"… and {} in the log.", "… 另有 {1}，见日志。"},
	{"Filter the matrix and the cases", "筛选矩阵和用例"}, {"Level", "级别"}, {"Levels", "级别"}, {"Endpoint", "端点"}, {"Target", "目标"}, {"Targets", "目标"}, {"Breaks", "违反"}, {"any aspect", "任一方面"}, {"Cause", "原因"},
	{"only differences", "只看差异"}, {"Text", "文本"}, {"Clear the filter", "清除筛选"}, {"Cases", "用例"}, {"Run", "运行"}, {"Profile", "配置文件"}, {"Row", "条目"}, {"Expected", "应为"},
	{"To show the evidence on this page, enable JavaScript. report.json and summary.md contain the same evidence.", "显示证据需要 JavaScript。相同内容见 report.json 和 summary.md。"},
	{"Evidence", "证据"}, {"Previous cell that needs attention (k)", "上一个需要关注的单元格（k）"}, {"Previous cell that needs attention", "上一个需要关注的单元格"},
	{"Next cell that needs attention (j)", "下一个需要关注的单元格（j）"}, {"Next cell that needs attention", "下一个需要关注的单元格"}, {"Close (Esc)", "关闭（Esc）"}, {"Close the evidence", "关闭证据"},
	{"Example", "示例"}, {"Got", "实际"}, {"Request", "请求"}, {"Response", "响应"}, {"Show its cases", "查看相关用例"}, {"Matrix", "矩阵"}, {"Conformance matrix", "符合性矩阵"}, {"Legend", "图例"},
	{"No case matches the filter.", "没有符合筛选条件的用例。"}, {"Contract rows by gateway endpoint. Open a cell to see its evidence.", "契约条目与网关端点。打开单元格查看证据。"},
	{"Contract rows by target. Open a cell to see its evidence.", "契约条目与目标。打开单元格查看证据。"}, {"at most half of the cases fail", "失败的用例不超过一半"}, {"dashed: only some of the cases were tested", "虚线：只测试了部分用例"},
	{"HTTP status codes", "HTTP 状态码"}, {"Business error codes", "业务错误码"}, {"Aspects", "方面"}, {"By aspect: cases in which the aspect holds, out of all cases that test it", "按方面：在测试该方面的用例中，有多少满足"},
	{"{} on {}: {}", "{1}，{2}：{3}"}, {"{}, {#} of {#} cases", "{1}，{3} 个用例中的 {2} 个"}, {"{}, {#} tested", "{1}，已测 {2} 个"}, {"{#} of {#} cases", "{2} 个用例中的 {1} 个"}, {"{#} of {#}", "{1}/{2}"},
	{"Findings", "发现"}, {"Requirement", "要求"}, {"Scenario", "场景"}, {"Stream events", "流事件"}, {"{#} events in {}", "{2} 内 {1} 个事件"}, {"{#} events over {}", "{2} 内 {1} 个事件"},
	{"Upstream requests", "上游请求"}, {"None. The request did not reach the upstream.", "无：请求没有到达上游。"}, {"{#} request(s)", "{1} 个请求"}, {"{#} header field(s)", "{1} 个响应头"}, {"raw body", "原始响应体"},
	{"Load", "负载"}, {"Effects", "副作用"}, {"Reproduce", "复现"}, {"copy", "复制"}, {"copied", "已复制"}, {"selected", "已选中"}, {"Contract:", "契约："}, {"needs {}", "需要 {1}"}, {"{#} tries", "尝试 {1} 次"},
	{"To keep this page small, the evidence was left out. See run.ndjson.", "为控制页面大小省略了证据，见 run.ndjson。"}, {"cut: the complete command is in run.ndjson", "已截断：完整命令见 run.ndjson"},
	{"{#} more cases are only in run.ndjson, to keep this page small.", "另有 {1} 个用例在 run.ndjson 中，本页放不下。"}, {"No case of this row ran.", "该条目没有运行任何用例。"},
	{"Contract", "契约"}, {"Impact", "影响"}, {"Fix", "修复"}, {"what to do", "处理方式"}, {"(passed)", "（通过）"}, {"(failed)", "（失败）"}, {"(warned)", "（警告）"}, {"(untested)", "（未测试）"},
	{"{#} bytes", "{1} 字节"}, {"cancelled by the gateway", "被网关取消"}, {"bytes after the last event:", "最后一个事件之后的字节："}, {"no header field", "缺少响应头"}, {"common cause", "常见原因"},
	{"Result", "结果"}, {"Details", "详情"}, {"Latency", "延迟"}, {"Calls", "调用数"}, {"p50 limit", "p50 上限"}, {"violated", "违反"}, {"untested", "未测试"},
	{"Bars: responses per second, stacked by outcome. Lines: median and maximum latency of healthy calls over time. Shaded\nbands: phases of the load; hover over a band to see its name. The tables list the result of each requirement (held, violated or untested) and the\nlatencies that gatecert compared; “p50 limit” is the highest permitted median.", "柱：每秒响应数，按结果堆叠。线：正常调用的延迟中位数和最大值。阴影区间：负载阶段，悬停可查看名称。表格列出每项要求（满足、违反或未测试）和所比较的延迟；“p50 上限”是允许的最大中位数。"},

	// The closing sentence, in its two parts.
	{"conformant at {}", "符合契约（{1}）"}, {"NOT conformant at {}", "不符合契约（{1}）"}, {"PASS", "通过"}, {"FAIL", "未通过"}, {"INCOMPLETE", "运行不完整"}, {"INCONCLUSIVE", "无法得出结论"},
	{": {}. Nothing is certified.", "：{1}。未认证任何内容。"}, {": {} ({}).", "：{1}（{2}）。"}, {": {}.", "：{1}。"},
}
