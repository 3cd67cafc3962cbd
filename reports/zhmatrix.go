package reports

// zhMatrix are the texts of several runs in one matrix that the reports of one run do not have.
var zhMatrix = [][2]string{
	{"comparison", "对比"}, {"Comparison of {#} target(s)", "{1} 个目标的对比"}, {"gatecert: {#} target(s) side by side", "gatecert：{1} 个目标并列对比"}, {"result", "结果"},
	{"{#} target(s): {#} of {#} row(s) agree, {#} differ.", "{1} 个目标：{3} 个条目中 {2} 个一致，{4} 个不同。"},
	{"{#} target(s): {#} of {#} row(s) agree, {#} differ, {#} not run by all.", "{1} 个目标：{3} 个条目中 {2} 个一致，{4} 个不同，{5} 个并非所有目标都运行过。"},
	{"{#} target(s): {#} of {#} row(s) agree, {#} differ", "{1} 个目标：{3} 个条目中 {2} 个一致，{4} 个不同"},
	{"{#} target(s): {#} of {#} row(s) agree, {#} differ, {#} not run by all", "{1} 个目标：{3} 个条目中 {2} 个一致，{4} 个不同，{5} 个并非所有目标都运行过"},
	{"{*} and {*} were judged by different versions of the contract.", "{1} 和 {2} 按不同版本的契约判定。"},
	{"{*} was certified at level {}, {*} at level {}.", "{1} 在级别 {2} 认证，{3} 在级别 {4} 认证。"},
	{"{#}/{#}: {#} of {#} cases pass", "{1}/{2}：{4} 个用例中 {3} 个通过"},
	{"clients that follow the row's advice, for rows where some do not:", "行为与条目说明一致的客户端（仅列出并非全部一致的条目）："},
	{"clients that follow the row's advice", "行为与条目说明一致的客户端"},
}
