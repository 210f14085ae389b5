"""google-cloud-contact-center-insights over gRPC: client.py ADDRESS NAME TOKEN. ../../README.md has the commands."""

import json
import sys
import threading

import grpc
from google.api_core.protobuf_helpers import from_any_pb
from google.cloud import contact_center_insights_v1 as insights
from google.cloud.contact_center_insights_v1.services.contact_center_insights import transports
from google.longrunning import operations_pb2

# Far beyond what any wait of the comparison takes.
PATIENCE_SECONDS = 300


class Client:
    def __init__(self, address, name, token):
        channel = grpc.insecure_channel(address)
        self.api = insights.ContactCenterInsightsClient(
            transport=transports.ContactCenterInsightsGrpcTransport(channel=channel)
        )
        self.name = name
        self.metadata = [("authorization", f"Bearer {token}")]
        self.out = threading.Lock()

    def say(self, **what):
        with self.out:
            print(json.dumps(what), flush=True)

    def obey(self, command, *words):
        if command == "calls":
            calls, callers = map(int, words)
            self.together(lambda: self.calls(calls // callers), [()] * callers)
            self.say(calls=calls)
        elif command == "list":
            self.say(operations=self.list())
        elif command == "wait":
            self.together(self.wait, [(model,) for model in words])
        else:
            raise ValueError(f"no command {command}")

    def together(self, do, arguments):
        if len(arguments) == 1:
            do(*arguments[0])
            return
        failed = []

        def one(*given):
            try:
                do(*given)
            except Exception as error:
                failed.append(error)

        threads = [threading.Thread(target=one, args=given) for given in arguments]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failed:
            raise failed[0]

    def calls(self, calls):
        for _ in range(calls):
            request = operations_pb2.GetOperationRequest(name=self.name)
            read(self.api.get_operation(request, metadata=self.metadata))

    def list(self):
        parent = self.name.partition("/operations/")[0]
        count = 0
        # The client itself gets one page; the iterator is that of the client of operations within.
        operations = self.api.transport.operations_client
        for operation in operations.list_operations(parent, "", metadata=self.metadata):
            read(operation)
            count += 1
        return count

    def wait(self, model):
        parent, _, identifier = model.partition("/issueModels/")
        if identifier.startswith("train"):
            started = self.api.create_issue_model(
                parent=parent, issue_model=insights.IssueModel(display_name=model), metadata=self.metadata
            )
        else:
            started = self.api.deploy_issue_model(name=model, metadata=self.metadata)
        started.result(timeout=PATIENCE_SECONDS)
        self.say(ended=model)


def read(operation):
    """Decodes what the operation holds, into the client's own types."""
    metadata = from_any_pb(insights.CreateIssueModelMetadata, operation.metadata)
    model = from_any_pb(insights.IssueModel, operation.response)
    issues = len(model.training_stats.issue_stats)
    if not metadata.end_time or not issues or issues != model.issue_count:
        raise ValueError("not the finished operation")


def main():
    client = Client(*sys.argv[1:])
    # Not the iterator, which reads ahead.
    while line := sys.stdin.readline():
        try:
            client.obey(*line.split())
        except Exception as error:
            client.say(error=f"{type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
