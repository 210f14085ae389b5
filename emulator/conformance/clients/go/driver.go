// Drives cloud.google.com/go/contactcenterinsights: driver ADDRESS grpc|rest. README.md has the line protocol.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"

	insights "cloud.google.com/go/contactcenterinsights/apiv1"
	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"github.com/googleapis/gax-go/v2/apierror"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"
	"google.golang.org/genproto/googleapis/rpc/code"
	_ "google.golang.org/genproto/googleapis/rpc/errdetails" // the details of errors, met in an Any
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// The client's own poller waits for up to a minute between two polls.
const patience = 150 * time.Second

type call struct {
	Method  string          `json:"method"`
	Request json.RawMessage `json:"request"`
	Mode    string          `json:"mode"`
}

type answer struct {
	Code     string          `json:"code"`
	Response json.RawMessage `json:"response,omitempty"`
	Metadata json.RawMessage `json:"metadata,omitempty"`
	Message  string          `json:"message,omitempty"`
	Reason   *string         `json:"reason"`
	Fields   []string        `json:"fields"`
	During   string          `json:"during,omitempty"`
}

func connect(ctx context.Context, address, transport string) (*insights.Client, error) {
	if transport == "rest" {
		return insights.NewRESTClient(ctx, option.WithEndpoint("http://"+address), option.WithoutAuthentication())
	}
	return insights.NewClient(ctx,
		option.WithEndpoint(address),
		option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())))
}

func main() {
	ctx := context.Background()
	client, err := connect(ctx, os.Args[1], os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for lines.Scan() {
		result, err := handle(ctx, client, lines.Bytes())
		if err != nil {
			result = refused(err, "call")
		}
		if err := out.Encode(result); err != nil {
			os.Exit(1)
		}
	}
}

func handle(ctx context.Context, client *insights.Client, line []byte) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var asked call
	if err := json.Unmarshal(line, &asked); err != nil {
		return answer{}, err
	}
	method := reflect.ValueOf(client).MethodByName(asked.Method)
	if !method.IsValid() {
		return answer{}, fmt.Errorf("the client has no method %s", asked.Method)
	}
	request := reflect.New(method.Type().In(1).Elem())
	if err := protojson.Unmarshal(asked.Request, request.Interface().(proto.Message)); err != nil {
		return answer{}, err
	}
	returned := method.Call([]reflect.Value{reflect.ValueOf(ctx), request})
	found := returned[0]
	if page := found.MethodByName("PageInfo"); page.IsValid() {
		return list(found, asked.Mode)
	}
	if err := failure(returned[len(returned)-1]); err != nil {
		return answer{}, err
	}
	if len(returned) == 1 {
		return answer{Code: "OK", Response: []byte("{}")}, nil
	}
	if wait := found.MethodByName("Wait"); wait.IsValid() {
		if asked.Mode == "follow" {
			return follow(ctx, found, wait)
		}
		return snapshot(ctx, client, found)
	}
	return show(found.Interface().(proto.Message))
}

// One page is what the first fetch of the iterator brings; a walk is all that Next gives.
func list(it reflect.Value, mode string) (answer, error) {
	items := []json.RawMessage{}
	for {
		returned := it.MethodByName("Next").Call(nil)
		err := failure(returned[1])
		if err != nil && !errors.Is(err, iterator.Done) {
			return answer{}, err
		}
		if mode != "walk" {
			return show(it.Elem().FieldByName("Response").Interface().(proto.Message))
		}
		if err != nil {
			break
		}
		item, err := protojson.Marshal(returned[0].Interface().(proto.Message))
		if err != nil {
			return answer{}, err
		}
		items = append(items, item)
	}
	all, err := json.Marshal(items)
	return answer{Code: "OK", Response: all}, err
}

// The client does not show the operation that a call came back with. To get it would be a poll, which moves it on;
// to list it is none.
func snapshot(ctx context.Context, client *insights.Client, operation reflect.Value) (answer, error) {
	name := operation.MethodByName("Name").Call(nil)[0].String()
	filter := &longrunningpb.ListOperationsRequest{Name: strings.Split(name, "/operations/")[0]}
	it := client.ListOperations(ctx, filter)
	for {
		found, err := it.Next()
		if err != nil {
			return answer{}, err
		}
		if found.GetName() == name {
			return show(found)
		}
	}
}

func follow(ctx context.Context, operation, wait reflect.Value) (answer, error) {
	returned := wait.Call([]reflect.Value{reflect.ValueOf(ctx)})
	err := failure(returned[len(returned)-1])
	metadata, problem := metadata(operation)
	if problem != nil {
		return answer{}, problem
	}
	if err != nil {
		if !operation.MethodByName("Done").Call(nil)[0].Bool() {
			return answer{}, err
		}
		result := refused(err, "operation")
		result.Metadata = metadata
		return result, nil
	}
	result := answer{Code: "OK", Response: []byte("{}")}
	if len(returned) == 2 {
		if result, err = show(returned[0].Interface().(proto.Message)); err != nil {
			return answer{}, err
		}
	}
	result.Metadata = metadata
	return result, nil
}

func metadata(operation reflect.Value) (json.RawMessage, error) {
	returned := operation.MethodByName("Metadata").Call(nil)
	if err := failure(returned[1]); err != nil {
		return nil, err
	}
	return protojson.Marshal(returned[0].Interface().(proto.Message))
}

func show(message proto.Message) (answer, error) {
	text, err := protojson.Marshal(message)
	return answer{Code: "OK", Response: text}, err
}

func failure(value reflect.Value) error {
	err, _ := value.Interface().(error)
	return err
}

// What an error is to a user of the client: over both transports an *apierror.APIError. Over REST that keeps the
// number of HTTP, and guesses the status from it, wrongly where several share a number; so the number is told.
func refused(err error, during string) answer {
	var failed *apierror.APIError
	if !errors.As(err, &failed) {
		return answer{Code: "CLIENT", Message: fmt.Sprintf("%T: %v", err, err)}
	}
	result := answer{Message: err.Error(), During: during}
	if number := failed.HTTPCode(); number > 0 {
		result.Code = fmt.Sprintf("HTTP_%d", number)
	} else {
		result.Code = code.Code(failed.GRPCStatus().Code()).String()
	}
	if reason := failed.Reason(); reason != "" {
		result.Reason = &reason
	}
	if bad := failed.Details().BadRequest; bad != nil {
		for _, violation := range bad.GetFieldViolations() {
			result.Fields = append(result.Fields, violation.GetField())
		}
	}
	return result
}
