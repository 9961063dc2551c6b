package analyst_test

import (
	"encoding/json"
	"io"
	"os/exec"
	"testing"
	"time"

	"couponql/analyst"
)

// endsItself starts a process as the server does, has it work on what the engine cannot interrupt,
// and goes away.
func endsItself(t *testing.T, program, dir string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, analyst.Command)
	cmd.Dir, cmd.Env = dir, []string{}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	err = json.NewEncoder(in).Encode(map[string]any{
		"task": "rows", "limit": 1, "memoryLimit": "500MB", "memoryBytes": 500_000_000,
		"cpuSeconds": 100,
		"query":      "SELECT max(levenshtein(repeat('a', 20000), repeat('b', 20000) || i)) FROM range(1000) t(i)",
	})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Second)
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	_, _ = io.Copy(io.Discard, out)
	if err := cmd.Wait(); err == nil {
		t.Error("the process ended as if all were well")
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the process went on for %s", took)
	}
}
