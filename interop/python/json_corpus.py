"""Inputs of every kind that JSON readers differ on, with protobuf's own verdict on each.

    json_corpus.py write FILE    writes the corpus that tests/json reads
    json_corpus.py check FILE    fails unless the installed protobuf still says the same

Left out is what docs of the crate's `json` module state to differ.
"""

import json
import random
import sys

from google.cloud import contact_center_insights_v1  # noqa: F401  (registers the API)
from google.longrunning import operations_pb2  # noqa: F401
from google.protobuf import descriptor_pool, duration_pb2, empty_pb2, field_mask_pb2  # noqa: F401
from google.protobuf import json_format, message, message_factory, struct_pb2, timestamp_pb2, wrappers_pb2  # noqa: F401
from google.rpc import error_details_pb2, status_pb2  # noqa: F401

INSIGHTS = "google.cloud.contactcenterinsights.v1"
OPERATION = "google.longrunning.Operation"
ANY = "google.protobuf.Any"


def fields_of(kind, fields):
    """A message of the API; `fields` is the text between the braces."""
    return f"{INSIGHTS}.{kind}", f"{{{fields}}}"


def own(kind, value):
    """A type with a form of its own, in an `Any`."""
    return ANY, f'{{"@type":"type.googleapis.com/google.protobuf.{kind}","value":{value}}}'


def alone(kind, value):
    """A type with a form of its own."""
    return f"google.protobuf.{kind}", value


def quoted(texts):
    return [json.dumps(text) for text in texts]


INTEGERS = [
    "0", "-0", "1", "-1", "2147483647", "2147483648", "-2147483648", "-2147483649", "4294967295", "4294967296",
    "9223372036854775807", "9223372036854775808", "-9223372036854775808", "-9223372036854775809",
    "18446744073709551615", "18446744073709551616", "123456789012345678901234567890", "1.0", "1.5", "1e3", "1E3", "1e-1",
    "-1.0", "1e400", "0.0", "-0.0", "1e18", "true", "false", "null", "[]", "{}", '""', "[1]", "9007199254740993.0",
    *quoted(["0", "-0", "5", "+5", "005", "1.0", "1e3", "1.5", "1e-1", " 5", "5 ", "\t5", "1_000", "1__0", "_1", "0x10",
             "five", "2147483648", "-1", "1e400", "inf", "NaN", "9223372036854775807", "18446744073709551615", "--5"]),
]

FLOATS = [
    "0", "-0", "0.0", "-0.0", "1", "1.5", "-1.5", "0.1", "0.11265680660813815", "1e-7", "1e21", "1e308", "1e309", "1e-400",
    "5e-324", "2.2250738585072014e-308", "1.7976931348623157e308", "3.4028234663852886e38", "-3.4028234663852886e38",
    "3.5e38", "1e39", "-1e39", "1.401298464324817e-45", "1e-46", "400000000000000000000000000000000000000", "true", "false",
    "null", "[]", "{}", '""', "NaN", "Infinity", "-Infinity", "16777217", "9007199254740993",
    *quoted(["1.5", "NaN", "Infinity", "-Infinity", "nan", "inf", "-inf", "INF", "infinity", "NAN", "+1", ".5", "5.", "1e3",
             "1e", "0x10", " 1.5 ", "1_0.5", "1_.5", "-0", "-0.0", "1e39", "3.4028235e38", "abc", "1e400"]),
]

TIMES = quoted([
    "1970-01-01T00:00:00Z", "2024-02-29T12:34:56.789Z", "2023-02-29T00:00:00Z", "0001-01-01T00:00:00Z",
    "0000-12-31T23:59:59Z", "9999-12-31T23:59:59.999999999Z", "10000-01-01T00:00:00Z", "2024-1-1T1:1:1Z",
    "2024-01- 1T00:00:00Z", "2024-01-01T00:00:00.1Z", "2024-01-01T00:00:00.12Z", "2024-01-01T00:00:00.123456Z",
    "2024-01-01T00:00:00.123456789Z", "2024-01-01T00:00:00.1234567891Z", "2024-01-01T00:00:00.Z",
    "2024-01-01T00:00:00.5e-1Z", "2024-01-01T00:00:60Z", "2024-01-01T00:00:61Z", "2024-01-01T00:60:00Z",
    "2024-01-01T24:00:00Z", "2024-01-01T00:00:00+01:00", "2024-01-01T00:00:00-01:30", "2024-01-01T00:00:00+0100",
    "2024-01-01T00:00:00+99:99", "2024-01-01T00:00:00+1:-1", "2024-01-01T00:00:00+01", "2024-01-01T00:00:00",
    "2024-01-01t00:00:00Z", "2024-01-01T00:00:00z", "2024-01-01 00:00:00Z", " 2024-01-01T00:00:00Z",
    "2024-01-01T00:00:00Z ", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "20240101", "yesterday", "",
    "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z", "2024-04-31T00:00:00Z", "1900-02-29T00:00:00Z",
    "2000-02-29T00:00:00Z", "1969-12-31T23:59:59.999Z", "2024-01-01T00:00:00.000000001Z", "Z", "2024-01-01T00:00Z",
    "2024-01-01T00:00:00.123 Z", "024-01-01T00:00:00Z",
]) + ["0", "1.5", "true", "{}", "[]", "null"]

DURATIONS = quoted([
    "0s", "1s", "-1s", "1.5s", "-0.5s", "0.000000001s", "1.1234567891s", "0.9999999999s", "1", "1.s", ".5s", "-.5s", " 1s",
    "1 s", "+1s", "1e3s", "1.5e1s", "315576000000s", "315576000001s", "315576000000.999999999s", "-315576000000.999999999s",
    "-315576000001s", "s", "-s", "", "1_0s", "-1.-5s", "1.5.5s", "--1s", "-0s", "10ms", "1S", "1.5", "1.nans", "1.12s",
    "1.123456s", "99999999999999999999s",
]) + ["0", "1.5", "{}", "null", "[]"]

MASKS = quoted([
    "", "a", "a,b", "aB.cD", "a_b", "A", "aBC", ",", "a,,b", " a", "a b", "a.b.c", "displayName", "éÀ", "*", "_a", "a,a_b",
]) + ["[]", "1", "null", '["a"]']

BYTES = quoted([
    "", "/wA=", "_wA", "/wA", "_wA=", "AAEC", "AAE", "AAE=", "AA", "AA==", "AA=", "A", "A===", "Zm 9v", "Zm9v!", "Zm9v!Zg",
    "Zg==Zg==", "====", "-_-_", "+/+/", "é", "AAECAw\n==",
]) + ["1", "null", "[]", "true"]

BOOLS = ["true", "false", "null", "0", "1", '"true"', '"false"', '"True"', "[]", "{}"]

STRINGS = [
    '"plain"', '""', '"é\\u00e9\\ud83d\\ude00"', '"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\\n\\t\\"\\\\\\/"', '"\x7f"',
    '"\u2028<&>"', "1", "true", "null", "[]", "{}", '"\\x"', '"a\nb"',
]

ENUMS = [
    '"DEPLOYED"', '"deployed"', '"GONE"', '""', '"4"', '"+4"', '" 4 "', '"1_0"', '"4.0"', '"99"', '"-1"', "0", "4", "4.7",
    "-4.7", "99", "-1", "2147483647", "2147483648", "-2147483649", "1e300", "true", "false", "null", "[]", "{}",
    '"STATE_UNSPECIFIED"',
]

VALUES = [
    "null", "true", "1", "1.5", "-0.0", '"x"', "[]", "{}", '{"a":1,"b":[null,true,{"c":"d"}]}', "[1,[2,[3]]]", "1e309",
    "0.1", "123456789012345678901234567890", '{"":""}', '{"z":1,"a":2}', "[" * 40 + "]" * 40, "[" * 48 + "]" * 48,
    "[" * 49 + "]" * 49, "[" * 50 + "]" * 50, '{"a":' * 46 + "1" + "}" * 46, '{"a":' * 60 + "1" + "}" * 60,
]

FIELDS = {
    "Conversation": [
        "", '"agentId":"a"', '"agent_id":"a"', '"agentId":"a","agent_id":"b"', '"agent_id":"b","agentId":"a"',
        '"agentId":"a","agent_id":null', '"agent_id":null,"agentId":"a"', '"agentId":"a","agentId":"b"', '"AgentId":"a"',
        '"agentid":"a"', '"labels":{}', '"labels":null', '"labels":[]', '"labels":{"a":"b"}', '"labels":{"b":"1","a":"2"}',
        '"labels":{"a":null}', '"labels":{"a":1}', '"labels":{"":""}', '"labels":{"a":"1","a":"2"}',
        '"labels":{"@type":"x","value":"y"}', '"ttl":"1s","expireTime":"2024-01-01T00:00:00Z"',
        '"ttl":null,"expireTime":"2024-01-01T00:00:00Z"', '"ttl":"1s","expireTime":null', '"ttl":"1s","ttl":"2s"',
        '"latestAnalysis":null', '"latestAnalysis":{}', '"latestAnalysis":[]', '"latestAnalysis":""', '"latestAnalysis":[1]',
        '"latestAnalysis":1', '"latestAnalysis":"x"', '"latestAnalysis":{"name":"a"},"latest_analysis":{}',
        '"latestAnalysis":{"name":"a"},"latest_analysis":{"createTime":"1970-01-01T00:00:01Z"}',
        '"latestAnalysis":{"name":"a"},"latest_analysis":{"name":"b"}', '"latestAnalysis":{"name":"a"},"latest_analysis":null',
        '"latestAnalysis":{"name":1},"latest_analysis":{"name":"b"}', '"runtimeAnnotations":[]', '"runtimeAnnotations":null',
        '"runtimeAnnotations":[null]', '"runtimeAnnotations":[{}]', '"runtimeAnnotations":{}', '"runtimeAnnotations":[1]',
        '"runtimeAnnotations":[{"annotationId":"1"}],"runtime_annotations":[{"annotationId":"2"}]', '"foo":1', '"foo":null',
        '"[a.b]":1', '"":1', '"transcript":{"transcriptSegments":[{"messageTime":"yesterday"}]}',
        '"transcript":{"transcriptSegments":[{"words":[{"confidence":0.1}],"channelTag":1}]}',
        '"dialogflowIntents":{"b":{"displayName":"x"},"a":{}}', '"dialogflowIntents":{"a":null}', '"name":"","turnCount":0',
        '"metadata":{"a":1}', '"@type":"x"',
    ],
    "QueryMetricsResponse": ['"macroAverageSlice":{}', '"macroAverageSlice":null', '"slices":[{"total":{}}]'],
    "QaAnswer.AnswerValue": [
        '"strValue":""', '"numValue":0', '"boolValue":false', '"score":0', '"score":0.0', '"score":-0.0', '"score":null',
        '"strValue":"a","numValue":1', '"strValue":"a","str_value":"b"', '"strValue":null,"numValue":1', '"naValue":true',
    ],
}

WHOLE = [
    "{}", "[]", "null", "1", '"x"', "", "{", "}", "{}{}", "[{}]", '{"name":}', '{"name":"a",}', "{'name':'a'}", '{name:"a"}',
    '{"done":true}', '{"done":false}', '{"error":{"code":5}}', '{"error":{},"response":{}}', '{"error":null,"response":{}}',
    '{"response":{}}', '{"response":null}', '{"response":[]}', '{"response":"x"}', '{"response":{"@type":5}}',
    '{"response":{"value":"AQ=="}}', '{"response":{"@type":""}}', '{"response":{"@type":"x/a.B","x":1}}',
    '{"response":{"@type":"type.googleapis.com/google.protobuf.Duration"}}',
    '{"response":{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1s","x":1}}',
    '{"response":{"value":"1s","@type":"google.protobuf.Duration"}}', '{"response":{"@type":"/google.rpc.Status","code":3}}',
    '{"response":{"code":3,"@type":"type.googleapis.com/google.rpc.Status"}}',
    '{"response":{"@type":"type.googleapis.com/google.protobuf.Empty"}}',
    '{"response":{"@type":"type.googleapis.com/google.protobuf.Any","value":{}}}',
    '{"response":{"@type":"type.googleapis.com/google.protobuf.Any","value":{"@type":"x/google.rpc.Status","code":1}}}',
    '{"error":{"code":1,"details":[{"@type":"x/google.rpc.RetryInfo","retryDelay":"1.5s"}]}}', '{"name":"a","name":"b"}',
    '{"name":"a","x":{"y":1,"y":2}}', '{"name":01}', '{"name":"a"} x', '\ufeff{}', '{"done":True}', '{"done":tru}',
]

def corpus():
    """Each input as its kind, and the type and the text."""
    rng = random.Random(12)
    doubles = [repr(rng.random()) for _ in range(40)] + [repr(rng.uniform(-1e300, 1e300)) for _ in range(20)]
    floats = [f"{rng.random():.9g}" for _ in range(20)]
    for value in INTEGERS:
        yield "int32", fields_of("Conversation", f'"turnCount":{value}')
        yield "int64", fields_of("IssueModel", f'"issueCount":{value}')
        yield "uint64", own("UInt64Value", value)
        yield "uint32", own("UInt32Value", value)
        yield "int64 wrapper", own("Int64Value", value)
    for value in FLOATS + floats:
        yield "float", fields_of("SentimentData", f'"score":{value}')
        yield "float wrapper", own("FloatValue", value)
    for value in FLOATS + doubles:
        yield "double", fields_of("QaAnswer.AnswerValue", f'"numValue":{value}')
        yield "double wrapper", own("DoubleValue", value)
    for value in TIMES:
        yield "timestamp", fields_of("Conversation", f'"createTime":{value}')
        yield "timestamp in any", own("Timestamp", value)
        yield "timestamp alone", alone("Timestamp", value)
    for value in DURATIONS:
        yield "duration", fields_of("Conversation", f'"duration":{value}')
        yield "duration in any", own("Duration", value)
        yield "duration alone", alone("Duration", value)
    for value in MASKS:
        yield "field mask", fields_of("UpdateConversationRequest", f'"updateMask":{value}')
        yield "field mask in any", own("FieldMask", value)
    for value in BYTES:
        yield "bytes", own("BytesValue", value)
    for value in BOOLS:
        yield "bool", (OPERATION, f'{{"done":{value}}}')
        yield "bool wrapper", own("BoolValue", value)
    for value in STRINGS:
        yield "string", (OPERATION, f'{{"name":{value}}}')
        yield "string wrapper", own("StringValue", value)
    for value in ENUMS:
        yield "enum", fields_of("IssueModel", f'"state":{value}')
        yield "enum in a list", fields_of("AnnotatorSelector.QaConfig.ScorecardList", f'"qaScorecardRevisions":{value}')
    for value in VALUES:
        yield "value", own("Value", value)
        yield "value alone", alone("Value", value)
        yield "struct", own("Struct", value)
        yield "list value", own("ListValue", value)
    for kind, several in FIELDS.items():
        for fields in several:
            yield "fields", fields_of(kind, fields)
    for text in WHOLE:
        yield "whole", (OPERATION, text)


def verdict(name, text):
    """`refused`, `unprintable`, or what protobuf prints."""
    kind = message_factory.GetMessageClass(descriptor_pool.Default().FindMessageTypeByName(name))
    try:
        parsed = json_format.Parse(text, kind())
    except (json_format.ParseError, RecursionError):
        return "refused", None
    try:
        return "printed", json.loads(json_format.MessageToJson(parsed))
    except (json_format.SerializeToJsonError, message.DecodeError, ValueError):
        return "unprintable", None


def fixture():
    lines = []
    for kind, (name, text) in corpus():
        what, printed = verdict(name, text)
        case = {"kind": kind, "type": name, "text": text, "verdict": what}
        if what == "printed":
            case["printed"] = printed
        lines.append(json.dumps(case, allow_nan=False, sort_keys=True))
    return "\n".join(lines) + "\n"


def main():
    mode, path = sys.argv[1:]
    if mode == "write":
        with open(path, "w", encoding="utf-8") as file:
            file.write(fixture())
    elif mode == "check":
        with open(path, encoding="utf-8") as file:
            if file.read() != fixture():
                sys.exit(f"{path} is not what this protobuf says; run `json_corpus.py write {path}` and look")
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
