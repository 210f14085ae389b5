package emulatortest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const parent = "projects/7/locations/us-central1"

// Started again by a test, this program starts an emulator, prints its process, and ends as it is told.
func TestMain(m *testing.M) {
	end := os.Getenv("EMULATORTEST_END")
	if end == "" {
		os.Exit(m.Run())
	}
	process, err := Run(context.Background())
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(process.PID)
	if end == "kill" {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
}

func TestItDoesNotOutliveTheProcessThatStartedIt(t *testing.T) {
	for _, end := range []string{"return", "kill"} {
		program, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		command := exec.Command(program)
		command.Env = append(os.Environ(), "EMULATORTEST_END="+end)
		output, _ := command.Output()
		pid, err := strconv.Atoi(strings.TrimSpace(string(output)))
		if err != nil {
			t.Fatalf("%s: %s", end, output)
		}
		for tries := 0; isRunning(pid); tries++ {
			if tries == 3000 {
				t.Fatalf("%s: %d is left behind", end, pid)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

func isRunning(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func TestItSaysWhyItDoesNotStart(t *testing.T) {
	_, err := Run(t.Context(), "--no-such-flag")
	if err == nil || !strings.Contains(err.Error(), "has ended (exit status 2)") || !strings.Contains(err.Error(), "--no-such-flag") {
		t.Fatal(err)
	}
	for program, words := range map[string]string{"/nonexistent": "cannot run /nonexistent", "/bin/echo": "is another program"} {
		t.Setenv(binaryVariable, program)
		if _, err := Run(t.Context()); err == nil || !strings.Contains(err.Error(), words) {
			t.Fatal(err)
		}
	}
	t.Setenv(binaryVariable, "")
	t.Setenv("PATH", "/nonexistent")
	if _, err := Run(t.Context()); err == nil || !strings.Contains(err.Error(), binaryVariable) {
		t.Fatal(err)
	}
}

func TestAnEmulatorThatIsNamedIsUsed(t *testing.T) {
	own := Start(t)
	_, port, _ := strings.Cut(own.Address(), ":")
	for _, host := range []string{own.Address(), port} {
		t.Setenv(hostVariable, host)
		if other := Start(t); other.Address() != own.Address() || other.Parent() == own.Parent() {
			t.Fatal(other.Address(), other.Parent())
		}
	}
}

func TestStateIsTakenAndPutBack(t *testing.T) {
	emulator := Start(t)
	emulator.Seed(`{"views": [{"name": "` + parent + `/views/1"}]}`)
	before := emulator.Snapshot()
	emulator.Reset("7")
	if strings.Contains(emulator.Export(), "views/1") {
		t.Fatal(emulator.Export())
	}
	emulator.Restore(before)
	if !slices.Equal(emulator.Snapshot(), before) || !strings.Contains(emulator.Export(), "views/1") {
		t.Fatal(emulator.Export())
	}
}

func TestTimeMovesWhenTold(t *testing.T) {
	emulator := Start(t, "--clock", "virtual=2026-11-24T09:00:00Z")
	start := emulator.Now()
	if now := emulator.AdvanceClock(90*time.Second + time.Millisecond); now.Sub(start) != 90*time.Second+time.Millisecond {
		t.Fatal(now)
	}
	to := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	if emulator.SetClock(to) != to || emulator.Now() != to {
		t.Fatal(emulator.Now())
	}
}

func TestFaultsHitAndCallsAreCounted(t *testing.T) {
	emulator := Start(t)
	emulator.AddFault(Fault{Method: "GetView", Code: "UNAVAILABLE", Message: "later", Delay: time.Millisecond})
	get := func() int {
		reply, err := http.Get("http://" + emulator.Address() + "/v1/" + parent + "/views/1")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, reply.Body)
		_ = reply.Body.Close()
		return reply.StatusCode
	}
	if got := []int{get(), get()}; !slices.Equal(got, []int{503, 404}) {
		t.Fatal(got)
	}
	if emulator.Count("GetView", "UNAVAILABLE") != 1 || emulator.Count("GetView", "") != 2 || emulator.Count("", "OK") != 0 {
		t.Fatal(emulator.Calls(""))
	}
	calls := emulator.Calls("GetView")
	if len(calls) != 2 || calls[0].Fault == "" || calls[1].Code != "NOT_FOUND" || calls[1].Sequence <= calls[0].Sequence {
		t.Fatal(calls)
	}
	emulator.AddFault(Fault{Code: "ABORTED", Always: true})
	emulator.ClearFaults()
	emulator.ClearCalls()
	emulator.SetQuotas(1, nil)
	if got := []int{get(), get()}; !slices.Equal(got, []int{404, 429}) {
		t.Fatal(got)
	}
	emulator.SetQuotas(0, nil)
	if get() != 404 || len(emulator.Calls("")) != 3 {
		t.Fatal(emulator.Calls(""))
	}
}

func TestARefusalNamesWhatIsWrong(t *testing.T) {
	fault := map[string]any{"faults": []any{map[string]any{"transport": "Reset"}}}
	err := Start(t).Request("POST", "faults", fault, nil)
	if err == nil || !strings.Contains(err.Error(), "INVALID_ARGUMENT: faults[0].transport") {
		t.Fatal(err)
	}
}

// Prints how long a start takes; packaging/try reports it.
func BenchmarkStart(b *testing.B) {
	for b.Loop() {
		process, err := Run(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		process.Stop()
		b.StartTimer()
	}
}
