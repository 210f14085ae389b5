"""The service of gRPC's interoperability cases on Google's implementation for Python, which has gzip.

Usage: server.py DESCRIPTORS. Prints two addresses, comma-separated: one whose connections last, and one whose
connections end after a moment. Stops when its standard input closes.
"""

import sys
import threading
from concurrent import futures

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

SERVICE = "grpc.testing.TestService"
INITIAL = "x-grpc-test-echo-initial"
TRAILING = "x-grpc-test-echo-trailing-bin"


def load(path):
    """The messages of the service, by name."""
    files = descriptor_pb2.FileDescriptorSet()
    with open(path, "rb") as file:
        files.ParseFromString(file.read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return lambda name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"grpc.testing.{name}"))


def echo(context):
    """Sends back the metadata that asks for it."""
    metadata = dict(context.invocation_metadata())
    if INITIAL in metadata:
        context.send_initial_metadata(((INITIAL, metadata[INITIAL]),))
    if TRAILING in metadata:
        context.set_trailing_metadata(((TRAILING, metadata[TRAILING]),))


def end_if_asked(request, context):
    if request.HasField("response_status"):
        code = {code.value[0]: code for code in grpc.StatusCode}[request.response_status.code]
        context.abort(code, request.response_status.message)


class Service:
    def __init__(self, message):
        self.message = message

    def empty(self, request, context):
        echo(context)
        return self.message("Empty")()

    def unary(self, request, context):
        if request.HasField("response_compressed") and request.response_compressed.value:
            context.set_compression(grpc.Compression.Gzip)
        echo(context)
        end_if_asked(request, context)
        return self.message("SimpleResponse")(payload={"body": bytes(request.response_size)})

    def replies(self, request, context):
        over = threading.Event()
        if not context.add_callback(over.set):
            return
        for wanted in request.response_parameters:
            if wanted.interval_us and over.wait(wanted.interval_us / 1e6):
                return
            if not wanted.compressed.value:
                context.disable_next_message_compression()
            yield self.message("StreamingOutputCallResponse")(payload={"body": bytes(wanted.size)})

    def output(self, request, context):
        if any(wanted.compressed.value for wanted in request.response_parameters):
            context.set_compression(grpc.Compression.Gzip)
        echo(context)
        yield from self.replies(request, context)

    def input(self, requests, context):
        size = sum(len(request.payload.body) for request in requests)
        return self.message("StreamingInputCallResponse")(aggregated_payload_size=size)

    def full_duplex(self, requests, context):
        echo(context)
        for request in requests:
            end_if_asked(request, context)
            yield from self.replies(request, context)

    def half_duplex(self, requests, context):
        for request in list(requests):
            yield from self.replies(request, context)

    def handler(self):
        def method(kind, behaviour, request, reply):
            return kind(
                behaviour,
                request_deserializer=self.message(request).FromString,
                response_serializer=self.message(reply).SerializeToString,
            )

        output, out = "StreamingOutputCallRequest", "StreamingOutputCallResponse"
        return grpc.method_handlers_generic_handler(
            SERVICE,
            {
                "EmptyCall": method(grpc.unary_unary_rpc_method_handler, self.empty, "Empty", "Empty"),
                "UnaryCall": method(grpc.unary_unary_rpc_method_handler, self.unary, "SimpleRequest", "SimpleResponse"),
                "StreamingOutputCall": method(grpc.unary_stream_rpc_method_handler, self.output, output, out),
                "StreamingInputCall": method(
                    grpc.stream_unary_rpc_method_handler,
                    self.input,
                    "StreamingInputCallRequest",
                    "StreamingInputCallResponse",
                ),
                "FullDuplexCall": method(grpc.stream_stream_rpc_method_handler, self.full_duplex, output, out),
                "HalfDuplexCall": method(grpc.stream_stream_rpc_method_handler, self.half_duplex, output, out),
            },
        )


def start(message, options=()):
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=128), options=options)
    server.add_generic_rpc_handlers((Service(message).handler(),))
    return server, server.add_insecure_port("127.0.0.1:0")


def main():
    message = load(sys.argv[1])
    ends = (("grpc.max_connection_age_ms", 300), ("grpc.max_connection_age_grace_ms", 2000))
    servers = [start(message), start(message, ends)]
    for server, _ in servers:
        server.start()
    print(",".join(f"127.0.0.1:{port}" for _, port in servers), flush=True)
    sys.stdin.read()
    for server, _ in servers:
        server.stop(grace=None)


if __name__ == "__main__":
    main()
