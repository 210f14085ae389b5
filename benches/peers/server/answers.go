package main

import (
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"cloud.google.com/go/contactcenterinsights/apiv1/contactcenterinsightspb"
	"cloud.google.com/go/longrunning/autogen/longrunningpb"
)

// Operations on one page of a list, whatever is asked for.
const pageSize = 1000

// A message in both forms.
type answer struct {
	wire, json []byte
}

func newAnswer(message proto.Message) (answer, error) {
	wire, err := proto.Marshal(message)
	if err != nil {
		return answer{}, err
	}
	text, err := protojson.Marshal(message)
	return answer{wire: wire, json: text}, err
}

// What is the same for every call: one finished operation, and lists of it.
type answers struct {
	name string
	// The request for the operation, as every client encodes it: one field.
	request  []byte
	finished answer
	metadata *contactcenterinsightspb.CreateIssueModelMetadata
	model    *contactcenterinsightspb.IssueModel
	// By the number of pages that follow.
	pages []answer
}

func newAnswers(bytes []byte, name string, listed int) (*answers, error) {
	var operation longrunningpb.Operation
	if err := proto.Unmarshal(bytes, &operation); err != nil {
		return nil, err
	}
	made := &answers{
		name:     name,
		metadata: &contactcenterinsightspb.CreateIssueModelMetadata{},
		model:    &contactcenterinsightspb.IssueModel{},
	}
	if err := operation.GetMetadata().UnmarshalTo(made.metadata); err != nil {
		return nil, err
	}
	if err := operation.GetResponse().UnmarshalTo(made.model); err != nil {
		return nil, err
	}
	var err error
	if made.request, err = proto.Marshal(&longrunningpb.GetOperationRequest{Name: name}); err != nil {
		return nil, err
	}
	if made.finished, err = newAnswer(&operation); err != nil {
		return nil, err
	}
	made.finished.wire = bytes
	all := make([]*longrunningpb.Operation, pageSize)
	for i := range all {
		all[i] = &operation
	}
	for left := range (listed + pageSize - 1) / pageSize {
		page := &longrunningpb.ListOperationsResponse{Operations: all}
		if left > 0 {
			page.NextPageToken = token(left - 1)
		} else if odd := listed % pageSize; odd > 0 {
			page.Operations = all[:odd]
		}
		whole, err := newAnswer(page)
		if err != nil {
			return nil, err
		}
		made.pages = append(made.pages, whole)
	}
	return made, nil
}
