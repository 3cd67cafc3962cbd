package reference

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"bufio"
	"net/http"

	"github.com/stretchr/testify/require"
)

func TestSlowBody(t *testing.T) {
	r := newRig(t)
	conn, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprintf(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 500\r\n\r\n{", r.keys.Valid)
	raw, err := io.ReadAll(conn)
	t.Logf("%s %v", raw, err)
	// keep-alive: deadlines lifted
	conn2, err := net.Dial("tcp", strings.TrimPrefix(r.url, "http://"))
	require.NoError(t, err)
	defer conn2.Close()
	br := bufio.NewReader(conn2)
	for i := 0; i < 2; i++ {
		body := `{"model":"gc-chat","messages":[{"role":"user","content":"hi [[gatecert delay=700ms]]"}]}`
		fmt.Fprintf(conn2, "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s", r.keys.Valid, len(body), body)
		resp, err := http.ReadResponse(br, nil)
		require.NoError(t, err)
		b, _ := io.ReadAll(resp.Body)
		t.Logf("%d %s", resp.StatusCode, b)
	}
}
