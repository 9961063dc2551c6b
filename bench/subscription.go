package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	// maxIdleMemory is the promised memory of a server with idleGoal subscriptions that wait, in MB.
	maxIdleMemory = 1024
	idleGoal      = 10_000
	// spareFiles is how many files each side opens beside its connections.
	spareFiles = 200
	// idleTime is how long the subscriptions wait before the memory is looked at.
	idleTime = 5 * time.Second
	// eventTime bounds how long the subscriptions may take to hear of one redemption.
	eventTime = time.Minute
)

// following is what the subscriptions ask for.
const following = `subscription { redemptionRecorded { id codeValue } }`

// measureSubscriptions opens many subscriptions that have nothing to tell, and looks how much memory the server takes. It is
// a process of its own, since this one has the other ends of the connections. That all of them are alive is seen at the
// end, when each must hear of a redemption.
func (b *bench) measureSubscriptions(ctx context.Context) error {
	n := b.options.subscriptions
	if n == 0 {
		return nil
	}
	program := b.file("couponql")
	if text, err := exec.CommandContext(ctx, "go", "build", "-o", program, "couponql").CombinedOutput(); err != nil {
		return fmt.Errorf("build the server: %w\n%s", err, text)
	}
	for _, way := range []struct {
		name string
		open func(ctx context.Context, host string) (net.Conn, error)
	}{{"WebSocket", overWebSocket}, {"Server-Sent Events", overEvents}} {
		if err := b.measureIdle(ctx, program, way.name, way.open); err != nil {
			return fmt.Errorf("subscriptions by %s: %w", way.name, err)
		}
	}
	return nil
}

func (b *bench) measureIdle(ctx context.Context, program, way string, open func(context.Context, string) (net.Conn, error)) (err error) {
	folder, err := os.MkdirTemp(b.folder, "idle-*")
	if err != nil {
		return fmt.Errorf("make the server's folder: %w", err)
	}
	command, host, err := startProgram(ctx, program, folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, command.Process.Signal(syscall.SIGTERM), command.Wait()) }()
	c := newClient(host, "/graphql", "")
	defer c.close()
	create := `mutation { createCoupon(input: {label: "Idle", code: "IDLE", type: ANONYMOUS, startsAt: "2020-01-01"}) { userErrors { message } } }`
	if err := c.ask(ctx, create, nil, nil); err != nil {
		return err
	}
	// The server closes connections that are idle as long as opening the others may take.
	c.close()
	alone := residentMemory(command.Process.Pid, "VmRSS")
	n := b.options.subscriptions
	connections := make([]net.Conn, 0, n)
	defer func() {
		for _, connection := range connections {
			_ = connection.Close()
		}
	}()
	start := time.Now()
	for len(connections) < n {
		connection, err := open(ctx, host)
		if err != nil {
			return fmt.Errorf("subscription %d: %w", len(connections)+1, err)
		}
		connections = append(connections, connection)
	}
	opened := time.Since(start)
	time.Sleep(idleTime)
	idle := residentMemory(command.Process.Pid, "VmRSS")
	if err := c.ask(ctx, `mutation { redeemCode(input: {value: "IDLE"}) { userErrors { message } } }`, nil, nil); err != nil {
		return err
	}
	if err := hearAll(connections); err != nil {
		return err
	}
	promise := goal{}
	if n <= idleGoal {
		promise.most = maxIdleMemory
	}
	b.add(newResult(fmt.Sprintf("memory of a server with %s idle subscriptions by %s", count(n), way), "MB", megabytes(idle), 0, promise))
	b.add(newResult("  of which each", "B", float64(idle-alone)/float64(n), 0, goal{}))
	b.add(newResult("  the most, while all hear of a redemption", "MB", megabytes(residentMemory(command.Process.Pid, "VmHWM")), 0, goal{}))
	b.add(newResult("  to open them, one after the other", "s", opened.Seconds(), 0, goal{}))
	return nil
}

func megabytes(size int64) float64 { return float64(size) / (1 << 20) }

// startProgram starts a server and gives where it listens.
func startProgram(ctx context.Context, program, folder string) (command *exec.Cmd, host string, err error) {
	command = exec.CommandContext(ctx, program, "serve", "--listen", "127.0.0.1:0", "--data", filepath.Join(folder, "couponql.duckdb"),
		"--outbox", filepath.Join(folder, "outbox"))
	stderr, err := command.StderrPipe()
	if err != nil {
		return nil, "", fmt.Errorf("start the server: %w", err)
	}
	if err := command.Start(); err != nil {
		return nil, "", fmt.Errorf("start the server: %w", err)
	}
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		address, isReady := strings.CutPrefix(lines.Text(), "listening on http://")
		if !isReady {
			continue
		}
		go func() {
			// A log that nobody reads would stop the server.
			for lines.Scan() {
			}
		}()
		return command, address, nil
	}
	return nil, "", errors.Join(errors.New("the server ended"), command.Wait())
}

// residentMemory returns what the kernel says of a process's memory, in bytes; 0 where it does not.
func residentMemory(pid int, field string) int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		var kilobytes int64
		if _, err := fmt.Sscanf(line, field+": %d kB", &kilobytes); err == nil {
			return kilobytes << 10
		}
	}
	return 0
}

// The clients are bare connections, so that ten thousand of them take no memory and no goroutine here.

// overWebSocket subscribes by the protocol graphql-transport-ws.
func overWebSocket(ctx context.Context, host string) (net.Conn, error) {
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	const handshake = "GET /graphql HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
	if _, err := fmt.Fprintf(connection, handshake, host); err != nil {
		return nil, errors.Join(err, connection.Close())
	}
	if err := expectStatus(connection, "101"); err != nil {
		return nil, errors.Join(err, connection.Close())
	}
	query, err := json.Marshal(map[string]any{"id": "1", "type": "subscribe", "payload": map[string]any{"query": following}})
	if err != nil {
		return nil, errors.Join(err, connection.Close())
	}
	_, err = connection.Write(slices.Concat(textFrame([]byte(`{"type":"connection_init"}`)), textFrame(query)))
	if err == nil {
		err = hear(connection, "connection_ack")
	}
	if err != nil {
		return nil, errors.Join(err, connection.Close())
	}
	return connection, nil
}

// textFrame returns a WebSocket frame of a client, with a mask that changes nothing.
func textFrame(payload []byte) []byte {
	const finalText, isMasked, twoBytes = 0x81, 0x80, 126
	frame := []byte{finalText, isMasked | byte(len(payload))}
	if len(payload) >= twoBytes {
		frame = binary.BigEndian.AppendUint16([]byte{finalText, isMasked | twoBytes}, uint16(len(payload)))
	}
	return append(append(frame, 0, 0, 0, 0), payload...)
}

// overEvents subscribes by Server-Sent Events.
func overEvents(ctx context.Context, host string) (net.Conn, error) {
	connection, err := new(net.Dialer).DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	body, err := operations(following, nil)
	if err != nil {
		return nil, errors.Join(err, connection.Close())
	}
	_, err = fmt.Fprintf(connection, "POST /graphql HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nAccept: text/event-stream\r\n"+
		"Content-Length: %d\r\n\r\n%s", host, len(body), body)
	if err == nil {
		err = expectStatus(connection, "200")
	}
	if err != nil {
		return nil, errors.Join(err, connection.Close())
	}
	return connection, nil
}

// expectStatus reads the head of an answer, byte for byte, so that nothing of what follows is taken.
func expectStatus(connection net.Conn, want string) error {
	var head []byte
	one := make([]byte, 1)
	for !bytes.HasSuffix(head, []byte("\r\n\r\n")) {
		if _, err := connection.Read(one); err != nil {
			return fmt.Errorf("read the answer's head: %w", err)
		}
		head = append(head, one[0])
	}
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 "+want)) {
		return fmt.Errorf("the server answers %.200s", head)
	}
	return nil
}

// hear reads until a text comes.
func hear(connection net.Conn, text string) error {
	const enough = 64 << 10
	var heard []byte
	part := make([]byte, 1<<10)
	for !bytes.Contains(heard, []byte(text)) {
		n, err := connection.Read(part)
		heard = append(heard, part[:n]...)
		if err != nil || len(heard) > enough {
			return fmt.Errorf("%q does not come, but %.200q: %w", text, heard, err)
		}
	}
	return nil
}

// hearAll wants each subscription to tell of the redemption.
func hearAll(connections []net.Conn) error {
	deadline := time.Now().Add(eventTime)
	for i, connection := range connections {
		if err := connection.SetReadDeadline(deadline); err != nil {
			return fmt.Errorf("subscription %d: %w", i+1, err)
		}
		if err := hear(connection, `"codeValue":"IDLE"`); err != nil {
			return fmt.Errorf("subscription %d: %w", i+1, err)
		}
	}
	return nil
}
