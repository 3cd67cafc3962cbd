package contract

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// leaks are texts of runtimes and database drivers, by what they show.
var leaks = map[string][]string{
	"SQL": {
		"SELECT id, quota FROM tokens WHERE key = ?",
		"select id, quota from tokens where key = $1",
		"select * from users",
		"select count(*) from `abilities`",
		"select name from users where id = 5",
		"INSERT INTO logs VALUES (1)",
		"insert into logs (id, model) values (?, ?)",
		"insert or replace into logs values (1)",
		"UPDATE tokens SET used = 1",
		`update "channels" set "status" = 3 where id = 7`,
		"delete from sessions where user_id = 3",
		"ALTER TABLE users ADD COLUMN plan TEXT",
		"create table if not exists quota (id integer)",
	},
	"a database's error": {
		"permission denied for table users (SQLSTATE 42501)",
		`ERROR: relation "abilities" does not exist`,
		`pq: duplicate key value violates unique constraint "users_pkey"`,
		`insert or update on table "logs" violates foreign key constraint "logs_user_fkey"`,
		`null value in column "email" of relation "users" violates not-null constraint`,
		`FATAL: password authentication failed for user "gateway"`,
		`FATAL: role "gateway" does not exist`,
		"column tokens.qouta does not exist",
		`no pg_hba.conf entry for host "10.0.0.4", user "gw"`,
		"canceling statement due to statement timeout",
		"ERROR: deadlock detected",
		`connection to server at "10.0.0.5", port 5432 failed: timeout expired`,
		"failed to connect to `host=10.0.0.5 user=gw database=gw`: dial error",
		"Error 1062 (23000): Duplicate entry '7' for key 'users.PRIMARY'",
		"ER_DUP_ENTRY: Duplicate entry 'a@b.c' for key 'email'",
		"Access denied for user 'gateway'@'10.0.0.3' (using password: YES)",
		"Unknown column 'quta' in 'field list'",
		"Table 'gateway.tokens' doesn't exist",
		"You have an error in your SQL syntax; check the manual",
		"Lock wait timeout exceeded; try restarting transaction",
		"Can't connect to MySQL server on 'db' (111)",
		"MySQL server has gone away",
		"SQLITE_BUSY", "UNIQUE constraint failed: tokens.key", "no such table: tokens", "database is locked",
		"attempt to write a readonly database", "unable to open database file", `near "FORM": syntax error`, `near ",": syntax error`,
		"database disk image is malformed",
		`E11000 duplicate key error collection: gw.users index: email_1 dup key: { email: "a@b.c" }`,
		"MongoServerError: not primary", "MongoServerSelectionError: connection timed out", "MongoNetworkError: timed out",
		"WRONGTYPE Operation against a key holding the wrong kind of value", "NOAUTH Authentication required.",
		"MISCONF Redis is configured to save RDB snapshots", "READONLY You can't write against a read only replica.",
		"redis: connection pool timeout", "MOVED 3999 10.0.0.7:6381",
		"ORA-00942: table or view does not exist", "ORA-12541: TNS:no listener",
		"Violation of UNIQUE KEY constraint 'UQ_tokens'", "Invalid object name 'dbo.Tokens'.", "Login failed for user 'gateway'.",
		"Msg 208, Level 16, State 1", "Incorrect syntax near 'FORM'.",
		"PrismaClientKnownRequestError", "Invalid `prisma.token.findUnique()` invocation", "Unique constraint failed on the fields: (`email`)",
		"Can't reach database server at `db`:`5432`",
		"org.postgresql.util.PSQLException: something", "jdbc:postgresql://db:5432/gw",
		"HikariPool-1 - Connection is not available, request timed out after 30000ms",
		"sql: no rows in result set", "sql: database is closed",
		"(psycopg2.errors.UndefinedTable) tokens", "sqlalchemy.exc.OperationalError", "PG::UndefinedTable", "ActiveRecord::RecordNotUnique",
		"SequelizeUniqueConstraintError: Validation error", "(Postgrex.Error) x",
	},
	"a stack trace": {
		"goroutine 12 [running]:", "panic: runtime error: index out of range [3]", "/app/relay/channel.go:214: boom", "relay.go:88",
		"Traceback (most recent call last)", `File "/srv/app/main.py", line 12, in handler`, `File "<string>", line 1`, "/srv/app/main.py:12",
		"Error: boom\n    at Object.handler (/srv/app/index.js:10:5)", "    at Object.handler (/srv/app/index.js:10:5)",
		"TypeError: x is not a function at async Server.handle (file:///srv/app/server.mjs:40:11)", "at node:internal/process/task_queues:95:5",
		"java.lang.NullPointerException\n\tat com.acme.gateway.Relay.call(Relay.java:88)", "at com.acme.Relay.call(Native Method)",
		"Caused by: java.net.ConnectException", `Exception in thread "main" java.lang.Error`,
		"   at Gateway.Relay.Call(String model) in /src/Relay.cs:line 88", "Boom\n   at Gateway.Relay.Call(String model)\n",
		"--- End of stack trace from previous location ---",
		"#0 /var/www/relay.php(142): Relay->call()", "PHP Fatal error:  Uncaught Error", "Undefined index in /var/www/relay.php on line 12",
		"/srv/app/relay.rb:12:in `call'", "/srv/app/relay.rb:12:in 'Relay#call'",
		"thread 'main' panicked at src/relay.rs:12:5:", "stack backtrace:\n   0: std::panicking",
		"** (RuntimeError) boom", "failed: ** (Ecto.QueryError) boom", "failed\n** (KeyError) boom", "(gateway 0.1.0) lib/gateway/relay.ex:12: Gateway.Relay.call/1", "lib/gateway/relay.ex:12",
		"stack traceback:\n\t[C]: in function 'error'", `[string "relay"]:12: boom`, "/etc/kong/relay.lua:12: attempt to index a nil value",
		"in file:///srv/app/relay.py:12", "https://10.0.0.7:8443/static/relay.ts:12", "Error:/srv/app/relay.py:12", "C:\\app\\relay.cs:12",
		"src/relay.rs:12", "/a.py:1", "(app/relay.rb:12)",
	},
	"an internal address": {
		"dial tcp 10.0.0.7:443: connect: connection refused", "dial unix /run/db.sock: no such file", "read tcp 10.0.0.2:5123->10.0.0.7:443: read: connection reset by peer",
		"connect ECONNREFUSED 127.0.0.1:9901", "lookup upstream.internal: no such host", "lookup api on 10.0.0.2:53: server misbehaving",
		"getaddrinfo ENOTFOUND upstream.internal", "HTTPConnectionPool(host='10.0.0.7', port=18901): Max retries exceeded",
		"host='10.0.0.7', port=18901", "Failed to connect to 10.0.0.7 port 18901 after 0 ms: Couldn't connect to server",
		"Cannot connect to host 10.0.0.7:18901 ssl:default", "Connect call failed ('10.0.0.7', 18901)",
		"Connection refused: /10.0.0.7:18901", "error sending request for url (http://10.0.0.7:18901/v1)",
		`"Addr":{"IP":"127.0.0.1","Port":18840,"Zone":""}`,
	},
}

// innocent is prose that errors of gateways consist of.
var innocent = []string{
	"Please select a model from the list and update your settings",
	"Your table is ready at 10:30", "Select the model you want from the plan", "Please delete messages from the conversation and retry",
	"You can update your plan to set a higher limit.", "Insert a message into messages.", "Drop the parameter and try again.",
	"select one from those where possible", "Create a table of contents first.", "The table does not exist in your document.",
	`The model "gpt-9" does not exist or you do not have access to it.`, "The column you asked for does not exist.",
	"The role must be user or assistant.", "role 'tool' must follow an assistant message", "Duplicate entry in messages.",
	"You have an error in your request syntax.", "Permission denied for this model.", "Access denied for your group.",
	"File \"request body\", line 1: unexpected token", "unexpected token at line 1, column 12", "at 10:30 (UTC)", "Look at /docs/errors for help.",
	"See https://gateway.example:8443/docs for details.", "See https://docs.gateway.cc:8443/errors#model_not_found", "https://gateway.rs:3000/v1",
	"https://user@api.gateway.com.py:443/v1", "Read //docs.gateway.cc:8443/errors.", "Your address 203.0.113.9:51234 is not on the list.", "Your IP 127.0.0.1 is not allowed.",
	"The upstream could not be reached.", "Connection refused by the upstream.", "The connection to the upstream was reset.",
	"The request was cancelled because of a timeout.", "No available channel for model gpt-4o under group default",
	"Do not panic: your data is safe.", "The exception proves the rule.", "Invalid column in your table.", "Login failed for your account.",
	"The file main.py could not be parsed.", "Unsupported file type .go: upload a text file.", "The order failed: ORA is not a model.",
	"Rust, Go and Python are supported.", "Thread 'abc' was not found.", "The message is too long: 5000 of 4096 tokens.",
	"模型不存在", "Das Modell wurde nicht gefunden.", "El modelo no existe.", "insufficient quota: select a plan from billing",
	"Retry after 12:30:45.", "version v1.2.3:4", "error code 1062", "update failed: set a valid model", "The store is busy; retry later.",
	"**Too many requests** (HTTP) wait a little.", `The function "get_weather" does not exist among your tools.`,
	`The body is not JSON: near "}": syntax error.`, `near "[": syntax error`, `near "\"model\":": syntax error`,
	"host not allowed", "Set \"port\" to a number.", `{"ip":"203.0.113.9","country":"DE"}`,
}

func TestLeaksOfTheInsideAreFound(t *testing.T) {
	for what, texts := range leaks {
		for _, text := range texts {
			shown := inner([]byte(text))
			assert.Condition(t, func() bool {
				for _, s := range shown {
					if strings.HasPrefix(s, what+" (") {
						return true
					}
				}
				return false
			}, "%s is %s, found: %v", text, what, shown)
			assert.True(t, leaksAsMessage(t, text), "in a message of JSON: %s", text)
		}
	}
}

// An expression without a text that every match contains would never run.
func TestEveryExpressionHasARequiredText(t *testing.T) {
	for _, p := range leakSearch().patterns {
		assert.NotEmpty(t, p.groups, p.re.String())
	}
}

func TestInnocentProseIsQuiet(t *testing.T) {
	for _, text := range innocent {
		assert.Empty(t, inner([]byte(text)), text)
		assert.False(t, leaksAsMessage(t, text), text)
	}
}

// leaksAsMessage reports whether the judge finds a leak when a gateway puts the text into an error message.
func leaksAsMessage(t *testing.T, text string) bool {
	t.Helper()
	body, err := json.Marshal(map[string]any{"error": map[string]any{"message": text, "type": "t", "param": nil, "code": "model_not_found"}})
	require.NoError(t, err)
	o := jsonAnswer(404, string(body))
	return len(internals(o)) > 0
}

func TestLeaksAreFoundWhereverTheyStand(t *testing.T) {
	const sql = "select id, quota from tokens"
	inEvents := func(parts ...string) Observation {
		var list []Event
		var body strings.Builder
		for _, p := range parts {
			data, err := json.Marshal(map[string]any{"error": map[string]any{"message": p}})
			require.NoError(t, err)
			list = append(list, Event{Data: data})
			body.WriteString("data: " + string(data) + "\n\n")
		}
		return with(answer(200, "", ""), events(body.String(), list...))
	}
	for _, tt := range []struct {
		name string
		o    Observation
		want []string
	}{
		{"a header field", with(jsonAnswer(404, openaiNotFound), func(o *Observation) { o.Header["X-Error"] = []string{"fine", sql} }),
			[]string{`SQL ("select id, quota from tokens") in header X-Error`}},
		{"an event", inEvents(sql), []string{`SQL ("select id, quota from tokens") in the body`}},
		{"JSON escapes", jsonAnswer(404, `{"error":{"message":"select id,\u0020quota\u0020from\u0020tokens"}}`), []string{`SQL ("select id, quota from tokens") in the body`}},
		{"JSON in JSON", jsonAnswer(404, `{"error":{"message":"{\"detail\":\"select id,\\tquota from tokens\"}"}}`), []string{`SQL ("select id,\tquota from tokens") in the body`}},
		{"the name of a member", jsonAnswer(404, `{"error":{"select id, quota from tokens":1}}`), []string{`SQL ("select id, quota from tokens") in the body`}},
		{"a link with escaped slashes", jsonAnswer(404, `{"error":{"message":"See https:\/\/docs.gateway.cc:8443\/errors"}}`), nil},
		{"nowhere", jsonAnswer(404, openaiNotFound), nil},
	} {
		t.Run(tt.name, func(t *testing.T) { assert.Equal(t, tt.want, internals(tt.o)) })
	}
}

// FuzzMarks holds the marks against the expressions: what matches has one of them. The marks fold ASCII only.
func FuzzMarks(f *testing.F) {
	for _, seed := range []string{"dial tcp 1", "\n\tat x(y:1:2)", `File "a", line 1`, "Error 1045 (28000)", "ALTER TABLE x", `table "a" doesn't exist`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII }) {
			t.Skip()
		}
		if len(text) > longestName {
			t.Skip()
		}
		for _, p := range leakSearch().patterns {
			if p.re.MatchString(text) {
				assert.Contains(t, strings.Join(inner([]byte(text)), "\n"), p.what+" (", text)
			}
		}
	})
}
