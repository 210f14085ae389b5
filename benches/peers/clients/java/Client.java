import com.google.api.gax.core.NoCredentialsProvider;
import com.google.api.gax.longrunning.OperationFuture;
import com.google.api.gax.rpc.FixedHeaderProvider;
import com.google.cloud.contactcenterinsights.v1.ContactCenterInsightsClient;
import com.google.cloud.contactcenterinsights.v1.ContactCenterInsightsSettings;
import com.google.cloud.contactcenterinsights.v1.CreateIssueModelMetadata;
import com.google.cloud.contactcenterinsights.v1.IssueModel;
import com.google.longrunning.ListOperationsRequest;
import com.google.longrunning.Operation;
import com.google.longrunning.OperationsClient;
import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.ManagedChannelBuilder;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * google-cloud-contact-center-insights over gRPC: Client ADDRESS NAME TOKEN. ../../README.md has the commands.
 */
public final class Client {
  private final ContactCenterInsightsClient api;
  private final OperationsClient operations;
  private final String name;
  private final ExecutorService threads = Executors.newCachedThreadPool();

  private Client(String address, String name, String token) throws IOException {
    var channel =
        ContactCenterInsightsSettings.defaultGrpcTransportProviderBuilder()
            .setEndpoint(address)
            .setChannelConfigurator(ManagedChannelBuilder::usePlaintext)
            .build();
    this.api =
        ContactCenterInsightsClient.create(
            ContactCenterInsightsSettings.newBuilder()
                .setCredentialsProvider(NoCredentialsProvider.create())
                .setHeaderProvider(FixedHeaderProvider.create("authorization", "Bearer " + token))
                .setTransportChannelProvider(channel)
                .build());
    this.operations = api.getOperationsClient();
    this.name = name;
  }

  public static void main(String[] arguments) throws IOException {
    Client client = new Client(arguments[0], arguments[1], arguments[2]);
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      try {
        client.obey(line.split(" "));
      } catch (Exception failed) {
        say("error", '"' + failed.toString().replaceAll("[\"\\\\\\p{Cntrl}]", " ") + '"');
      }
    }
    System.exit(0); // the client's threads would keep the process
  }

  private static synchronized void say(String what, Object value) {
    System.out.println("{\"" + what + "\": " + value + "}");
  }

  private void obey(String[] words) throws Exception {
    switch (words[0]) {
      case "calls" -> calls(Integer.parseInt(words[1]), Integer.parseInt(words[2]));
      case "list" -> list();
      case "wait" -> {
        List<Callable<Void>> waits = new ArrayList<>();
        for (String model : List.of(words).subList(1, words.length)) {
          waits.add(() -> await(model));
        }
        together(waits);
      }
      default -> throw new IllegalArgumentException("no command " + words[0]);
    }
  }

  private void together(List<Callable<Void>> all) throws Exception {
    if (all.size() == 1) {
      all.get(0).call();
      return;
    }
    for (Future<Void> one : threads.invokeAll(all)) {
      try {
        one.get();
      } catch (ExecutionException failed) {
        throw failed.getCause() instanceof Exception cause ? cause : failed;
      }
    }
  }

  private void calls(int calls, int callers) throws Exception {
    List<Callable<Void>> all = new ArrayList<>();
    for (int i = 0; i < callers; i++) {
      all.add(
          () -> {
            for (int call = 0; call < calls / callers; call++) {
              read(operations.getOperation(name));
            }
            return null;
          });
    }
    together(all);
    say("calls", calls);
  }

  /** Decodes what the operation holds. */
  private static void read(Operation operation) throws InvalidProtocolBufferException {
    var metadata = operation.getMetadata().unpack(CreateIssueModelMetadata.class);
    var model = operation.getResponse().unpack(IssueModel.class);
    int issues = model.getTrainingStats().getIssueStatsCount();
    if (!metadata.hasEndTime() || issues == 0 || issues != model.getIssueCount()) {
      throw new IllegalStateException("not the finished operation");
    }
  }

  private void list() throws InvalidProtocolBufferException {
    String parent = name.split("/operations/")[0];
    int count = 0;
    var request = ListOperationsRequest.newBuilder().setName(parent).setPageSize(1000).build();
    for (Operation operation : operations.listOperations(request).iterateAll()) {
      read(operation);
      count++;
    }
    say("operations", count);
  }

  private Void await(String model) throws Exception {
    String[] parts = model.split("/issueModels/");
    OperationFuture<?, ?> started =
        parts[1].startsWith("train")
            ? api.createIssueModelAsync(parts[0], IssueModel.newBuilder().setDisplayName(model).build())
            : api.deployIssueModelAsync(model);
    started.get();
    say("ended", '"' + model + '"');
    return null;
  }
}
