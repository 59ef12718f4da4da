#!/usr/bin/env python3
"""served.py: the vendor's Python client, as it is, against `flec serve`: the registry holds the policy's build, the client registers, looks up, makes data keys,
encrypts, decrypts and rotates over HTTP; then a second client reads, also after the server was killed and started again. usage: served.py FLEC REPORT.xml
"""
import copy, http.client, json, os, random, shutil, signal, subprocess, sys, tempfile, threading, time, urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
from junit import Report

from confluent_kafka.schema_registry import Metadata, Rule, RuleKind, RuleMode, RuleParams, RuleSet, Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.error import SchemaRegistryError
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import Clock, FieldEncryptionExecutor
from confluent_kafka.schema_registry.rules.encryption.localkms.local_driver import LocalKmsDriver
from confluent_kafka.serialization import MessageField, SerializationContext

SECRET = "a secret of the interop tests"
PERSON = {
    "id": "P-1", "name": "Ada Lovelace in full", "email": "ada@example.com", "home": {"street": "St James's", "city": "London"},
    "past": [{"street": "Ockham", "year": 1835}], "phones": ["+44 20 7946 0000"], "notes": {"n": "a note"}, "photo": b"\x00\x01", "age": 36,
}
RECORD = '{"type":"record","name":"R","namespace":"acme","fields":[{"name":"ssn","type":"string"},{"name":"n","type":"int"}]}'
EVOLVED = '{"type":"record","name":"R","namespace":"acme","fields":[{"name":"ssn","type":"string"},{"name":"n","type":"int"},{"name":"more","type":"string"}]}'


class Server:
    def __init__(self, flec, store, build):
        self.command = [flec, "serve", "--listen", "127.0.0.1:0", "--store", store, "--build", build]
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        if not self.url.startswith("http://"):
            raise RuntimeError("flec serve does not start")

    def end(self, how):
        self.process.send_signal(how)
        self.process.wait(timeout=20)
        self.process.stdout.close()

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return json.load(answer)


class AgedClock(Clock):
    days = 0

    def now(self):
        return int(round(time.time() * 1000)) + self.days * 86400 * 1000


class Client:
    """One process's worth of the vendor's client: its caches are its own."""

    def __init__(self, url, days=0):
        clock = AgedClock()
        clock.days = days
        FieldEncryptionExecutor.register_with_clock(clock)
        LocalKmsDriver.register()
        self.registry = SchemaRegistryClient({"url": url})
        rules = {"secret": SECRET}
        conf = {"auto.register.schemas": False, "use.latest.version": True}
        self.serializer = AvroSerializer(self.registry, None, conf=conf, rule_conf=rules)
        self.deserializer = AvroDeserializer(self.registry, None, conf={"use.latest.version": True}, rule_conf=rules)

    def write(self, topic, value):
        return self.serializer(copy.deepcopy(value), SerializationContext(topic, MessageField.VALUE))

    def read(self, topic, wire):
        return self.deserializer(wire, SerializationContext(topic, MessageField.VALUE))


def must(condition, what):
    if not condition:
        raise AssertionError(what)


def refused(status, code, call):
    try:
        call()
    except SchemaRegistryError as e:
        must((e.http_status_code, e.error_code) == (status, code), f"{e.http_status_code} {e.error_code}, expected {status} {code}")
        return
    raise AssertionError(f"it is taken, expected {status} {code}")


def crossing(server, topic):
    wire = Client(server.url).write(topic, PERSON)
    must(PERSON["name"].encode() not in wire, "a name is on the wire in clear")
    must(Client(server.url).read(topic, wire) == PERSON, "it reads something else than was written")
    return wire


def registering(server):
    registry = SchemaRegistryClient({"url": server.url})
    rules = RuleSet(None, [Rule("enc", None, RuleKind.TRANSFORM, RuleMode.WRITEREAD, "ENCRYPT", ["PII"], RuleParams({"encrypt.kek.name": "local-kek"}), None, None, "ERROR", False)])
    schema = Schema(RECORD, "AVRO", [], Metadata.from_dict({"tags": {"acme.R.ssn": ["PII"]}}), rules)
    first = registry.register_schema("made-value", schema)
    must(registry.register_schema("made-value", schema) == first, "an equal schema gets another id")
    must(registry.lookup_schema("made-value", schema).version == 1, "lookup does not find version 1")
    got = registry.get_latest_version("made-value")
    kept = server.get("/subjects/made-value/versions/latest")
    must(kept["ruleSet"]["domainRules"][0]["tags"] == ["PII"] and kept["metadata"] == {"tags": {"acme.R.ssn": ["PII"]}}, "rules or metadata are lost")
    must(got.schema.rule_set.domain_rules[0].name == "enc", "the rule as the client reads it")
    must(got.guid and registry.get_schema_by_guid(got.guid).schema_str == got.schema.schema_str, "no schema by its GUID")
    refused(409, 40901, lambda: registry.register_schema("made-value", Schema(EVOLVED, "AVRO")))
    must(not registry.test_compatibility("made-value", Schema(EVOLVED, "AVRO")), "incompatible schemas pass for compatible ones")
    registry.set_compatibility("made-value", "NONE")
    must(registry.get_compatibility("made-value") == "NONE", "the compatibility that was set")
    must(registry.register_schema("made-value", Schema(EVOLVED, "AVRO")) != first, "another schema gets the same id")
    must(registry.get_versions("made-value") == [1, 2], "the versions")
    must("made-value" in registry.get_subjects(), "the subject")
    topic, value = "made", {"ssn": "123-45-6789", "n": 1, "more": "x"}
    wire = Client(server.url).write(topic, value)
    must(b"123-45-6789" not in wire, "the rules that were inherited do not encrypt")
    must(Client(server.url).read(topic, wire) == value, "it reads something else than was written")
    must(registry.delete_version("made-value", 1) == 1, "the version that was deleted")
    must(registry.delete_subject("made-value") == [2], "the versions that were deleted")
    must(registry.delete_subject("made-value", permanent=True) == [1, 2], "the versions that are gone")
    refused(404, 40401, lambda: SchemaRegistryClient({"url": server.url}).get_latest_version("made-value"))


def references(server):
    registry = SchemaRegistryClient({"url": server.url})
    registry.register_schema("base", Schema(RECORD, "AVRO"))
    schema = Schema('{"type":"record","name":"U","fields":[{"name":"r","type":"acme.R"}]}', "AVRO", [SchemaReference("acme.R", "base", 1)])
    registry.register_schema("user-value", schema)
    value = {"r": {"ssn": "s", "n": 2}}
    must(Client(server.url).read("user", Client(server.url).write("user", value)) == value, "it reads something else than was written")


def json_schema(server):
    registry = SchemaRegistryClient({"url": server.url})
    text = '{"type":"object","title":"J","properties":{"ssn":{"type":"string","confluent:tags":["PII"]}}}'
    rules = RuleSet(None, [Rule("enc", None, RuleKind.TRANSFORM, RuleMode.WRITEREAD, "ENCRYPT", ["PII"], RuleParams({"encrypt.kek.name": "local-kek"}), None, None, "ERROR", False)])
    registry.register_schema("json-value", Schema(text, "JSON", [], None, rules))
    Client(server.url)
    context = SerializationContext("json", MessageField.VALUE)
    conf = {"auto.register.schemas": False, "use.latest.version": True}
    wire = JSONSerializer(text, registry, conf=conf, rule_conf={"secret": SECRET})({"ssn": "123-45-6789"}, context)
    must(b"123-45-6789" not in wire, "an SSN is on the wire in clear")
    read = JSONDeserializer(text, schema_registry_client=SchemaRegistryClient({"url": server.url}), conf={"use.latest.version": True}, rule_conf={"secret": SECRET})
    must(read(wire, context) == {"ssn": "123-45-6789"}, "it reads something else than was written")


def rotation(server):
    topic, path = "interop.rotated", "/dek-registry/v1/keks/local-kek/deks/interop.rotated-value/versions?algorithm=AES256_GCM"
    old = Client(server.url).write(topic, PERSON)
    must(server.get(path) == [1], "the first version")
    new = Client(server.url, days=32).write(topic, PERSON)
    versions = server.get(path)  # the client's clock alone is ahead, so a new key is too old for its next field, too
    must(len(versions) > 1 and versions == list(range(1, len(versions) + 1)), f"versions {versions} after 32 days")
    reader = Client(server.url)
    must(reader.read(topic, old) == PERSON and reader.read(topic, new) == PERSON, "one of the two is not read")


def shared(server):
    topic = "interop.shared"
    crossing(server, topic)
    dek = server.get("/dek-registry/v1/keks/shared-kek/deks/interop.shared-value?algorithm=AES256_GCM")
    must(dek.get("keyMaterial") and dek.get("encryptedKeyMaterial"), "the registry gives no key")


def restarted(server, wires):
    server.end(signal.SIGKILL)
    server.start()
    for topic, wire in wires.items():
        must(Client(server.url).read(topic, wire) == PERSON, f"{topic}: what was written before the kill is not read")


def register(url, subject):
    body = json.dumps({"schema": json.dumps({"type": "record", "name": subject, "fields": []})}).encode()
    call = urllib.request.Request(f"{url}/subjects/{subject}/versions", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(call, timeout=10) as answer:
        return json.load(answer)["id"]


def killed(server, times=12):
    """Killed while eight threads register: what was acknowledged is there again, under the same id, and nothing stands half."""
    acknowledged, lock, r = {}, threading.Lock(), random.Random("kills")

    def work(url, first):
        for i in range(1000):
            try:
                number = register(url, f"k{first}x{i}")
            except (OSError, http.client.HTTPException):  # the server is gone
                return
            with lock:
                acknowledged[f"k{first}x{i}"] = number

    for turn in range(times):
        threads = [threading.Thread(target=work, args=(server.url, turn * 8 + t)) for t in range(8)]
        for t in threads:
            t.start()
        time.sleep(r.uniform(0.02, 0.3))
        server.end(signal.SIGKILL)
        for t in threads:
            t.join()
        server.start()
        there = {s["subject"]: s["id"] for s in server.get("/schemas?subjectPrefix=k")}
        lost = [s for s, number in acknowledged.items() if there.get(s) != number]
        must(not lost, f"kill {turn + 1}: {len(lost)} of {len(acknowledged)} acknowledged subjects are lost")
        must(len(set(there.values())) == len(there), f"kill {turn + 1}: one id for two schemas")
    must(len(acknowledged) > times, "hardly anything was registered")


def main():
    flec, out = sys.argv[1:]
    work = tempfile.mkdtemp(prefix="flec-served-")
    report, server, wires = Report("interop-served"), None, {}
    os.environ["INTEROP_KEK_SECRET"] = SECRET
    try:
        subprocess.run([flec, "build", HERE + "/policy", "-o", work + "/build"], check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=60)
        server = Server(flec, "file://" + work + "/registry", work + "/build")

        def cross(topic):
            wires[topic] = crossing(server, topic)

        for topic in ["interop.gcm256", "interop.gcm128", "interop.siv", "interop.two"]:
            report.run(f"{topic}: one client encrypts, another decrypts, over flec serve with the policy's build", lambda: cross(topic))
        report.run("interop.shared: data keys that the registry makes", lambda: shared(server))
        report.run("interop.rotated: a second version after 32 days, both are read", lambda: rotation(server))
        report.run("registering, lookup, GUID, compatibility, inherited rules, deletion", lambda: registering(server))
        report.run("references", lambda: references(server))
        report.run("JSON Schema: encrypted and decrypted", lambda: json_schema(server))
        report.run("12 kills while eight threads register: nothing acknowledged is lost", lambda: killed(server))
        report.run("after kill -9 and a new start all of it is read", lambda: restarted(server, wires))
    finally:
        if server and server.process.poll() is None:
            server.end(signal.SIGTERM)
        shutil.rmtree(work, ignore_errors=True)
    report.write(out)


main()
