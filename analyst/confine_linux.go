package analyst

import (
	"errors"
	"fmt"
	"math"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"couponql/background"
)

// What a process needs of addresses beside what the engine may take: the program, its stacks, and
// what Go and the C library keep in reserve without using it.
const spareAddressBytes = 3 << 30

// maxOpenFiles is how many files a process may have open.
const maxOpenFiles = 64

// confine limits the process itself, by what the kernel knows: the memory that the engine does not
// count, such as that of a long text, processor time in case that nobody is left to kill it, files,
// and dumps of its memory.
func confine(r *request) error {
	// Too large a file is then an error and not the end.
	signal.Ignore(unix.SIGXFSZ)
	closeInherited()
	for _, limit := range []struct {
		resource int
		most     uint64
	}{
		{unix.RLIMIT_AS, r.MemoryBytes + spareAddressBytes},
		{unix.RLIMIT_CPU, r.CPUSeconds},
		{unix.RLIMIT_FSIZE, r.FileBytes},
		{unix.RLIMIT_NOFILE, maxOpenFiles},
		{unix.RLIMIT_CORE, 0},
	} {
		if err := unix.Setrlimit(limit.resource,
			&unix.Rlimit{Cur: limit.most, Max: limit.most}); err != nil {
			return fmt.Errorf("limit the process: %w", err)
		}
	}
	return nil
}

// maxInherited is up to which number files are looked at one by one: an own file of the runtime has
// a low number.
const maxInherited = 1 << 12

// closeInherited closes the files that the server's engine left open to its children. Nothing else
// is a file here yet.
func closeInherited() {
	for number := 3; number < maxInherited; number++ {
		closeFile(number)
	}
	// A kernel before 5.9 does not know it.
	_ = unix.CloseRange(maxInherited, math.MaxInt32, 0)
}

// closeFile closes what is a file, and leaves alone what the runtime waits for events with.
func closeFile(number int) {
	var stat unix.Stat_t
	if unix.Fstat(number, &stat) == nil && stat.Mode&unix.S_IFMT == unix.S_IFREG {
		_ = unix.Close(number)
	}
}

// start starts a process that gains no rights by what it executes, and that Landlock, where the
// kernel has it, keeps from all files but the program, the snapshot and the file to be written, and
// from the network.
func start(cmd *exec.Cmd, r *request) error {
	started := make(chan error, 1)
	background.Go(func() error {
		// What is set here is the thread's, and its children have it. The thread ends with this
		// function, since it is not unlocked.
		runtime.LockOSThread()
		// Of a server that runs as root, it is nobody. Others have nothing to drop, and are
		// refused.
		for capability := uintptr(0); capability <= unix.CAP_LAST_CAP; capability++ {
			_ = unix.Prctl(unix.PR_CAPBSET_DROP, capability, 0, 0, 0)
		}
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return fmt.Errorf("give up rights: %w", err)
		}
		if err := restrict(cmd, r); err != nil {
			return err
		}
		return cmd.Start()
	}, func(err error) { started <- err })
	return <-started
}

const (
	readFile = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_READ_DIR
	execute  = unix.LANDLOCK_ACCESS_FS_EXECUTE | readFile
	// everyAccess is what the first version of Landlock knows.
	everyAccess = unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | readFile |
		unix.LANDLOCK_ACCESS_FS_REMOVE_DIR |
		unix.LANDLOCK_ACCESS_FS_REMOVE_FILE | unix.LANDLOCK_ACCESS_FS_MAKE_CHAR |
		unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG |
		unix.LANDLOCK_ACCESS_FS_MAKE_SOCK | unix.LANDLOCK_ACCESS_FS_MAKE_FIFO |
		unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK | unix.LANDLOCK_ACCESS_FS_MAKE_SYM
	writeFiles = readFile | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_MAKE_REG |
		unix.LANDLOCK_ACCESS_FS_REMOVE_FILE
)

// restrict puts the thread under Landlock (https://docs.kernel.org/userspace-api/landlock.html). A
// kernel without it is no error: the other walls stand.
func restrict(cmd *exec.Cmd, r *request) error {
	version, _, failed := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0,
		unix.LANDLOCK_CREATE_RULESET_VERSION)
	if failed != 0 {
		return nil
	}
	rules := unix.LandlockRulesetAttr{Handled_access_fs: everyAccess}
	write := uint64(writeFiles)
	if version >= 2 {
		rules.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if version >= 3 {
		rules.Handled_access_fs |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
		write |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if version >= 4 {
		rules.Handled_access_net = unix.LANDLOCK_ACCESS_NET_BIND_TCP |
			unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	}
	if version >= 6 {
		rules.Scoped = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | unix.LANDLOCK_SCOPE_SIGNAL
	}
	//nolint:gosec // the kernel reads the structure during the call
	set, _, failed := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET,
		uintptr(unsafe.Pointer(&rules)), unsafe.Sizeof(rules), 0)
	if failed != 0 {
		return fmt.Errorf("make rules for a process: %w", failed)
	}
	defer func() { _ = unix.Close(int(set)) }()
	allowed := map[string]uint64{
		cmd.Path: unix.LANDLOCK_ACCESS_FS_EXECUTE | unix.LANDLOCK_ACCESS_FS_READ_FILE,
		cmd.Dir:  readFile,
	}
	// Where the program's libraries are.
	for _, dir := range []string{"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib"} {
		allowed[dir] = execute
	}
	allowed["/etc/ld.so.cache"] = unix.LANDLOCK_ACCESS_FS_READ_FILE
	// Newer engines look there for the memory of their control group. What other processes keep to
	// themselves, such as their environment, Landlock denies in /proc all the same, to those
	// without capabilities.
	allowed["/proc"], allowed["/sys/fs/cgroup"] = unix.LANDLOCK_ACCESS_FS_READ_FILE,
		unix.LANDLOCK_ACCESS_FS_READ_FILE
	if r.File != "" {
		allowed[filepath.Dir(r.File)] = write
	}
	for path, access := range allowed {
		if err := allow(int(set), path, access); err != nil {
			return err
		}
	}
	if _, _, failed := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, set, 0, 0); failed != 0 {
		return fmt.Errorf("restrict a process: %w", failed)
	}
	return nil
}

// allow adds a rule for a path, if that exists.
func allow(set int, path string, access uint64) error {
	place, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("open %s for a rule: %w", path, err)
	}
	defer func() { _ = unix.Close(place) }()
	rule := unix.LandlockPathBeneathAttr{Allowed_access: access, Parent_fd: int32(place)}
	//nolint:gosec // the kernel reads the structure during the call
	_, _, failed := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(set),
		unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&rule)), 0, 0, 0)
	if failed != 0 {
		return fmt.Errorf("add a rule for %s: %w", path, failed)
	}
	return nil
}
