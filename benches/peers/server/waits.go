package main

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"cloud.google.com/go/contactcenterinsights/apiv1/contactcenterinsightspb"
	"cloud.google.com/go/longrunning/autogen/longrunningpb"
)

// An operation that ends at its time.
type wait struct {
	model      string
	operation  string
	began      time.Time
	ends       time.Time
	isTraining bool
}

// The operations that clients have started, and how often each location was asked about its own.
type waits struct {
	lock sync.Mutex
	// By the name of the operation.
	started map[string]*wait
	calls   map[string]int
}

func newWaits() *waits {
	return &waits{started: map[string]*wait{}, calls: map[string]int{}}
}

// The model's id ends in how many milliseconds its operation takes: `.../issueModels/deploy-3-17500`.
func (w *waits) start(model string, isTraining bool) (*wait, error) {
	location, id, found := strings.Cut(model, "/issueModels/")
	parts := strings.Split(id, "-")
	takes, err := strconv.Atoi(parts[len(parts)-1])
	if !found || err != nil {
		return nil, fmt.Errorf("no duration in %q", model)
	}
	began := time.Now()
	started := &wait{
		model:      model,
		operation:  location + "/operations/" + id,
		began:      began,
		ends:       began.Add(time.Duration(takes) * time.Millisecond),
		isTraining: isTraining,
	}
	w.lock.Lock()
	defer w.lock.Unlock()
	w.started[started.operation] = started
	return started, nil
}

func (w *waits) get(name string) *wait {
	w.lock.Lock()
	defer w.lock.Unlock()
	w.calls[location(name)]++
	return w.started[name]
}

// Those of a location that still run.
func (w *waits) running(parent string) []*wait {
	w.lock.Lock()
	defer w.lock.Unlock()
	w.calls[parent]++
	var found []*wait
	now := time.Now()
	for _, started := range w.started {
		if location(started.operation) == parent && now.Before(started.ends) {
			found = append(found, started)
		}
	}
	return found
}

func location(name string) string {
	location, _, _ := strings.Cut(name, "/operations/")
	return location
}

// The operation as it is now: a training with the constant request and result, or a deployment.
func (w *wait) now(constant *answers) (*longrunningpb.Operation, error) {
	done := !time.Now().Before(w.ends)
	began, ended := timestamppb.New(w.began), (*timestamppb.Timestamp)(nil)
	if done {
		ended = timestamppb.New(w.ends)
	}
	var metadata, response proto.Message
	if w.isTraining {
		metadata = &contactcenterinsightspb.CreateIssueModelMetadata{
			CreateTime: began, EndTime: ended, Request: constant.metadata.GetRequest(),
		}
		response = constant.model
	} else {
		metadata = &contactcenterinsightspb.DeployIssueModelMetadata{
			CreateTime: began, EndTime: ended, Request: &contactcenterinsightspb.DeployIssueModelRequest{Name: w.model},
		}
		response = &contactcenterinsightspb.DeployIssueModelResponse{}
	}
	operation := &longrunningpb.Operation{Name: w.operation, Done: done}
	var err error
	if operation.Metadata, err = anypb.New(metadata); err != nil || !done {
		return operation, err
	}
	packed, err := anypb.New(response)
	operation.Result = &longrunningpb.Operation_Response{Response: packed}
	return operation, err
}
