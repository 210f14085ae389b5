package com.example.contactcenterinsights.emulator;

import com.google.cloud.contactcenterinsights.v1.ContactCenterInsightsClient;
import com.google.cloud.contactcenterinsights.v1.ContactCenterInsightsSettings;
import com.google.cloud.contactcenterinsights.v1.LocationName;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.stream.Collectors;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolutionException;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.platform.commons.support.AnnotationSupport;

/** What {@link WithEmulator} does: an emulator for the run, and a project for each test. */
public final class EmulatorExtension implements BeforeEachCallback, AfterEachCallback, ParameterResolver {
  private static final ExtensionContext.Namespace OURS = ExtensionContext.Namespace.create(EmulatorExtension.class);
  private static final String HOST_VARIABLE = "CONTACTCENTERINSIGHTS_EMULATOR_HOST";
  private static final String LOCATION = "us-central1";

  @Override
  public void beforeEach(ExtensionContext context) {
    admin(context).clearCalls();
  }

  /** Empties the project, takes faults and quotas away, and shows the calls of a test that failed. */
  @Override
  public void afterEach(ExtensionContext context) {
    EmulatorAdmin admin = admin(context);
    if (context.getExecutionException().isPresent()) {
      String calls = admin.calls("").stream().map(call -> "\n  " + call).collect(Collectors.joining());
      System.err.println("calls of the emulator in " + context.getDisplayName() + ":" + calls);
    }
    admin.clearFaults();
    admin.setQuota(0);
    admin.reset(project(context));
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    Class<?> type = parameter.getParameter().getType();
    return type == Emulator.class || type == EmulatorAdmin.class || isOfficial(type);
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    Class<?> type = parameter.getParameter().getType();
    if (type == EmulatorAdmin.class) {
      return admin(context);
    }
    if (type == Emulator.class) {
      return own(context).orElseThrow(
          () -> new ParameterResolutionException("the emulator was started elsewhere: ask for an EmulatorAdmin"));
    }
    try {
      return Official.resolve(type, context);
    } catch (IOException error) {
      throw new ParameterResolutionException("the client cannot be made", error);
    }
  }

  private static Optional<Emulator> own(ExtensionContext context) {
    String host = System.getenv(HOST_VARIABLE);
    if (host != null && !host.isEmpty()) {
      return Optional.empty();
    }
    String[] arguments =
        AnnotationSupport.findAnnotation(context.getRequiredTestClass(), WithEmulator.class)
            .map(WithEmulator::value)
            .orElseGet(() -> new String[0]);
    // JUnit closes what is in the store at the end of the run.
    ExtensionContext.Store store = context.getRoot().getStore(OURS);
    return Optional.of(
        store.getOrComputeIfAbsent(List.of(arguments), key -> Emulator.start(arguments), Emulator.class));
  }

  private static EmulatorAdmin admin(ExtensionContext context) {
    return own(context).map(Emulator::admin).orElseGet(() -> {
      String host = System.getenv(HOST_VARIABLE);
      String address = host.chars().allMatch(Character::isDigit) ? "127.0.0.1:" + host : host;
      return context.getRoot().getStore(OURS)
          .getOrComputeIfAbsent(address, EmulatorAdmin::new, EmulatorAdmin.class);
    });
  }

  private static String project(ExtensionContext context) {
    return context.getStore(OURS).getOrComputeIfAbsent(
        "project", key -> "test-" + UUID.randomUUID().toString().substring(0, 13), String.class);
  }

  /** By name: the class need not be there. */
  private static boolean isOfficial(Class<?> type) {
    return type.getPackageName().equals("com.google.cloud.contactcenterinsights.v1")
        && List.of("ContactCenterInsightsClient", "ContactCenterInsightsSettings", "LocationName")
            .contains(type.getSimpleName());
  }

  /** Apart, so that tests without the official client run too. */
  private static final class Official {
    static Object resolve(Class<?> type, ExtensionContext context) throws IOException {
      if (type == LocationName.class) {
        return LocationName.of(project(context), LOCATION);
      }
      ContactCenterInsightsSettings settings = EmulatorClients.settings(admin(context).address());
      if (type == ContactCenterInsightsSettings.class) {
        return settings;
      }
      ContactCenterInsightsClient client = ContactCenterInsightsClient.create(settings);
      context.getStore(OURS).put(client, (AutoCloseable) client::close);
      return client;
    }
  }
}
