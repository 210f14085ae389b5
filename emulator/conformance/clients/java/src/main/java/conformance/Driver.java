package conformance;

import com.google.api.gax.core.NoCredentialsProvider;
import com.google.api.gax.grpc.GrpcTransportChannel;
import com.google.api.gax.longrunning.OperationFuture;
import com.google.api.gax.paging.AbstractPage;
import com.google.api.gax.paging.AbstractPagedListResponse;
import com.google.api.gax.rpc.ApiException;
import com.google.api.gax.rpc.FixedTransportChannelProvider;
import com.google.api.gax.rpc.UnaryCallable;
import com.google.cloud.contactcenterinsights.v1.ContactCenterInsightsClient;
import com.google.cloud.contactcenterinsights.v1.ContactCenterInsightsProto;
import com.google.cloud.contactcenterinsights.v1.ContactCenterInsightsSettings;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.longrunning.OperationsProto;
import com.google.protobuf.EmptyProto;
import com.google.protobuf.Message;
import com.google.protobuf.MessageOrBuilder;
import com.google.protobuf.util.JsonFormat;
import com.google.rpc.ErrorDetailsProto;
import io.grpc.ManagedChannelBuilder;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/** Drives google-cloud-contact-center-insights: Driver ADDRESS grpc|rest. README.md has the line protocol. */
public final class Driver {
  private static final String INSIGHTS = "com.google.cloud.contactcenterinsights.v1.";
  private static final String OPERATIONS = "com.google.longrunning.";
  private static final Set<String> MIXIN = Set.of("GetOperation", "ListOperations", "CancelOperation");
  /** Far beyond what any operation of the corpus takes. */
  private static final long PATIENCE_SECONDS = 120;

  private static final JsonFormat.TypeRegistry TYPES =
      JsonFormat.TypeRegistry.newBuilder()
          .add(ContactCenterInsightsProto.getDescriptor().getMessageTypes())
          .add(com.google.cloud.contactcenterinsights.v1.ResourcesProto.getDescriptor().getMessageTypes())
          .add(OperationsProto.getDescriptor().getMessageTypes())
          .add(ErrorDetailsProto.getDescriptor().getMessageTypes())
          .add(EmptyProto.getDescriptor().getMessageTypes())
          .build();

  private final ContactCenterInsightsClient client;
  private final boolean isRest;

  private Driver(ContactCenterInsightsClient client, boolean isRest) {
    this.client = client;
    this.isRest = isRest;
  }

  public static void main(String[] arguments) throws IOException {
    boolean isRest = arguments[1].equals("rest");
    Driver driver = new Driver(isRest ? rest(arguments[0]) : grpc(arguments[0]), isRest);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      out.println(driver.answer(JsonParser.parseString(line).getAsJsonObject()));
    }
    System.exit(0); // the client's threads would keep the process
  }

  private static ContactCenterInsightsClient grpc(String address) throws IOException {
    var channel = GrpcTransportChannel.create(ManagedChannelBuilder.forTarget(address).usePlaintext().build());
    return ContactCenterInsightsClient.create(
        ContactCenterInsightsSettings.newBuilder()
            .setCredentialsProvider(NoCredentialsProvider.create())
            .setTransportChannelProvider(FixedTransportChannelProvider.create(channel))
            .build());
  }

  private static ContactCenterInsightsClient rest(String address) throws IOException {
    return ContactCenterInsightsClient.create(
        ContactCenterInsightsSettings.newHttpJsonBuilder()
            .setCredentialsProvider(NoCredentialsProvider.create())
            .setTransportChannelProvider(
                ContactCenterInsightsSettings.defaultHttpJsonTransportProviderBuilder()
                    .setEndpoint("http://" + address)
                    .build())
            .build());
  }

  private JsonObject answer(JsonObject call) {
    try {
      return handle(call.get("method").getAsString(), call.get("request"), call.get("mode").getAsString());
    } catch (ApiException refused) {
      return refused(refused, "call");
    } catch (Exception error) {
      return unsent(error);
    }
  }

  private JsonObject handle(String method, JsonElement document, String mode) throws Exception {
    String name = Character.toLowerCase(method.charAt(0)) + method.substring(1);
    if (MIXIN.contains(method)) {
      // Their methods take names; the callables take requests.
      String paged = mode.equals("walk") ? "Paged" : "";
      Object found = callable(operations(), name + paged).call(read(OPERATIONS + method + "Request", document));
      return found instanceof AbstractPagedListResponse<?, ?, ?, ?, ?> pages ? walk(pages) : ok(show((Message) found));
    }
    Message request = read(INSIGHTS + method + "Request", document);
    Method async = find(client, name + "Async", request);
    if (async != null) {
      return mode.equals("follow")
          ? follow((OperationFuture<?, ?>) invoke(async, client, request))
          : ok(show((Message) callable(client, name).call(request)));
    }
    Object found = invoke(find(client, name, request), client, request);
    if (found instanceof AbstractPagedListResponse<?, ?, ?, ?, ?> pages) {
      return mode.equals("walk") ? walk(pages) : ok(show((Message) page(pages)));
    }
    return ok(found == null ? new JsonObject() : show((Message) found));
  }

  private Object operations() {
    return isRest ? client.getHttpJsonOperationsClient() : client.getOperationsClient();
  }

  @SuppressWarnings("unchecked")
  private static UnaryCallable<Message, Object> callable(Object target, String name) throws Exception {
    return (UnaryCallable<Message, Object>) target.getClass().getMethod(name + "Callable").invoke(target);
  }

  private static Method find(Object target, String name, Message request) {
    try {
      return target.getClass().getMethod(name, request.getClass());
    } catch (NoSuchMethodException absent) {
      return null;
    }
  }

  private static Object invoke(Method method, Object target, Message request) throws Exception {
    try {
      return method.invoke(target, request);
    } catch (InvocationTargetException thrown) {
      throw thrown.getCause() instanceof Exception cause ? cause : thrown;
    }
  }

  private static Message read(String type, JsonElement document) throws Exception {
    var builder = (Message.Builder) Class.forName(type).getMethod("newBuilder").invoke(null);
    JsonFormat.parser().usingTypeRegistry(TYPES).merge(document.toString(), builder);
    return builder.build();
  }

  private static Object page(AbstractPagedListResponse<?, ?, ?, ?, ?> pages) {
    return ((AbstractPage<?, ?, ?, ?>) pages.getPage()).getResponse();
  }

  private static JsonObject walk(AbstractPagedListResponse<?, ?, ?, ?, ?> pages) throws Exception {
    JsonArray items = new JsonArray();
    for (Object item : pages.iterateAll()) {
      items.add(show((Message) item));
    }
    return ok(items);
  }

  private static JsonObject follow(OperationFuture<?, ?> future) throws Exception {
    try {
      future.getInitialFuture().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException failed) {
      return failed.getCause() instanceof ApiException refused ? refused(refused, "call") : unsent(failed);
    }
    JsonObject answer;
    try {
      answer = ok(show((Message) future.get(PATIENCE_SECONDS, TimeUnit.SECONDS)));
    } catch (ExecutionException failed) {
      if (!(failed.getCause() instanceof ApiException refused)) {
        return unsent(failed);
      }
      answer = refused(refused, "operation");
    }
    Object metadata = future.getPollingFuture().get().getMetadata();
    if (metadata instanceof com.google.protobuf.Any any) {
      JsonObject shown = show(any).getAsJsonObject();
      shown.remove("@type");
      answer.add("metadata", shown);
    } else if (metadata != null) {
      answer.add("metadata", show((Message) metadata));
    }
    return answer;
  }

  private static JsonElement show(MessageOrBuilder message) throws Exception {
    return JsonParser.parseString(JsonFormat.printer().usingTypeRegistry(TYPES).print(message));
  }

  private static JsonObject ok(JsonElement response) {
    JsonObject answer = new JsonObject();
    answer.addProperty("code", "OK");
    answer.add("response", response);
    return answer;
  }

  /** Over REST the client keeps the number of HTTP, and guesses the status from it; so the number is told. */
  private static JsonObject refused(ApiException refused, String during) {
    JsonObject answer = new JsonObject();
    boolean isHttp = refused.getStatusCode().getTransportCode() instanceof Integer;
    answer.addProperty(
        "code",
        isHttp ? "HTTP_" + refused.getStatusCode().getTransportCode() : refused.getStatusCode().getCode().name());
    answer.addProperty("message", refused.getMessage());
    answer.add("reason", refused.getReason() == null ? JsonNull.INSTANCE : JsonParser.parseString('"' + refused.getReason() + '"'));
    JsonArray fields = new JsonArray();
    if (refused.getErrorDetails() != null && refused.getErrorDetails().getBadRequest() != null) {
      refused.getErrorDetails().getBadRequest().getFieldViolationsList().forEach(bad -> fields.add(bad.getField()));
    }
    answer.add("fields", fields);
    answer.addProperty("during", during);
    return answer;
  }

  private static JsonObject unsent(Exception error) {
    JsonObject answer = new JsonObject();
    answer.addProperty("code", "CLIENT");
    answer.addProperty("message", error.toString());
    return answer;
  }
}
