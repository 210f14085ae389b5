package sample;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.example.contactcenterinsights.emulator.WithEmulator;
import com.google.cloud.contactcenterinsights.v1.ContactCenterInsightsClient;
import com.google.cloud.contactcenterinsights.v1.Conversation;
import com.google.cloud.contactcenterinsights.v1.LocationName;
import org.junit.jupiter.api.Test;

@WithEmulator
class ConversationsTest {
  @Test
  void aConversationIsKept(ContactCenterInsightsClient client, LocationName parent) {
    Conversation made = client.createConversation(parent, Conversation.newBuilder().setAgentId("7").build(), "call-1");
    assertEquals(made, client.getConversation(made.getName()));
  }
}
