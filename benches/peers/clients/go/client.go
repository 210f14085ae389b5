// cloud.google.com/go/contactcenterinsights over gRPC: client ADDRESS NAME TOKEN. ../../README.md has the commands.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"

	insights "cloud.google.com/go/contactcenterinsights/apiv1"
	"cloud.google.com/go/contactcenterinsights/apiv1/contactcenterinsightspb"
	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"google.golang.org/api/iterator"
	"google.golang.org/api/option"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

type client struct {
	*insights.Client
	name string
	out  sync.Mutex
}

func (c *client) say(what string, value any) {
	c.out.Lock()
	defer c.out.Unlock()
	if err := json.NewEncoder(os.Stdout).Encode(map[string]any{what: value}); err != nil {
		os.Exit(1)
	}
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	address, name, token := os.Args[1], os.Args[2], os.Args[3]
	// The option for a token would not send it unencrypted.
	ctx := metadata.AppendToOutgoingContext(context.Background(), "authorization", "Bearer "+token)
	api, err := insights.NewClient(ctx,
		option.WithEndpoint(address),
		option.WithoutAuthentication(),
		option.WithGRPCDialOption(grpc.WithTransportCredentials(insecure.NewCredentials())))
	if err != nil {
		return err
	}
	c := &client{Client: api, name: name}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if err := c.obey(ctx, strings.Fields(lines.Text())); err != nil {
			c.say("error", err.Error())
		}
	}
	return lines.Err()
}

func (c *client) obey(ctx context.Context, words []string) error {
	switch words[0] {
	case "calls":
		calls, err := strconv.Atoi(words[1])
		if err != nil {
			return err
		}
		callers, err := strconv.Atoi(words[2])
		if err != nil {
			return err
		}
		return c.calls(ctx, calls, callers)
	case "list":
		return c.list(ctx)
	case "wait":
		return together(len(words)-1, func(i int) error { return c.wait(ctx, words[i+1]) })
	}
	return fmt.Errorf("no command %s", words[0])
}

func together(many int, do func(int) error) error {
	failed := make([]error, many)
	var group sync.WaitGroup
	for i := range many {
		group.Go(func() { failed[i] = do(i) })
	}
	group.Wait()
	return errors.Join(failed...)
}

func (c *client) calls(ctx context.Context, calls, callers int) error {
	err := together(callers, func(int) error {
		for range calls / callers {
			operation, err := c.GetOperation(ctx, &longrunningpb.GetOperationRequest{Name: c.name})
			if err != nil {
				return err
			}
			if err := read(operation); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		c.say("calls", calls)
	}
	return err
}

// Decodes what the operation holds.
func read(operation *longrunningpb.Operation) error {
	var metadata contactcenterinsightspb.CreateIssueModelMetadata
	if err := operation.GetMetadata().UnmarshalTo(&metadata); err != nil {
		return err
	}
	var model contactcenterinsightspb.IssueModel
	if err := operation.GetResponse().UnmarshalTo(&model); err != nil {
		return err
	}
	issues := len(model.GetTrainingStats().GetIssueStats())
	if metadata.GetEndTime() == nil || issues == 0 || int64(issues) != model.GetIssueCount() {
		return errors.New("not the finished operation")
	}
	return nil
}

func (c *client) list(ctx context.Context) error {
	parent, _, _ := strings.Cut(c.name, "/operations/")
	all := c.ListOperations(ctx, &longrunningpb.ListOperationsRequest{Name: parent, PageSize: 1000})
	for count := 0; ; count++ {
		operation, err := all.Next()
		if errors.Is(err, iterator.Done) {
			c.say("operations", count)
			return nil
		}
		if err != nil {
			return err
		}
		if err := read(operation); err != nil {
			return err
		}
	}
}

func (c *client) wait(ctx context.Context, model string) error {
	parent, id, _ := strings.Cut(model, "/issueModels/")
	if strings.HasPrefix(id, "train") {
		request := &contactcenterinsightspb.CreateIssueModelRequest{
			Parent:     parent,
			IssueModel: &contactcenterinsightspb.IssueModel{DisplayName: model},
		}
		started, err := c.CreateIssueModel(ctx, request)
		if err != nil {
			return err
		}
		if _, err := started.Wait(ctx); err != nil {
			return err
		}
	} else {
		started, err := c.DeployIssueModel(ctx, &contactcenterinsightspb.DeployIssueModelRequest{Name: model})
		if err != nil {
			return err
		}
		if _, err := started.Wait(ctx); err != nil {
			return err
		}
	}
	c.say("ended", model)
	return nil
}
