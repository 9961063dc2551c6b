package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// planted is what clients send in TestNothingSentIsLogged: a secret, and a line as the log has
// them.
const planted = "PLANTED-CODE\ntime=2026-11-24T00:00:00Z level=ERROR msg=\"PLANTED-LINE\" caller=operator"

// sendRaw sends bytes as they stand, and waits until the server has answered them or closed the
// connection.
func (p *process) sendRaw(t *testing.T, text string) {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, text); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		t.Fatal(err)
	}
	_, _ = conn.Read(make([]byte, 1<<16))
}

// TestNothingSentIsLogged plants a secret and a forged line in every part of a request, by every
// transport, broken in every way, and looks for them in the log at its most talkative.
func TestNothingSentIsLogged(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			p := start(t, t.TempDir(), "--log-level", "debug", "--log-format", format)
			quoted, err := json.Marshal(planted)
			if err != nil {
				t.Fatal(err)
			}
			inURL, inHeader := url.QueryEscape(planted), strings.ReplaceAll(planted, "\n", "\t")
			const boundary = "multipart/form-data; boundary=x"
			part := func(name, content string) string {
				return "--x\r\nContent-Disposition: form-data; name=\"" + name + "\"; filename=\"" +
					inHeader + "\"\r\n\r\n" + content + "\r\n"
			}
			bodies := map[string]string{
				"application/json":                `{"query":"PLANTED-CODE"` + planted,
				"application/json; charset=utf-8": `{"query":` + string(quoted) + `}`,
				"application/json ": `{"query":"{caller{name}}","operationName":` +
					string(quoted) + `}`,
				" application/json": `{"query":"query($v:Int!){coupons(first:$v){totalCount}}","variables":{"v":` +
					string(quoted) + `}}`,
				"application/json;": `{"query":` + string(quoted) + `,"variables":` +
					string(quoted) + `}`,
				"text/" + inHeader: planted,
				boundary:           part("operations", planted),
				boundary + " ": part("operations",
					`{"query":"{a}","variables":{}}`) + part("map", planted),
				boundary + ";": part(
					"operations",
					`{"query":"mutation($f:Upload!){importCodes(input:{couponId:\"x\",file:$f}){import{id}}}","variables":{"f":null}}`,
				) +
					part(
						"map",
						`{"0":["variables.f.`+inURL+`"]}`,
					) + part(
					inURL,
					planted,
				) + "--x--\r\n",
				"multipart/form-data": planted,
			}
			for contentType, body := range bodies {
				for _, accept := range []string{"application/json", "text/event-stream", inHeader} {
					p.sendRaw(t, fmt.Sprintf("POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: %s\r\nAccept: %s\r\nX-Forwarded-For: %s\r\n"+
						"Authorization: Bearer %s\r\nTraceparent: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
						contentType, accept, inHeader, inHeader, inHeader, len(body), body))
				}
			}
			for _, first := range []string{
				"GET /graphql?query=" + inURL, "GET /" + inURL,
				"GET /graphql?variables=" + inURL + ";" + inURL, "PLANTED-CODE /graphql",
				"GET /files/" + inURL,
				"GET /files/export_1/" + inURL + "?signature=" + inURL, "PATCH /uploads/" + inURL,
				"POST /uploads/" + inURL, "HEAD /uploads/" + inURL,
				"GET " + planted,
				"GET /metrics?" + inURL,
			} {
				p.sendRaw(
					t,
					first+" HTTP/1.1\r\nHost: 127.0.0.1\r\nTus-Resumable: "+inHeader+
						"\r\nUpload-Metadata: filename "+inHeader+"\r\nUpload-Offset: "+inHeader+
						"\r\nOrigin: "+inHeader+
						"\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc",
				)
			}
			const upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
			for _, header := range []string{
				upgrade + "Sec-WebSocket-Key: " + inHeader,
				upgrade + "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nOrigin: http://PLANTED-CODE.example",
				"Upgrade: " + inHeader + "\r\nConnection: " + inHeader, "Host: " + inHeader,
				inHeader + ": x",
				upgrade + "Sec-WebSocket-Protocol: " + inHeader +
					"\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==",
			} {
				p.sendRaw(t, "GET /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\n"+header+"\r\n\r\n")
			}
			for _, protocol := range []string{"graphql-transport-ws", "graphql-ws"} {
				for _, messages := range [][]string{
					{planted},
					{`{"type":` + string(quoted) + `}`},
					{
						`{"type":"connection_init","payload":{"Authorization":` + string(quoted) +
							`}}`, planted,
					},
					{
						`{"type":"connection_init"}`, `{"type":"subscribe","id":` + string(quoted) +
							`,"payload":` + string(quoted) + `}`,
						`{"type":"subscribe","id":"2","payload":{"query":` + string(quoted) + `}}`,
						`{"type":"pong","payload":` + string(quoted) + `}`,
						`{"type":` + string(quoted) + `}`,
					},
				} {
					p.converse(t, protocol, messages)
				}
			}
			p.stop(t, time.Minute)
			checkPlanted(t, p.text())
		})
	}
}

// converse sends messages by a WebSocket, and reads until nothing comes any more.
func (p *process) converse(t *testing.T, protocol string, messages []string) {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), p.url+"/graphql",
		&websocket.DialOptions{Subprotocols: []string{protocol}})
	if err != nil {
		t.Fatal(err)
	}
	for _, message := range messages {
		if err := conn.Write(t.Context(), websocket.MessageText, []byte(message)); err != nil {
			break
		}
	}
	_ = conn.Close(websocket.StatusNormalClosure, "PLANTED-CODE")
}

// checkPlanted looks for what was planted in a log.
func checkPlanted(t *testing.T, log string) {
	t.Helper()
	if !strings.Contains(log, "answered") || !strings.Contains(log, "stopping") {
		t.Errorf("the log lacks requests:\n%s", log)
	}
	for line := range strings.SplitSeq(log, "\n") {
		if strings.Contains(line, "PLANTED") || strings.Contains(line, "Host: ") {
			t.Errorf("logged: %.300s", line)
		}
		if line != "" && !strings.HasPrefix(line, "time=") && !strings.HasPrefix(line, "{") &&
			!strings.HasPrefix(line, "listening on ") {
			t.Errorf("a line of its own: %.300s", line)
		}
	}
}
