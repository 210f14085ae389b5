package sample;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.example.contactcenterinsights.emulator.EmulatorAdmin;
import com.example.contactcenterinsights.emulator.EmulatorClients;
import com.example.contactcenterinsights.emulator.WithEmulator;
import com.google.api.gax.longrunning.OperationFuture;
import com.google.api.gax.rpc.DataLossException;
import com.google.api.gax.rpc.NotFoundException;
import com.google.cloud.contactcenterinsights.v1.Analysis;
import com.google.cloud.contactcenterinsights.v1.ContactCenterInsightsClient;
import com.google.cloud.contactcenterinsights.v1.Conversation;
import com.google.cloud.contactcenterinsights.v1.CreateAnalysisOperationMetadata;
import com.google.cloud.contactcenterinsights.v1.LocationName;
import com.google.protobuf.util.Durations;
import java.time.Duration;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;

@WithEmulator({"--clock", "virtual"})
class MoreTest {
  @Test
  void anOperationFailsAsTold(ContactCenterInsightsClient client, EmulatorAdmin admin, LocationName parent)
      throws Exception {
    Conversation made = client.createConversation(parent, Conversation.getDefaultInstance(), "call-1");
    OperationFuture<Analysis, CreateAnalysisOperationMetadata> operation =
        client.createAnalysisAsync(made.getName(), Analysis.getDefaultInstance());
    admin.fail(operation.getName(), "DATA_LOSS", "the recording is damaged");
    ExecutionException error = assertThrows(ExecutionException.class, operation::get);
    assertInstanceOf(DataLossException.class, error.getCause());
  }

  @Test
  void aClientGetsOverAnOutage(ContactCenterInsightsClient client, EmulatorAdmin admin, LocationName parent) {
    admin.addFault("ListConversations", "UNAVAILABLE", 1);
    assertFalse(client.listConversations(parent).iterateAll().iterator().hasNext());
    assertEquals(1, admin.count("ListConversations", "UNAVAILABLE"));
    assertEquals(1, admin.count("ListConversations", "OK"));
  }

  @Test
  void aConversationExpires(ContactCenterInsightsClient client, EmulatorAdmin admin, LocationName parent) {
    Conversation expiring = Conversation.newBuilder().setTtl(Durations.fromMinutes(1)).build();
    Conversation made = client.createConversation(parent, expiring, "call-1");
    admin.advanceClock(Duration.ofSeconds(61));
    assertThrows(NotFoundException.class, () -> client.getConversation(made.getName()));
  }

  @Test
  void restHasAClientToo(EmulatorAdmin admin, LocationName parent) throws Exception {
    try (var client = ContactCenterInsightsClient.create(EmulatorClients.restSettings(admin.address()))) {
      assertFalse(client.listConversations(parent).iterateAll().iterator().hasNext());
    }
  }
}
