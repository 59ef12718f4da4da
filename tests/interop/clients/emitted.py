#!/usr/bin/env python3
"""emitted.py: what flec emits, in the hands of the vendor's Python client: each subject of a build of policies/ is registered as its file says (metadata, tags,
rules, references), the client writes records with it, and exactly the leaves that plan.json calls encrypted are ciphertext. usage: emitted.py FLEC REPORT.xml

Only the KMS is another: every KEK is a local key here. Rules that are passed through (CEL) are left out, as the client has no executor for them installed."""
import base64, copy, json, os, re, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "lib")]
import measure
from junit import Report

from confluent_kafka.schema_registry import Metadata, MetadataProperties, MetadataTags, Rule, RuleKind, RuleMode, RuleParams, RuleSet, Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import Clock, EncryptionExecutor, FieldEncryptionExecutor
from confluent_kafka.schema_registry.rules.encryption.localkms.local_driver import LocalKmsDriver
from confluent_kafka.serialization import MessageField, SerializationContext

SECRETS = {"secret": "a secret of the interop tests"}


class Build:
    def __init__(self, folder):
        self.folder = folder
        self.plan, self.manifest, tests = (json.load(open(os.path.join(folder, n), encoding="utf-8")) for n in ("plan.json", "MANIFEST", "tests.json"))
        self.values = {}  # topic and side to the records that the policy's own tests produce
        for test in tests["tests"]:
            for step in test["steps"] if not any(s.get("expect") == "refused" for s in test["steps"]) else []:
                for side in ("key", "value"):
                    if step.get("do") in ("produce", "connector") and isinstance(step.get(side), dict):
                        self.values.setdefault((step["topic"], side), []).append(step[side])
        self.bodies = {}
        for file in os.listdir(os.path.join(folder, "registry", "subjects")):
            body = json.load(open(os.path.join(folder, "registry", "subjects", file), encoding="utf-8"))
            self.bodies[self.subject_of(file)] = body

    def subject_of(self, file):
        return re.sub(r"%([0-9A-Fa-f]{2})", lambda m: chr(int(m.group(1), 16)), file[:-len(".json")])

    def order(self):
        return [name[len("subjects/"):] for name in self.manifest["order"] if name.startswith("subjects/")]


def rule(r):
    """A rule as it stands in the file, its KEK a local one. None for what the client cannot run here."""
    if not r["type"].startswith("ENCRYPT"):
        return None
    params = dict(r["params"], **{"encrypt.kms.type": "local-kms", "encrypt.kms.key.id": "local"})
    return Rule(r["name"], r.get("doc"), RuleKind(r["kind"]), RuleMode(r["mode"]), r["type"], r.get("tags") or None, RuleParams(params), r.get("expr"), r.get("onSuccess"), r["onFailure"],
                r.get("disabled", False))


def rules(body):
    sets = body.get("ruleSet") or {}
    domain, encoding = ([x for x in map(rule, sets.get(phase, [])) if x] for phase in ("domainRules", "encodingRules"))
    return RuleSet(None, domain or None, encoding or None) if domain or encoding else None


def metadata(body):
    m = body.get("metadata")
    return Metadata(MetadataTags(m.get("tags") or {}), MetadataProperties(m.get("properties") or {}), None) if m else None


def proto_files(build, subject, name="main.proto"):
    """The texts of a Protobuf subject and all it imports, by import name."""
    body = build.bodies[subject]
    files = {name: body["schema"]}
    for r in body.get("references", []):
        files.update(proto_files(build, r["subject"], r["name"]))
    return files


def described(build, subject):
    with tempfile.TemporaryDirectory(prefix="flec-proto-") as folder:
        for name, text in proto_files(build, subject).items():
            os.makedirs(os.path.join(folder, os.path.dirname(name)), exist_ok=True)
            with open(os.path.join(folder, name), "w", encoding="utf-8") as f:
                f.write(text)
        out = os.path.join(folder, "set")
        subprocess.run(["protoc", "-I", folder, "-I", os.path.join(HERE, "proto"), "--include_imports", "-o", out, "main.proto"], check=True, timeout=60)
        with open(out, "rb") as f:
            return {d.name: d for d in measure.descriptor_pb2.FileDescriptorSet.FromString(f.read()).file}


def text_of(build, subject):
    body = build.bodies[subject]
    if body["schemaType"] != "PROTOBUF":
        return body["schema"]
    return base64.b64encode(described(build, subject)["main.proto"].SerializeToString()).decode()


def register(build, client):
    for subject in build.order():
        body = build.bodies[subject]
        refs = [SchemaReference(r["name"], r["subject"], 1) for r in body.get("references", [])]
        client.register_schema(subject, Schema(text_of(build, subject), body["schemaType"], refs, metadata(body), rules(body)))


def of_class(build, side):
    pool = measure.descriptor_pool.DescriptorPool()
    for d in described(build, side["subject"]).values():
        pool.Add(d)
    return measure.message_factory.GetMessageClass(pool.FindMessageTypeByName(side["message"]))


def serializer(build, client, side, cls):
    conf = {"auto.register.schemas": False, "use.latest.version": True, "subject.name.strategy": lambda ctx, record: side["subject"]}
    if side["schemaType"] == "AVRO":
        return AvroSerializer(client, None, conf=conf, rule_conf=SECRETS)
    if side["schemaType"] == "JSON":
        return JSONSerializer(text_of(build, side["subject"]), client, conf=conf, rule_conf=SECRETS)
    conf["reference.subject.name.strategy"] = lambda ctx, ref: ref.name
    return ProtobufSerializer(cls, client, conf=conf, rule_conf=SECRETS)


def case_of(build, side, value):
    """The side as a case of measure.py: how its bytes are decoded."""
    refs = [{"schema": json.loads(build.bodies[r["subject"]]["schema"])} for r in side["references"]] if side["schemaType"] == "AVRO" else []
    schema = json.loads(side["schema"]) if side["schemaType"] != "PROTOBUF" else None
    return {"format": side["schemaType"], "schema": schema, "refs": refs, "value": value, "message": side.get("message")}


def fits(path, leaf):
    """notes.*, addresses[].street against addresses[0].street"""
    pattern = re.escape(path).replace(r"\[\]", r"\[\d+\]").replace(r"\*", r"[^.\[]+")
    return re.fullmatch(pattern, leaf) is not None


def with_bytes(schema, value, named):
    """A policy writes bytes as Avro's JSON does, one character of ISO-8859-1 a byte."""
    if isinstance(schema, list):
        kinds = [b for b in schema if b != "null"]
        return value if value is None or len(kinds) != 1 else with_bytes(kinds[0], value, named)
    if isinstance(schema, str):
        return value.encode("iso-8859-1") if schema == "bytes" and isinstance(value, str) else with_bytes(named[schema], value, named) if schema in named else value
    if schema["type"] == "record":
        named.update({schema["name"]: schema, f"{schema.get('namespace', '')}.{schema['name']}": schema})
        return {f["name"]: with_bytes(f["type"], value[f["name"]], named) for f in schema["fields"] if f["name"] in value}
    if schema["type"] == "array":
        return [with_bytes(schema["items"], v, named) for v in value]
    if schema["type"] == "map":
        return {k: with_bytes(schema["values"], v, named) for k, v in value.items()}
    return with_bytes(schema["type"], value, named) if isinstance(schema["type"], (dict, str)) and schema["type"] not in ("enum", "fixed") else value


def is_ciphertext(value):
    """AES-GCM with nonce and tag, or AES-SIV, which has a tag alone."""
    if isinstance(value, str):
        value = base64.b64decode(value, validate=True)
    return isinstance(value, bytes) and len(value) >= 16


def look(build, client, topic, side, value):
    cls = of_class(build, side) if side["schemaType"] == "PROTOBUF" else None
    case = case_of(build, side, value)
    if side["schemaType"] == "AVRO":
        value = with_bytes(case["schema"], value, {})
    given = measure.proto_message(case, cls) if cls else copy.deepcopy(value)
    before = measure.flat(measure.proto_value(given) if cls else value)  # the client changes the message it is given
    wire = serializer(build, client, side, cls)(given, SerializationContext(topic, MessageField.VALUE))
    body = wire[5:]
    if side.get("payload"):
        for leaf in measure.flat(value).values():
            if isinstance(leaf, str) and len(leaf) > 3 and leaf.encode() in body:
                raise AssertionError(f"the body holds {len(leaf)} bytes of plaintext")
        return 1
    decoded = measure.proto_value(cls.FromString(measure.skip_indexes(body))) if cls else measure.decode(case, wire)
    seen, after = 0, measure.flat(decoded)
    for leaf, was in before.items():
        now, sealed = after.get(leaf), any(fits(e["path"], leaf) for e in side["encrypted"])
        if was is None:
            continue
        if sealed and (now == was or not is_ciphertext(now)):
            raise AssertionError(f"{leaf} is encrypted by the plan, and the client left it in clear")
        if not sealed and isinstance(now, (str, bytes)) and now != was:
            raise AssertionError(f"{leaf} is clear by the plan, and the client changed it")
        seen += sealed
    if not seen:
        raise AssertionError("the record shows nothing")
    return seen


def main():
    flec, out = sys.argv[1:]
    LocalKmsDriver.register()
    FieldEncryptionExecutor.register_with_clock(Clock())
    EncryptionExecutor.register_with_clock(Clock())
    report = Report("interop-emitted")
    with tempfile.TemporaryDirectory(prefix="flec-emitted-") as work:
        subprocess.run([flec, "build", os.path.join(measure.ROOT, "policies"), "--env", "prod", "-o", work + "/build", "--today", "2026-11-24"], check=True, stdout=subprocess.DEVNULL)
        build = Build(work + "/build")
        client = SchemaRegistryClient.new_client({"url": "mock://emitted"})
        register(build, client)
        for topic in build.plan["topics"]:
            side = topic["value"]
            values = build.values.get((topic["name"], "value"), [])
            if not (side.get("encrypted") or side.get("payload")) or not values:
                continue
            for i, value in enumerate(values):
                report.run(f"{topic['name']}, record {i + 1}: what the plan says is what Python writes", lambda: look(build, client, topic["name"], side, value))
    report.write(out)


main()
