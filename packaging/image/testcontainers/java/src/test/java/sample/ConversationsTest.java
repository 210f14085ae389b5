package sample;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.api.gax.core.NoCredentialsProvider;
import com.google.cloud.contactcenterinsights.v1.ContactCenterInsightsClient;
import com.google.cloud.contactcenterinsights.v1.ContactCenterInsightsSettings;
import com.google.cloud.contactcenterinsights.v1.Conversation;
import com.google.cloud.contactcenterinsights.v1.LocationName;
import org.junit.jupiter.api.Test;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.junit.jupiter.Container;
import org.testcontainers.junit.jupiter.Testcontainers;

@Testcontainers
class ConversationsTest {
  @Container
  static final GenericContainer<?> EMULATOR =
      new GenericContainer<>("contact-center-insights-emulator:0.1.0")
          .withExposedPorts(9420)
          .waitingFor(Wait.forHealthcheck());

  @Test
  void aConversationIsKept() throws Exception {
    try (ContactCenterInsightsClient client = ContactCenterInsightsClient.create(settings())) {
      LocationName parent = LocationName.of("p", "us-central1");
      Conversation made = client.createConversation(parent, Conversation.getDefaultInstance(), "call-1");
      assertEquals(made, client.getConversation(made.getName()));
    }
  }

  private static ContactCenterInsightsSettings settings() throws Exception {
    return ContactCenterInsightsSettings.newBuilder()
        .setCredentialsProvider(NoCredentialsProvider.create())
        .setTransportChannelProvider(
            ContactCenterInsightsSettings.defaultGrpcTransportProviderBuilder()
                .setEndpoint(EMULATOR.getHost() + ":" + EMULATOR.getMappedPort(9420))
                .setChannelConfigurator(channel -> channel.usePlaintext())
                .build())
        .build();
  }
}
