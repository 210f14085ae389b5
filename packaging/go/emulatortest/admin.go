package emulatortest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Admin is the admin API of an emulator: state, operations, faults, time and calls. What cannot be done ends the test.
type Admin struct {
	t       testing.TB
	address string
}

// Fault is what goes wrong with the next calls; docs/admin-api.md in the repository has all of its fields.
type Fault struct {
	// Method is such as GetOperation; empty for every method.
	Method string
	// Code is the name of a status, such as UNAVAILABLE; empty for a fault of another kind.
	Code    string
	Message string
	// Times is how many calls it hits; 0 is 1.
	Times  int
	Always bool
	// After is how many calls pass first.
	After int
	Delay time.Duration
	// Transport is such as ABORT, STALL or HALF.
	Transport string
	// AfterExecution lets the call be executed, so that only its reply is lost.
	AfterExecution bool
	// More are other fields, by their JSON names.
	More map[string]any
}

// Call is a call that the emulator got.
type Call struct {
	Sequence  uint64 `json:",string"`
	Method    string
	Transport string
	// Code is empty while it runs, and if its caller never learnt it.
	Code  string
	Fault string
}

// Connect is the admin API of an emulator that runs at HOST:PORT.
func Connect(t testing.TB, address string) *Admin { return &Admin{t: t, address: address} }

// Address is HOST:PORT.
func (a *Admin) Address() string { return a.address }

// Reset drops all resources and operations of a project; of all, if it is empty.
func (a *Admin) Reset(project string) {
	a.t.Helper()
	a.must("POST", "reset", map[string]any{"project": project}, nil)
}

// Seed adds resources: a JSON object with lists by kind.
func (a *Admin) Seed(seed string) {
	a.t.Helper()
	a.must("POST", "seed", json.RawMessage(seed), nil)
}

// Export is all that is there, as a seed.
func (a *Admin) Export() string {
	a.t.Helper()
	var seed json.RawMessage
	a.must("GET", "export", nil, &seed)
	return string(seed)
}

// Snapshot is all resources and operations; the same state gives the same bytes.
func (a *Admin) Snapshot() []byte {
	a.t.Helper()
	var snapshot json.RawMessage
	a.must("GET", "snapshot", nil, &snapshot)
	return snapshot
}

// Restore puts back what Snapshot gave, in place of everything.
func (a *Admin) Restore(snapshot []byte) {
	a.t.Helper()
	a.must("POST", "restore", json.RawMessage(snapshot), nil)
}

// Advance counts as so many polls of an operation, and says whether it is done.
func (a *Admin) Advance(operation string, polls int) bool {
	a.t.Helper()
	var state struct{ Done bool }
	a.must("POST", "operations:advance", map[string]any{"name": operation, "polls": polls}, &state)
	return state.Done
}

// Complete ends an operation now, as it would have ended by itself.
func (a *Admin) Complete(operation string) {
	a.t.Helper()
	a.must("POST", "operations:complete", map[string]any{"name": operation}, nil)
}

// Fail ends an operation now, in an error: the name of a code, and a message.
func (a *Admin) Fail(operation, code, message string) {
	a.t.Helper()
	a.must("POST", "operations:fail", map[string]any{"name": operation, "error": a.status(code, message)}, nil)
}

// AddFault adds a fault after those that are there.
func (a *Admin) AddFault(fault Fault) {
	a.t.Helper()
	fields := map[string]any{
		"method": fault.Method, "always": fault.Always, "after": fault.After, "times": fault.Times,
		"afterExecution": fault.AfterExecution,
	}
	if fault.Code != "" {
		fields["status"] = a.status(fault.Code, fault.Message)
	}
	if fault.Transport != "" {
		fields["transport"] = fault.Transport
	}
	if fault.Delay > 0 {
		fields["delay"] = seconds(fault.Delay)
	}
	for name, value := range fault.More {
		fields[name] = value
	}
	a.must("POST", "faults", map[string]any{"faults": []any{fields}}, nil)
}

// ClearFaults takes all faults away.
func (a *Admin) ClearFaults() {
	a.t.Helper()
	a.must("DELETE", "faults", nil, nil)
}

// SetQuotas sets calls per minute: of all methods together, and by method.
func (a *Admin) SetQuotas(all int, methods map[string]int) {
	a.t.Helper()
	quotas := map[string]any{"methods": methods}
	if all > 0 {
		quotas["all"] = all
	}
	a.must("PUT", "quotas", quotas, nil)
}

// Now is the emulator's time.
func (a *Admin) Now() time.Time {
	a.t.Helper()
	return a.clock("GET", "clock", nil)
}

// AdvanceClock moves a virtual clock.
func (a *Admin) AdvanceClock(by time.Duration) time.Time {
	a.t.Helper()
	return a.clock("POST", "clock:advance", map[string]any{"by": seconds(by)})
}

// SetClock sets a virtual clock.
func (a *Admin) SetClock(to time.Time) time.Time {
	a.t.Helper()
	return a.clock("POST", "clock:set", map[string]any{"time": to.UTC().Format(time.RFC3339Nano)})
}

// Calls are the calls so far, oldest first: of one method, or of all if it is empty.
func (a *Admin) Calls(method string) []Call {
	a.t.Helper()
	calls, err := a.calls(method)
	if err != nil {
		a.t.Fatalf("emulatortest: %v", err)
	}
	return calls
}

// Count is how many calls of a method ended in a code; an empty one is any.
func (a *Admin) Count(method, code string) int {
	a.t.Helper()
	var counted struct{ Count int }
	a.must("POST", "journal:count", map[string]any{"method": method, "code": code}, &counted)
	return counted.Count
}

// ClearCalls forgets the calls so far.
func (a *Admin) ClearCalls() {
	a.t.Helper()
	a.must("DELETE", "journal", nil, nil)
}

// Request is any request of the admin API; its answer is read into an object.
func (a *Admin) Request(verb, path string, body, answer any) error {
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(text)
	}
	request, err := http.NewRequest(verb, "http://"+a.address+"/_emulator/v1/"+path, sent)
	if err != nil {
		return err
	}
	reply, err := direct.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = reply.Body.Close() }()
	content, err := io.ReadAll(reply.Body)
	if err != nil {
		return err
	}
	if reply.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s", verb, path, problem(reply.StatusCode, content))
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(content, answer)
}

// No proxy leads to it, and no connection is kept that would outlive it.
var direct = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func (a *Admin) must(verb, path string, body, answer any) {
	a.t.Helper()
	if err := a.Request(verb, path, body, answer); err != nil {
		a.t.Fatalf("emulatortest: %v", err)
	}
}

func (a *Admin) clock(verb, path string, body any) time.Time {
	a.t.Helper()
	var clock struct{ Time time.Time }
	a.must(verb, path, body, &clock)
	return clock.Time
}

func (a *Admin) calls(method string) ([]Call, error) {
	var journal struct{ Calls []Call }
	err := a.Request("GET", "journal?method="+url.QueryEscape(method), nil, &journal)
	return journal.Calls, err
}

func (a *Admin) status(code, message string) map[string]any {
	a.t.Helper()
	for number, name := range codes {
		if name == code {
			return map[string]any{"code": number, "message": message}
		}
	}
	a.t.Fatalf("emulatortest: %q is not one of %s", code, strings.Join(codes, ", "))
	return nil
}

func problem(status int, content []byte) string {
	var reply struct {
		Error struct{ Status, Message string }
	}
	if json.Unmarshal(content, &reply) != nil || reply.Error.Status == "" {
		return fmt.Sprintf("HTTP %d: %.1000s", status, content)
	}
	return reply.Error.Status + ": " + reply.Error.Message
}

func seconds(duration time.Duration) string {
	return fmt.Sprintf("%d.%09ds", duration/time.Second, duration%time.Second)
}

var codes = strings.Fields("OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS " +
	"PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE " +
	"DATA_LOSS UNAUTHENTICATED")
