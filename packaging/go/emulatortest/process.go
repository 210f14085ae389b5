package emulatortest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

const (
	binaryVariable = "CONTACTCENTERINSIGHTS_EMULATOR_BINARY"
	// How long it may take to start, and to end before it is killed.
	startLimit = 10 * time.Second
	endLimit   = 5 * time.Second
	// How much of what it says is kept, in bytes: the last of it.
	kept = 1 << 20
)

// Process is an emulator that runs. It ends with Stop, or with this process, however that ends.
type Process struct {
	// Address is HOST:PORT.
	Address string
	// PID is the id of the process.
	PID     int
	command *exec.Cmd
	stdin   io.Closer
	said    *tail
	stop    sync.Once
}

// Run starts an emulator outside of a test, in TestMain for example, and waits until it answers.
func Run(ctx context.Context, arguments ...string) (*Process, error) {
	program, err := find()
	if err != nil {
		return nil, err
	}
	command := exec.Command(program, append([]string{"emulator", "--exit-with-stdin", "--port", "0"}, arguments...)...)
	said := &tail{}
	command.Stderr = said
	// Its stdin is a pipe that nobody writes to: it is closed when this process ends.
	stdin, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("cannot run %s: %w", program, err)
	}
	process := &Process{PID: command.Process.Pid, command: command, stdin: stdin, said: said}
	lines := make(chan string, 1)
	go func() {
		reader := bufio.NewReader(stdout)
		line, _ := reader.ReadString('\n')
		lines <- line
		// It must not wait for anybody to read what else it says there.
		_, _ = io.Copy(io.Discard, reader)
	}()
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	problem := ""
	select {
	case <-ctx.Done():
		problem = "is not ready: " + ctx.Err().Error()
	case line := <-lines:
		var ready struct{ Address string }
		switch err := json.Unmarshal([]byte(line), &ready); {
		case line == "":
			problem = "has ended"
		case err != nil || ready.Address == "":
			problem = fmt.Sprintf("is another program: its first line is %q", line)
		}
		process.Address = ready.Address
	}
	if problem != "" {
		process.Stop()
		return nil, fmt.Errorf("the emulator %s %s (%s)\n%s", program, problem, command.ProcessState, said)
	}
	return process, nil
}

// Stop ends it, and waits for that. It has no effect the second time.
func (p *Process) Stop() {
	p.stop.Do(func() {
		_ = p.stdin.Close()
		killer := time.AfterFunc(endLimit, func() { _ = p.command.Process.Kill() })
		defer killer.Stop()
		_ = p.command.Wait()
	})
}

// Output is what it has said on stderr, the last MiB of it.
func (p *Process) Output() string { return p.said.String() }

func find() (string, error) {
	if named := os.Getenv(binaryVariable); named != "" {
		return named, nil
	}
	for _, name := range []string{"contact-center-insights", "cci"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errors.New("there is no emulator: install contact-center-insights, or name a program with " + binaryVariable)
}

// tail keeps the end of what is written to it.
type tail struct {
	lock sync.Mutex
	text []byte
}

func (t *tail) Write(text []byte) (int, error) {
	t.lock.Lock()
	defer t.lock.Unlock()
	t.text = append(t.text, text...)
	if excess := len(t.text) - kept; excess > 0 {
		t.text = t.text[excess:]
	}
	return len(text), nil
}

func (t *tail) String() string {
	t.lock.Lock()
	defer t.lock.Unlock()
	return string(t.text)
}
