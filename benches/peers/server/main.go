// The neutral server of the comparison: operations over gRPC (grpc-go) and REST (net/http), from bytes that were made
// before the first call. server FILE NAME LISTED: the finished operation and its name, and how many operations a list has.
//
// Its first line on stdout has its addresses, all on loopback; it ends with its stdin. GET /counts at the address of REST
// says what was asked.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"

	"google.golang.org/grpc"
)

func run() error {
	if len(os.Args) != 4 {
		return fmt.Errorf("usage: server FILE NAME LISTED")
	}
	finished, err := os.ReadFile(os.Args[1])
	if err != nil {
		return err
	}
	listed, err := strconv.Atoi(os.Args[3])
	if err != nil {
		return err
	}
	answers, err := newAnswers(finished, os.Args[2], listed)
	if err != nil {
		return err
	}
	service := &service{answers: answers, waits: newWaits()}
	overGRPC, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	overREST, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.ForceServerCodecV2(bytesAsTheyAre{}), grpc.UnknownServiceHandler(service.stream))
	go func() { fail(server.Serve(overGRPC)) }()
	go func() { fail(http.Serve(overREST, http.HandlerFunc(service.http))) }()
	addresses := map[string]string{"grpc": overGRPC.Addr().String(), "rest": overREST.Addr().String()}
	if err := json.NewEncoder(os.Stdout).Encode(addresses); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "server:", err)
		os.Exit(1)
	}
}

func main() { fail(run()) }
