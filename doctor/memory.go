package doctor

import (
	"math"
	"os"
	"strconv"
	"strings"
)

// MemoryNeeds is what a server may take, in bytes.
type MemoryNeeds struct {
	// Engine and SQL are the limits of the engine and of one query of an analyst, 0 without SQL.
	Engine, SQL uint64
	// Codes is how many codes there are.
	Codes int
}

const (
	// bytesPerCode is what the server keeps of a code in memory.
	bytesPerCode = 24
	// queriesAtOnce is how many queries of analysts run at once.
	queriesAtOnce = 2
	// baseBytes is what the server takes besides.
	baseBytes = 200 << 20
)

func (n MemoryNeeds) total() uint64 {
	return n.Engine + queriesAtOnce*n.SQL + bytesPerCode*uint64(n.Codes) + baseBytes
}

// Memory compares what a server may take with what there is.
func (r *Report) Memory(needs MemoryNeeds) {
	available, source := machineMemory()
	total := needs.total()
	switch {
	case available == 0:
		r.addf("memory", OK, "The server takes up to %s. How much this machine has is not known.", size(total))
	case needs.Engine > available:
		r.addf("memory", Failed, "--memory-limit is %s, and %s has %s: the server would be killed. Lower it.", size(needs.Engine), source, size(available))
	case total > available:
		r.addf(
			"memory",
			Warning,
			"The server may take %s (%s for the engine, %s for queries, %s for %d codes), and %s has %s. Lower --memory-limit or --sql-memory-limit.",
			size(total),
			size(needs.Engine),
			size(queriesAtOnce*needs.SQL),
			size(bytesPerCode*uint64(needs.Codes)),
			needs.Codes,
			source,
			size(available),
		)
	default:
		r.addf("memory", OK, "The server takes up to %s, and %s has %s.", size(total), source, size(available))
	}
}

// machineMemory returns the memory of this machine, or of the container when that is less; 0 when it is not known.
func machineMemory() (bytes uint64, source string) {
	bytes, source = memTotal(), "this machine"
	// cgroup v2; a text that is no number, such as max, is no limit.
	if text, err := os.ReadFile("/sys/fs/cgroup/memory.max"); err == nil {
		limit, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
		if err == nil && limit < math.MaxInt64 && (bytes == 0 || limit < bytes) {
			return limit, "this container"
		}
	}
	return bytes, source
}

// memTotal returns what the kernel of Linux says.
func memTotal() uint64 {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "MemTotal:" {
			if kilobytes, err := strconv.ParseUint(fields[1], 10, 64); err == nil {
				return kilobytes << 10
			}
		}
	}
	return 0
}
