package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"cloud.google.com/go/contactcenterinsights/apiv1/contactcenterinsightspb"
	"cloud.google.com/go/longrunning/autogen/longrunningpb"
)

// Answers calls over both transports.
type service struct {
	answers *answers
	waits   *waits
	// Calls for the constant operation, pages of the constant list, and calls without a token.
	gets, lists, anonymous atomic.Int64
}

// Nothing is decoded before a method asks for it.
type bytesAsTheyAre struct{}

func (bytesAsTheyAre) Name() string { return "proto" }

func (bytesAsTheyAre) Marshal(message any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(message.([]byte))}, nil
}

func (bytesAsTheyAre) Unmarshal(data mem.BufferSlice, message any) error {
	*message.(*[]byte) = data.Materialize()
	return nil
}

func (s *service) stream(_ any, stream grpc.ServerStream) error {
	if len(metadata.ValueFromIncomingContext(stream.Context(), "authorization")) == 0 {
		s.anonymous.Add(1)
	}
	method, _ := grpc.MethodFromServerStream(stream)
	var request []byte
	if err := stream.RecvMsg(&request); err != nil {
		return err
	}
	reply, err := s.call(method[strings.LastIndexByte(method, '/')+1:], request)
	if err != nil {
		return err
	}
	return stream.SendMsg(reply.wire)
}

func (s *service) call(method string, request []byte) (answer, error) {
	switch method {
	case "GetOperation":
		if bytes.Equal(request, s.answers.request) {
			s.gets.Add(1)
			return s.answers.finished, nil
		}
		return typed(request, &longrunningpb.GetOperationRequest{}, func(asked *longrunningpb.GetOperationRequest) (answer, error) {
			return s.get(asked.GetName())
		})
	case "ListOperations":
		return typed(request, &longrunningpb.ListOperationsRequest{}, func(asked *longrunningpb.ListOperationsRequest) (answer, error) {
			return s.list(asked.GetName(), asked.GetFilter(), asked.GetPageToken())
		})
	case "CreateIssueModel":
		return typed(request, &contactcenterinsightspb.CreateIssueModelRequest{},
			func(asked *contactcenterinsightspb.CreateIssueModelRequest) (answer, error) {
				return s.start(asked.GetIssueModel().GetDisplayName(), true)
			})
	case "DeployIssueModel":
		return typed(request, &contactcenterinsightspb.DeployIssueModelRequest{},
			func(asked *contactcenterinsightspb.DeployIssueModelRequest) (answer, error) {
				return s.start(asked.GetName(), false)
			})
	}
	return answer{}, status.Errorf(codes.Unimplemented, "no method %s", method)
}

func typed[T proto.Message](request []byte, into T, then func(T) (answer, error)) (answer, error) {
	if err := proto.Unmarshal(request, into); err != nil {
		return answer{}, status.Error(codes.InvalidArgument, err.Error())
	}
	return then(into)
}

func (s *service) get(name string) (answer, error) {
	if name == s.answers.name {
		s.gets.Add(1)
		return s.answers.finished, nil
	}
	found := s.waits.get(name)
	if found == nil {
		return answer{}, status.Errorf(codes.NotFound, "no operation %s", name)
	}
	return s.state(found)
}

func (s *service) start(model string, isTraining bool) (answer, error) {
	started, err := s.waits.start(model, isTraining)
	if err != nil {
		return answer{}, status.Error(codes.InvalidArgument, err.Error())
	}
	return s.state(started)
}

func (s *service) state(of *wait) (answer, error) {
	operation, err := of.now(s.answers)
	if err != nil {
		return answer{}, err
	}
	return newAnswer(operation)
}

// With a filter: what still runs in the location. Without: the constant list.
func (s *service) list(parent, filter, after string) (answer, error) {
	if filter != "" {
		page := &longrunningpb.ListOperationsResponse{}
		for _, running := range s.waits.running(parent) {
			operation, err := running.now(s.answers)
			if err != nil {
				return answer{}, err
			}
			if !operation.GetDone() {
				page.Operations = append(page.Operations, operation)
			}
		}
		return newAnswer(page)
	}
	s.lists.Add(1)
	left := len(s.answers.pages) - 1
	if after != "" {
		var err error
		if left, err = strconv.Atoi(after); err != nil || left < 0 || left >= len(s.answers.pages) {
			return answer{}, status.Errorf(codes.InvalidArgument, "no page %q", after)
		}
	}
	return s.answers.pages[left], nil
}

// The token of the page after which so many follow.
func token(left int) string { return strconv.Itoa(left) }

func (s *service) http(writer http.ResponseWriter, request *http.Request) {
	name := strings.TrimPrefix(request.URL.Path, "/v1/")
	if name == "/counts" {
		s.counts(writer)
		return
	}
	if request.Header.Get("Authorization") == "" {
		s.anonymous.Add(1)
	}
	reply, err := s.rest(request, name)
	if err != nil {
		http.Error(writer, err.Error(), http.StatusBadRequest)
		return
	}
	writer.Header().Set("Content-Type", "application/json; charset=UTF-8")
	writer.Header().Set("Content-Length", strconv.Itoa(len(reply.json)))
	// Nobody is there to be told when the connection is gone.
	_, _ = writer.Write(reply.json)
}

func (s *service) rest(request *http.Request, name string) (answer, error) {
	if request.Method == http.MethodGet {
		parent, isList := strings.CutSuffix(name, "/operations")
		if !isList {
			return s.get(name)
		}
		query := request.URL.Query()
		return s.list(parent, query.Get("filter"), query.Get("pageToken"))
	}
	if model, isDeployment := strings.CutSuffix(name, ":deploy"); isDeployment {
		return s.start(model, false)
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return answer{}, err
	}
	var model contactcenterinsightspb.IssueModel
	if err := protojson.Unmarshal(body, &model); err != nil {
		return answer{}, err
	}
	return s.start(model.GetDisplayName(), true)
}

func (s *service) counts(writer http.ResponseWriter) {
	s.waits.lock.Lock()
	defer s.waits.lock.Unlock()
	ends := map[string]float64{}
	for _, started := range s.waits.started {
		ends[started.model] = float64(started.ends.UnixMicro()) / 1e6
	}
	counted := map[string]any{
		"gets":      s.gets.Load(),
		"lists":     s.lists.Load(),
		"anonymous": s.anonymous.Load(),
		// Seconds since the epoch, by model.
		"ends": ends,
		// While waiting, by location.
		"calls": s.waits.calls,
	}
	// As above.
	_ = json.NewEncoder(writer).Encode(counted)
}
