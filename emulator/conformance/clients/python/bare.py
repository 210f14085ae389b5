"""Speaks the wire itself, with nothing but descriptors: bare.py ADDRESS grpc|rest.

What an official client refuses to send, this sends; and its answers are what those of the clients are held against.
"""

import json
import pathlib
import re
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

import grpc
from google.protobuf import json_format
from google.rpc import status_pb2
from lines import answer, refused, serve

sys.path.insert(0, str(pathlib.Path(__file__).parents[2]))
from runner import contract, expect  # noqa: E402  (the runner's own reading of the descriptors)

# A poll is due at once, then ever later; every operation of the corpus has ended long before the last.
WAITS = [0, 0.05, 0.2, 0.5, 1, 2, 5]


class Failed(Exception):
    """A call that was answered with a status."""

    def __init__(self, code, message, details):
        super().__init__(message)
        self.status = (code, message, details)


class Grpc:
    def __init__(self, address):
        self.channel = grpc.insecure_channel(address)

    def call(self, method, document):
        api = contract.load()
        request = api.parse(method.request, document).SerializeToString()
        stub = self.channel.unary_unary(method.path)
        try:
            reply = api.message(method.response)
            reply.ParseFromString(stub(request, timeout=30))
            return api.show(reply)
        except grpc.RpcError as error:
            raise Failed(error.code().name, error.details(), self.details(error)) from None

    def details(self, error):
        trailers = dict(error.trailing_metadata() or ())
        status = status_pb2.Status.FromString(trailers.get("grpc-status-details-bin", b""))
        api = contract.load()
        return api.canonical("google.rpc.Status", json_format.MessageToDict(status)).get("details", [])


class Rest:
    """As curl would: names of enums in and out, lowerCamelCase, the first binding."""

    def __init__(self, address):
        self.base = f"http://{address}"

    def call(self, method, document):
        rest = json.loads(json.dumps(document))
        path = re.sub(r"\{([\w.]+)=[^}]*\}", lambda found: take(rest, found[1]), method.template)
        body = None
        if method.body == "*":
            body, rest = rest, {}
        elif method.body:
            body = rest.pop(camel(method.body), {})
        query = urllib.parse.urlencode(list(flat(rest)))
        url = self.base + urllib.parse.quote(path, safe="/:") + (f"?{query}" if query else "")
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"content-type": "application/json"}, method=method.verb.upper())
        try:
            with urllib.request.urlopen(request, timeout=30) as reply:
                return contract.load().canonical(method.response, json.load(reply))
        except urllib.error.HTTPError as error:
            found = json.load(error)["error"]
            if not found["code"] == error.code == expect.HTTP[found["status"]]:
                raise ValueError(f"HTTP {error.code} with {found['code']} {found['status']} in its body") from None
            raise Failed(found["status"], found["message"], found.get("details", [])) from None


def camel(name):
    return re.sub(r"_(.)", lambda found: found[1].upper(), name)


def take(document, path):
    """A field that the path binds: out of the document, or left in a resource, where it may stay."""
    first, _, rest = path.partition(".")
    if rest:
        return str(document.get(camel(first), {}).get(camel(rest), ""))
    return str(document.pop(camel(first), ""))


def flat(value, path=""):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flat(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for inner in value:
            yield from flat(inner, path)
    else:
        yield path, str(value).lower() if isinstance(value, bool) else value


class Driver:
    def __init__(self, address, transport):
        self.transport = Grpc(address) if transport == "grpc" else Rest(address)

    def handle(self, name, document, mode):
        method = contract.load().methods[name]
        try:
            if mode == "walk":
                return answer(self.walk(method, document))
            reply = self.transport.call(method, document)
            if mode == "follow":
                return self.follow(method, reply)
            return answer(reply)
        except Failed as failed:
            return refused(*failed.status)

    def walk(self, method, document):
        items, token = [], ""
        while True:
            page = self.transport.call(method, document | ({"pageToken": token} if token else {}))
            items += page.get(contract.load().items(method), [])
            token = page.get("nextPageToken", "")
            if not token:
                return items

    def follow(self, method, operation):
        get = contract.load().methods["GetOperation"]
        for wait in WAITS:
            if operation.get("done"):
                break
            time.sleep(wait)
            operation = self.transport.call(get, {"name": operation["name"]})
        metadata = self.opened(operation["metadata"], method.metadata)
        if "error" in operation:
            error = operation["error"]
            code = contract.code_name(error["code"])
            return refused(code, error.get("message", ""), error.get("details", []), "operation", metadata=metadata)
        return answer(self.opened(operation["response"], method.result), metadata=metadata)

    def opened(self, wrapped, expected):
        """What an Any holds, if it holds what operation_info promises."""
        inner = dict(wrapped)
        kind = inner.pop("@type").rpartition("/")[2]
        if kind != expected:
            raise ValueError(f"{kind} where {expected} was promised")
        return inner


if __name__ == "__main__":
    serve(Driver(*sys.argv[1:]).handle)
