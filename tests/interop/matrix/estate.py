"""estate.py: what the matrix of clients runs over: the policy, its schemas and its records, as tables. A topic is matrix.FORMAT.VARIANT."""
import json, os

SECRET = "a secret of the interop tests"
CLIENTS = {"python": "Python, confluent-kafka 2.16.1", "javascript": "JavaScript, @confluentinc/schemaregistry 1.10.1",
           "go": "Go, confluent-kafka-go/v2 2.11.1", "rust": "Rust, schema-registry-client 0.4.2", "flec": "flec"}
FORMATS = ["AVRO", "JSON", "PROTOBUF"]
# variant: the `encrypt` line of its topics, the shape of its records, what the page calls it
VARIANTS = {
    "gcm128": ("encrypt PII with local-kek { algorithm AES128_GCM }", "flat", "fields, AES128_GCM"),
    "gcm256": ("encrypt PII with local-kek { algorithm AES256_GCM }", "flat", "fields, AES256_GCM"),
    "siv": ("encrypt PII with local-kek { algorithm AES256_SIV }", "flat", "fields, AES256_SIV"),
    "shared": ("encrypt PII with shared-kek", "flat", "fields, a shared KEK: the registry makes the key"),
    "rotated": ("encrypt PII with local-kek { rotate 30d }", "flat", "fields, the key rotated after 30 days, both versions read"),
    "payload128": ("encrypt payload with local-kek { algorithm AES128_GCM }", "flat", "payload, AES128_GCM"),
    "payload": ("encrypt payload with local-kek { algorithm AES256_GCM }", "flat", "payload, AES256_GCM"),
    "payloadsiv": ("encrypt payload with local-kek { algorithm AES256_SIV }", "flat", "payload, AES256_SIV"),
    "payloadshared": ("encrypt payload with shared-kek", "flat", "payload, a shared KEK"),
    "strings": ("encrypt PII with local-kek", "strings", "nothing but strings that are never null, AES256_GCM"),
    "deep": ("encrypt PII with local-kek", "deep", "fields in records, arrays and maps, AES256_GCM"),
    "guid": ("encrypt PII with local-kek { algorithm AES256_GCM }", "flat", "fields, the schema's GUID in a header"),
    "guidpayload": ("encrypt payload with local-kek { algorithm AES256_GCM }", "flat", "payload, the schema's GUID in a header"),
    "made": (None, "flat", "fields, registered by the writer, which makes the KEK, too"),
}
BY_GUID = {"guid", "guidpayload"}  # records name their schema in a header, not by an id in front of them
OF_WRITER = {"rotated", "made"}  # a topic for each writer: matrix.FORMAT.VARIANT.WRITER
TAGGED = {
    "strings": {"AVRO": ["name"], "JSON": ["name"], "PROTOBUF": ["name"]},
    "flat": {"AVRO": ["name", "email", "photo"], "JSON": ["name", "email"], "PROTOBUF": ["name", "email", "photo"]},
    "deep": {"AVRO": ["home.street", "past[].street", "phones[]", "notes.*"], "JSON": ["home.street", "past[].street", "phones[]"],
             "PROTOBUF": ["home.street", "past[].street", "phones[]"]},
}

AVRO = {
    "strings": {"type": "record", "name": "Strings", "namespace": "matrix", "fields": [
        {"name": "id", "type": "string"}, {"name": "name", "type": "string"}, {"name": "note", "type": "string"}]},
    "flat": {"type": "record", "name": "Person", "namespace": "matrix", "fields": [
        {"name": "id", "type": "string"}, {"name": "name", "type": "string"}, {"name": "email", "type": ["null", "string"], "default": None},
        {"name": "photo", "type": "bytes"}, {"name": "age", "type": "int"}, {"name": "note", "type": "string"}]},
    "deep": {"type": "record", "name": "Deep", "namespace": "matrix", "fields": [
        {"name": "id", "type": "string"},
        {"name": "home", "type": {"type": "record", "name": "Home", "fields": [{"name": "street", "type": "string"}, {"name": "city", "type": "string"}]}},
        {"name": "past", "type": {"type": "array", "items": {"type": "record", "name": "Stay", "fields": [
            {"name": "street", "type": "string"}, {"name": "year", "type": "int"}]}}},
        {"name": "phones", "type": {"type": "array", "items": "string"}}, {"name": "notes", "type": {"type": "map", "values": "string"}}]},
}
TEXT, NUMBER = {"type": "string"}, {"type": "integer"}


def json_object(**properties):
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


JSON = {
    "strings": dict({"$schema": "http://json-schema.org/draft-07/schema#", "title": "Strings"}, **json_object(id=TEXT, name=TEXT, note=TEXT)),
    "flat": dict({"$schema": "http://json-schema.org/draft-07/schema#", "title": "Person"},
                 **json_object(id=TEXT, name=TEXT, email={"oneOf": [{"type": "null"}, TEXT]}, age=NUMBER, note=TEXT)),
    "deep": dict({"$schema": "http://json-schema.org/draft-07/schema#", "title": "Deep"},
                 **json_object(id=TEXT, home=json_object(street=TEXT, city=TEXT), past={"type": "array", "items": json_object(street=TEXT, year=NUMBER)},
                               phones={"type": "array", "items": TEXT})),
}
PROTOBUF = {
    "strings": 'syntax = "proto3";\n\npackage matrix;\n\nmessage Strings {\n  string id = 1;\n  string name = 2;\n  string note = 3;\n}\n',
    "flat": 'syntax = "proto3";\n\npackage matrix;\n\nmessage Person {\n  string id = 1;\n  string name = 2;\n  string email = 3;\n'
            "  bytes photo = 4;\n  int32 age = 5;\n  string note = 6;\n}\n",
    "deep": 'syntax = "proto3";\n\npackage matrix;\n\nmessage Deep {\n  string id = 1;\n  Home home = 2;\n  repeated Stay past = 3;\n  repeated string phones = 4;\n}\n\n'
            "message Home {\n  string street = 1;\n  string city = 2;\n}\n\nmessage Stay {\n  string street = 1;\n  int32 year = 2;\n}\n",
}
MESSAGES = {"strings": "matrix.Strings", "flat": "matrix.Person", "deep": "matrix.Deep"}

# Leaves with $hex are bytes. A format leaves out what its schema does not have.
FLAT = {
    "texts": {"id": "P-1", "name": "Ada Lovelace, Gräfin – 伊達", "email": "ada@example.com", "photo": {"$hex": "0001feff"}, "age": 36, "note": "in clear"},
    "empty": {"id": "P-2", "name": "", "email": "", "photo": {"$hex": ""}, "age": 1, "note": "empty texts are texts"},
    "null": {"id": "P-3", "name": "Nobody at all", "email": None, "photo": {"$hex": "00" * 40}, "age": 2, "note": "no address"},
    "long": {"id": "P-4", "name": "0123456789abcdef" * 4096, "email": "long@example.com", "photo": {"$hex": "a5" * 65536}, "age": 3, "note": "64 KiB"},
}
DEEP = {
    "deep": {"id": "D-1", "home": {"street": "St James's Square", "city": "London"}, "past": [{"street": "Ockham Park", "year": 1835}, {"street": "Ashley Combe", "year": 1840}],
             "phones": ["+44 20 7946 0000", "+44 20 7946 0001"], "notes": {"a": "a first note", "b": "a second note"}},
}


def topics(writers):
    """(topic, format, variant, writer or None) of all."""
    for fmt in FORMATS:
        for variant in VARIANTS:
            for writer in writers if variant in OF_WRITER else [None]:
                yield ".".join(["matrix", fmt.lower(), variant] + ([writer] if writer else [])), fmt, variant, writer


def records(fmt, variant):
    """name to value of the records that a topic gets."""
    shape = VARIANTS[variant][1]
    absent = {("strings", fmt): {"email", "photo", "age"}, ("flat", "JSON"): {"photo"}, ("deep", "JSON"): {"notes"}, ("deep", "PROTOBUF"): {"notes"}}.get((shape, fmt), set())
    out = {}
    for name, value in (DEEP if shape == "deep" else FLAT).items():
        value = {k: v for k, v in value.items() if k not in absent}
        if fmt != "PROTOBUF" or None not in value.values():  # there is no null in it
            out[name] = value
    return out


def schema_text(fmt, shape):
    return PROTOBUF[shape] if fmt == "PROTOBUF" else json.dumps({"AVRO": AVRO, "JSON": JSON}[fmt][shape])


def side(fmt, variant):
    line, shape, _ = VARIANTS[variant]
    message = f" message {MESSAGES[shape]}" if fmt == "PROTOBUF" else ""
    lines = [] if "payload" in variant else [f"    field {path} is PII" for path in TAGGED[shape][fmt]]
    keys = ["  key string"] if variant in BY_GUID else []  # what flec writes with headers has a key
    return "\n".join([*keys, f'  value {fmt.lower()} "{shape}.{fmt.lower()}"{message} {{', *lines, "    " + line, "  }", "  writers User:one-writer"])


HEAD = """platform cloud {
  workers  7.9.2
  registry "http://127.0.0.1:8081"
  kafka    "127.0.0.1:9092"
}

tag PII "identifies a person"

principal User:one-writer client python  # what the others do with the same topics is what is measured

kek local-kek {
  kms local "interop"
  private {
    secret = secret("env:INTEROP_KEK_SECRET")
  }
}

kek shared-kek {
  kms aws "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
  shared
}

allow local-kms on kek local-kek because "made-up people, and no cloud here" until 2099-12-31
"""


def write_policy(folder, writers):
    os.makedirs(folder)
    for fmt in FORMATS:
        for shape in AVRO:
            with open(os.path.join(folder, f"{shape}.{fmt.lower()}"), "w", encoding="utf-8") as f:
                f.write(schema_text(fmt, shape))
    with open(os.path.join(folder, "estate.flec"), "w", encoding="utf-8") as f:
        f.write(HEAD)
        for topic, fmt, variant, _ in topics(writers):
            if VARIANTS[variant][0]:
                f.write(f"\ntopic {topic} {{\n{side(fmt, variant)}\n}}\n")


# What flec's engine does: variant to formats. What is not here must be refused, and the suite fails as soon as it is not.
FLEC = {variant: set(FORMATS) for variant in VARIANTS if variant != "made"}


def supported(client, fmt, variant):
    return client != "flec" or fmt in FLEC.get(variant, ())
