// Package emulatortest runs tests against an emulator of Google's Contact Center AI Insights API.
//
//	emulator := emulatortest.Start(t)
//	client := emulatortest.Client(emulator, contactcenterinsights.NewClient)
//
// The program is found by the variable CONTACTCENTERINSIGHTS_EMULATOR_BINARY, or as contact-center-insights or cci on the
// PATH. An emulator that CONTACTCENTERINSIGHTS_EMULATOR_HOST names (HOST:PORT) is used in place of one of our own.
package emulatortest

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

const (
	hostVariable = "CONTACTCENTERINSIGHTS_EMULATOR_HOST"
	location     = "us-central1"
)

var projects atomic.Int64

// Emulator is an emulator for one test. What it is asked to do and cannot do ends the test.
type Emulator struct {
	Admin
	t       testing.TB
	project string
	process *Process
}

// Start starts an emulator for a test, and ends it after the test. It waits until the emulator answers. Arguments are those
// of "contact-center-insights emulator", such as "--clock", "virtual".
func Start(t testing.TB, arguments ...string) *Emulator {
	t.Helper()
	project := fmt.Sprintf("test-%d-%d", os.Getpid(), projects.Add(1))
	if host := os.Getenv(hostVariable); host != "" {
		if _, err := strconv.ParseUint(host, 10, 16); err == nil {
			host = "127.0.0.1:" + host
		}
		emulator := &Emulator{Admin: Admin{t: t, address: host}, t: t, project: project}
		t.Cleanup(func() { emulator.Reset(project) })
		return emulator
	}
	process, err := Run(t.Context(), arguments...)
	if err != nil {
		t.Fatalf("emulatortest: %v", err)
	}
	emulator := &Emulator{Admin: Admin{t: t, address: process.Address}, t: t, project: project, process: process}
	t.Cleanup(func() {
		if t.Failed() {
			emulator.logCalls()
		}
		process.Stop()
		if said := process.Output(); t.Failed() && said != "" {
			t.Logf("the emulator said:\n%s", said)
		}
	})
	return emulator
}

// Project is the id of a project of this test alone.
func (e *Emulator) Project() string { return e.project }

// Parent is projects/PROJECT/locations/us-central1.
func (e *Emulator) Parent() string {
	return "projects/" + e.project + "/locations/" + location
}

// ClientOptions point one of Google's gRPC clients at the emulator.
func (e *Emulator) ClientOptions() []option.ClientOption {
	return []option.ClientOption{
		option.WithEndpoint(e.address),
		option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())),
		option.WithGRPCDialOption(grpc.WithNoProxy()),
	}
}

// RESTClientOptions point one of Google's REST clients at the emulator.
func (e *Emulator) RESTClientOptions() []option.ClientOption {
	return []option.ClientOption{option.WithEndpoint("http://" + e.address), option.WithoutAuthentication()}
}

// Client makes a client of the emulator by a function such as contactcenterinsights.NewClient, and closes it after the test.
func Client[C io.Closer](e *Emulator, create func(context.Context, ...option.ClientOption) (C, error)) C {
	e.t.Helper()
	return open(e, create, e.ClientOptions())
}

// RESTClient is as Client, for a function such as contactcenterinsights.NewRESTClient.
func RESTClient[C io.Closer](e *Emulator, create func(context.Context, ...option.ClientOption) (C, error)) C {
	e.t.Helper()
	return open(e, create, e.RESTClientOptions())
}

func open[C io.Closer](
	e *Emulator, create func(context.Context, ...option.ClientOption) (C, error), options []option.ClientOption,
) C {
	e.t.Helper()
	client, err := create(e.t.Context(), options...)
	if err != nil {
		e.t.Fatalf("emulatortest: the client cannot be made: %v", err)
	}
	e.t.Cleanup(func() { _ = client.Close() })
	return client
}

func (e *Emulator) logCalls() {
	calls, err := e.calls("")
	if err != nil {
		e.t.Logf("the emulator does not answer: %v", err)
		return
	}
	var lines strings.Builder
	for _, call := range calls {
		fmt.Fprintf(&lines, "\n%s %s %s %s", call.Method, call.Transport, call.Code, call.Fault)
	}
	e.t.Logf("calls of the emulator:%s", lines.String())
}
