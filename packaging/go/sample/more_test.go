package sample

import (
	"testing"
	"time"

	insights "cloud.google.com/go/contactcenterinsights/apiv1"
	pb "cloud.google.com/go/contactcenterinsights/apiv1/contactcenterinsightspb"
	"example.com/contact-center-insights/packaging/go/emulatortest"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

func TestAnOperationFailsAsTold(t *testing.T) {
	emulator := emulatortest.Start(t)
	client := emulatortest.RESTClient(emulator, insights.NewRESTClient)
	made, err := client.CreateConversation(t.Context(), &pb.CreateConversationRequest{Parent: emulator.Parent(), Conversation: &pb.Conversation{}})
	if err != nil {
		t.Fatal(err)
	}
	operation, err := client.CreateAnalysis(t.Context(), &pb.CreateAnalysisRequest{Parent: made.Name, Analysis: &pb.Analysis{}})
	if err != nil {
		t.Fatal(err)
	}
	emulator.Fail(operation.Name(), "DATA_LOSS", "damaged")
	if _, err := operation.Wait(t.Context()); status.Code(err) != codes.DataLoss {
		t.Fatal(err)
	}
	emulator.Complete(start(t, emulator, client, made.Name).Name())
	if !emulator.Advance(start(t, emulator, client, made.Name).Name(), 2) {
		t.Fatal("an operation is done after two polls")
	}
}

func start(t *testing.T, emulator *emulatortest.Emulator, client *insights.Client, parent string) *insights.CreateAnalysisOperation {
	t.Helper()
	operation, err := client.CreateAnalysis(t.Context(), &pb.CreateAnalysisRequest{Parent: parent, Analysis: &pb.Analysis{}})
	if err != nil {
		t.Fatal(err)
	}
	return operation
}

func TestAClientGetsOverAnOutage(t *testing.T) {
	emulator := emulatortest.Start(t)
	client := emulatortest.Client(emulator, insights.NewClient)
	emulator.AddFault(emulatortest.Fault{Method: "ListViews", Code: "UNAVAILABLE", Times: 1})
	views := client.ListViews(t.Context(), &pb.ListViewsRequest{Parent: emulator.Parent()})
	for view, err := range views.All() {
		t.Fatal(view, err)
	}
	if emulator.Count("ListViews", "UNAVAILABLE") != 1 || emulator.Count("ListViews", "OK") != 1 {
		t.Fatal(emulator.Calls(""))
	}
}

func TestAConversationExpires(t *testing.T) {
	emulator := emulatortest.Start(t, "--clock", "virtual")
	client := emulatortest.Client(emulator, insights.NewClient)
	expiring := &pb.Conversation{Expiration: &pb.Conversation_Ttl{Ttl: durationpb.New(time.Minute)}}
	made, err := client.CreateConversation(t.Context(), &pb.CreateConversationRequest{Parent: emulator.Parent(), Conversation: expiring})
	if err != nil {
		t.Fatal(err)
	}
	emulator.AdvanceClock(time.Minute + time.Second)
	if _, err := client.GetConversation(t.Context(), &pb.GetConversationRequest{Name: made.Name}); status.Code(err) != codes.NotFound {
		t.Fatal(err)
	}
}
