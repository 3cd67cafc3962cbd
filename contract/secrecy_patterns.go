package contract

// leakKind is something of the gateway's inside that no answer may show, and the expressions that recognise it.
type leakKind struct {
	what        string
	expressions []string
}

// Pieces of the expressions.
const (
	// sqlName is a name of a table or column, quoted or not, qualified or not.
	sqlName = sqlBare + "[\"`\\]]?"
	// sqlBare is one at the end of a match, so that the quote after a message does not count as its own.
	sqlBare = "[\"`\\[]?[A-Za-z_][\\w$]*(?:[\"`\\]]?\\.[\"`\\[]?[\\w$]+)*"
	// quoted is a name in the quotes of any database, escaped or not.
	quoted = "['\"`\\\\]+[\\w.$ -]{1,80}['\"`\\\\]+"
	// placeBegins is the first folder of a path to a source file. What follows the two slashes of a URL is its host, and the
	// domains of whole countries end like source files: https://docs.gateway.cc:8443 is a page and its port.
	placeBegins = `(?:(?:^|[^\w@./\\-])(?:[\w@.-]+/|/[\w@.-]|[A-Za-z]:\\)|://[\w@.:-]*/)`
	// dotnetFrame is a frame of a .NET stack trace after the beginning of its line.
	dotnetFrame = `\s+at [\w.+<>\x60,\[\]]+\.[\w<>\x60.,\[\]]+\([^)\n]{0,200}\)(?:\\r|\r|\\n|\n|$)`
	// sources are the extensions of source files that no prose has.
	sources = `(?:py|pyx|js|mjs|cjs|jsx|ts|mts|tsx|rb|php|rs|java|kt|scala|cs|fs|exs?|erl|lua|cpp|cc)`
)

// leakKinds recognise SQL, the errors of databases, stack traces and addresses by their own grammar, so that ordinary
// prose does not match: "select a model from the list" is not SQL, "at 10:30 (UTC)" is not a stack frame.
var leakKinds = []leakKind{
	{"SQL", []string{
		// In upper case the words alone are enough.
		`\bSELECT\s[^"]{1,200}?\sFROM\s`, `\bINSERT\s+(?:OR\s+\w+\s+)?INTO\s`, `\bUPDATE\s+\S+\s+SET\s`, `\bDELETE\s+FROM\s`,
		`\b(?:ALTER|DROP|TRUNCATE|CREATE)\s+(?:TABLE|INDEX|DATABASE)\s`,
		// In lower case it takes what prose does not have: a star, a list or a call as columns, or a condition.
		`(?i)\bselect\s+(?:distinct\s+)?(?:\*|` + sqlName + `(?:\s*,\s*` + sqlName + `)+|\w+\([^)]{0,60}\))\s+from\s+` + sqlBare,
		`(?i)\bselect\s+` + sqlName + `\s+from\s+` + sqlName + `\s+(?:as\s+\w+\s+)?where\s+` + sqlName + `\s*(?:=|<|>|!=|like\s|in\s*\(|is\s)`,
		`(?i)\binsert\s+(?:or\s+\w+\s+|ignore\s+)?into\s+` + sqlName + `\s*(?:\(|values\s*\(|select\s|default\s+values)`,
		`(?i)\bupdate\s+` + sqlName + `\s+set\s+` + sqlName + `\s*=`,
		`(?i)\bdelete\s+from\s+` + sqlName + `\s+where\s+` + sqlName + `\s*(?:=|<|>|!=|like\s|in\s*\(|is\s)`,
		`(?i)\balter\s+table\s+` + sqlName + `\s+(?:add|drop|rename|modify|alter)\s`,
		`(?i)\b(?:create|drop)\s+table\s+(?:if\s+(?:not\s+)?exists\s+)?` + sqlName + `\s*[;(]`}},

	{"a database's error", []string{
		// PostgreSQL and its clients
		`SQLSTATE`, `\bpq: `, `(?i)\b(?:relation|table|column|role|database|schema) ` + quoted + ` does(?:n't| not) exist`,
		`(?i)\bcolumn [\w.]+ does not exist`, `(?i)duplicate key value violates`, `(?i)violates (?:\S+ )?(?:foreign key|not-null|check|unique|exclusion) constraint`,
		`(?i)null value in column ` + quoted, `(?i)permission denied for (?:table|relation|schema|database|sequence|function) `,
		`(?i)password authentication failed for user`, `(?i)no pg_hba\.conf entry`, `(?i)syntax error at or near `,
		`(?i)canceling statement due to `, `(?i)\bdeadlock detected`, `(?i)remaining connection slots are reserved`,
		`(?i)too many (?:connections|clients)[^.]{0,20} for (?:role|database) `,
		`(?i)connection to server at `, `\bhost=\S+ (?:user|port|database|dbname|hostaddr|password)=`,
		// MySQL and its clients
		`(?i)Error 1\d{3} \(\w{5}\)`, `\bER_[A-Z_]{4,}`, `(?i)Duplicate entry ` + quoted + ` for key`, `(?i)Access denied for user ` + quoted + `@`,
		`(?i)Unknown column ` + quoted + ` in `, `(?i)Unknown database ` + quoted, `(?i)error in your SQL syntax`, `(?i)Lock wait timeout exceeded`,
		`(?i)(?:Can't connect to|Lost connection to) MySQL server`, `(?i)MySQL server has gone away`,
		// SQLite
		`SQLITE_[A-Z]+`, `(?i)no such (?:table|column|function|index): `, `(?i)database (?:table )?is locked`, `(?i)database disk image is malformed`,
		`(?i)(?:UNIQUE|FOREIGN KEY|NOT NULL|CHECK|PRIMARY KEY) constraint failed`, `(?i)attempt to write a readonly database`,
		`(?i)unable to open database file`, `(?i)near \\?"[^"{}\[\]:\\]{1,40}\\?": syntax error`,
		// Mongo, Redis
		`\bE11000\b`, `\bMongo(?:Server|Network|Write|Bulk|Timeout|Parse)?(?:Selection|Write)?(?:Error|Exception)\b`,
		`\bWRONGTYPE Operation`, `\bNOAUTH Authentication`, `\bWRONGPASS `, `\bMISCONF Redis`, `\bOOM command not allowed`,
		`(?i)against a read only replica`, `\bLOADING Redis`, `\bCLUSTERDOWN `, `\b(?:MOVED|ASK) \d{1,5} \S+:\d+`, `\bredis: (?:nil|client|connection|transaction|can't)`,
		// Oracle, SQL Server
		`\bORA-\d{5}`, `\bTNS-\d{5}`, `(?i)Violation of (?:PRIMARY|UNIQUE|FOREIGN) KEY constraint`, `(?i)Cannot insert duplicate key`,
		`(?i)Invalid (?:object|column) name ` + quoted, `(?i)Login failed for user ` + quoted, `\bMsg \d+, Level \d+, State \d+`,
		`(?i)Incorrect syntax near `, `\bmssql: `,
		// Mappers and drivers
		`\bPrismaClient\w*`, "(?i)Invalid [`'\"]{0,2}prisma\\.", `(?i)Unique constraint failed on the `, `(?i)Can't reach database server`,
		`\bjdbc:\w+:`, `\b(?:PSQL|SQL\w*|MySQL\w*|Sql|Npgsql|Oracle)Exception\b`, `\bHikariPool-\d`,
		`\bsql: (?:no rows|database is closed|connection is|expected \d|Scan error|transaction has|unknown driver|converting |statement is)`,
		`\b(?:sqlalchemy|psycopg2?|pymysql|pymongo|asyncpg|sqlite3|MySQLdb|django\.db)\.[\w.]*(?:Error|exc|errors|utils)`,
		`\(Background on this error at: `, `\bSequelize\w+Error\b`, `\bQueryFailedError\b`, `\bActiveRecord::\w+`, `\bPG::\w+`, `\bMysql2::\w+`,
		`\bPDOException\b`, `\bEcto\.\w+Error\b`, `\bPostgrex\.Error\b`, `\bDBConnection\.\w+Error\b`}},

	{"a stack trace", []string{
		// Go
		`goroutine \d+ \[`, `(?:^|[\n"(]|\\n|: )panic: `, `[\w./@-]+\.go:\d+`,
		// Python
		`Traceback \(most recent call last\)`, `File \\?"[^"\n]{1,200}\\?", line \d+, in \S`, `File \\?"[^"\n]{0,200}(?:\.pyx?|<\w+[^"\n]{0,80}>)\\?", line \d+`,
		// V8 and other engines of JavaScript
		`(?:\\n|\n)\s+at [^\n]{1,200}?[:(][^\n]{0,200}?:\d+:\d+\)?`, `\bat (?:async )?[\w.<>$ \[\]]{1,80} \((?:file:|node:|webpack:|/|[A-Za-z]:\\|\w[\w.-]*/)[^()\n]{0,200}:\d+:\d+\)`,
		`\bat (?:file://|node:)[^\s()]{1,200}:\d+:\d+`,
		// Java and its relatives
		`\bat [\w$.]+\.[\w$<>]+\((?:[\w$]+\.(?:java|kt|scala|groovy)(?::\d+)?|Native Method|Unknown Source)\)`,
		`\bCaused by: (?:\w+\.)+\w+`, `\bException in thread "`,
		// .NET
		`\bin [^\n]{1,200}\.(?:cs|fs|vb):line \d+`, `^` + dotnetFrame, `(?:\\n|\n)` + dotnetFrame,
		`--- End of (?:inner exception )?stack trace`,
		// PHP
		`#\d+ [^\s()]{1,200}\.php\(\d+\)`, `\.php on line \d+`, `PHP (?:Fatal|Parse) error:`, `(?i)\bstack trace:(?:\\n|\s)`,
		// Ruby, Rust, Elixir, Lua
		"\\.rb:\\d+:in ", `\bpanicked at `, `(?i)\bstack backtrace:`, `(?:^|[\s"'(:,]|\\n)\*\* \((?:[A-Z]\w*\.?)+\) `, `\(\w+ \d+\.\d+\.\d+\S*\) lib/\S+\.exs?:\d+`,
		`(?i)\bstack traceback:`, `\[C\]: in `, `\[string \\?"[^\n]{1,80}"\]:\d+:`,
		// a place in a source file, of any of them
		placeBegins + `[\w@./\\-]{0,200}\.` + sources + `:\d+`, `\b[\w-]+\.` + sources + `:\d+:\d+`}},

	{"an internal address", []string{
		`\bdial (?:tcp|udp|unix)\d? `, `\b(?:read|write) (?:tcp|udp)\d? \S+->\S+:`, `\bconnect E[A-Z]{4,} \S+`, `\blookup \S+(?: on \S+:53\b|: no such host)`,
		`\bgetaddrinfo (?:ENOTFOUND|EAI_AGAIN) `, `HTTPS?ConnectionPool\(host=`, `(?i)\bhost=['"\\]+[\w.:-]+['"\\]+,? port=\d+`,
		`(?i)failed to connect to \S+ port \d+`, `(?i)Connect call failed \(`, `(?i)Cannot connect to host \S+:\d+`,
		`(?i)Connection refused: \S*[/:]\S*\d`, `(?i)error sending request for url \(`, `\bupstream: \\?"\w+://`,
		`\\?"IP\\?"\s*:\s*\\?"[0-9A-Fa-f.:]+\\?"\s*,\s*\\?"Port\\?"\s*:\s*\d+`}},
}
