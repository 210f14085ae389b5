package sample

import (
	"testing"

	insights "cloud.google.com/go/contactcenterinsights/apiv1"
	pb "cloud.google.com/go/contactcenterinsights/apiv1/contactcenterinsightspb"
	"example.com/contact-center-insights/packaging/go/emulatortest"
)

func TestAConversationIsKept(t *testing.T) {
	emulator := emulatortest.Start(t)
	client := emulatortest.Client(emulator, insights.NewClient)
	request := &pb.CreateConversationRequest{Parent: emulator.Parent(), Conversation: &pb.Conversation{AgentId: "7"}}
	if made, err := client.CreateConversation(t.Context(), request); err != nil || made.AgentId != "7" {
		t.Fatal(made, err)
	}
}
