package com.example.contactcenterinsights.emulator;

import com.google.api.gax.core.NoCredentialsProvider;
import com.google.cloud.contactcenterinsights.v1.ContactCenterInsightsClient;
import com.google.cloud.contactcenterinsights.v1.ContactCenterInsightsSettings;
import java.io.IOException;

/** The official client for an emulator at HOST:PORT, without credentials. */
public final class EmulatorClients {
  private EmulatorClients() {}

  /** Settings for gRPC. */
  public static ContactCenterInsightsSettings settings(String address) throws IOException {
    return ContactCenterInsightsSettings.newBuilder()
        .setCredentialsProvider(NoCredentialsProvider.create())
        .setTransportChannelProvider(
            ContactCenterInsightsSettings.defaultGrpcTransportProviderBuilder()
                .setEndpoint(address)
                .setChannelConfigurator(channel -> channel.usePlaintext())
                .build())
        .build();
  }

  /** Settings for REST. */
  public static ContactCenterInsightsSettings restSettings(String address) throws IOException {
    return ContactCenterInsightsSettings.newHttpJsonBuilder()
        .setCredentialsProvider(NoCredentialsProvider.create())
        .setTransportChannelProvider(
            ContactCenterInsightsSettings.defaultHttpJsonTransportProviderBuilder()
                .setEndpoint("http://" + address)
                .build())
        .build();
  }

  /** A client over gRPC; close it. */
  public static ContactCenterInsightsClient client(String address) throws IOException {
    return ContactCenterInsightsClient.create(settings(address));
  }
}
