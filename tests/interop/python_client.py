#!/usr/bin/env python3
"""python_client.py: what flec encrypts the vendor's Python client decrypts, and the reverse; equal bytes where the algorithm is deterministic; the bodies that
`flec build` writes, through the client's own classes.

The client's mock registry is filled from the build and from flec's embedded registry (registry_tool export), so ids and data keys agree; what the client made
comes back by registry_tool import. usage: python_client.py FLEC REGISTRY_TOOL REPORT.xml
"""
import copy, json, os, random, shutil, subprocess, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))
from junit import Report

from confluent_kafka.schema_registry import Metadata, RuleSet, Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.rules.encryption.dek_registry.dek_registry_client import Dek, DekAlgorithm, DekId, Kek
from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import Clock, FieldEncryptionExecutor
from confluent_kafka.schema_registry.rules.encryption.localkms.local_driver import LocalKmsDriver
from confluent_kafka.serialization import MessageField, SerializationContext

SECRET = "a secret of the interop tests"
RECORDS = 100
TOPICS = ["interop.gcm256", "interop.gcm128", "interop.siv", "interop.rotated", "interop.two", "interop.shared"]
WORDS = ["Ada", "Łukasz", "李明", "عمر", "Zoë", "", "a" * 400, "O'Neil", "\u0000nul", "🙂 smile"]


def person(r, i):
    word = lambda: r.choice(WORDS)
    return {
        "id": f"P-{i}", "name": f"{word()} nr {i} in full", "email": r.choice([None, f"{i}@example.com", ""]),
        "home": {"street": word(), "city": "London"},
        "past": [{"street": r.choice([None, word()]), "year": 1990 + k} for k in range(r.randrange(3))],
        "phones": [f"+44 20 7946 {r.randrange(10000):04}" for _ in range(r.randrange(3))],
        "notes": {f"n{k}": word() for k in range(r.randrange(3))},
        "photo": r.randbytes(r.choice([0, 1, 15, 16, 17, 300])), "age": r.choice([None, 7, -1]),
    }


def key(r, i):
    return {"email": f"{i}@example.com", "seq": i}


def plain(value):
    """A value as flec reads and writes it: bytes as the text of their code points."""
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return [plain(v) for v in value] if isinstance(value, list) else value


class Flec:
    def __init__(self, flec, tool, build):
        self.flec, self.tool, self.build = flec, tool, build
        self.env = dict(os.environ, INTEROP_KEK_SECRET=SECRET)

    def run(self, *command, stdin=""):
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, env=self.env, timeout=120)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command[:2])} exits with {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def crypt(self, verb, topic, registry, stdin, on_key):
        return self.run(self.flec, verb, "--plan", self.build + "/plan.json", "--topic", topic, "--registry", "file://" + registry,
                        *(["--key"] if on_key else []), stdin=stdin).split("\n")[:-1]

    def encrypt(self, topic, registry, values, on_key):
        return [bytes.fromhex(h) for h in self.crypt("encrypt", topic, registry, "".join(json.dumps(plain(v)) + "\n" for v in values), on_key)]

    def decrypt(self, topic, registry, wires, on_key):
        return [json.loads(l) for l in self.crypt("decrypt", topic, registry, "".join(w.hex() + "\n" for w in wires), on_key)]

    def export(self, registry):
        return json.loads(self.run(self.tool, "export", "file://" + registry, self.build + "/plan.json"))

    def imported(self, registry, data):
        self.run(self.tool, "import", "file://" + registry, stdin=json.dumps(data))


class Client:
    """The vendor's client over its own mock registry, filled from an export."""

    def __init__(self, data, with_deks):
        self.executor = FieldEncryptionExecutor.register_with_clock(Clock())
        LocalKmsDriver.register()
        self.registry = SchemaRegistryClient.new_client({"url": "mock://"})
        self.rules = {"secret": SECRET}
        for s in sorted(data["subjects"], key=lambda s: s["id"]):
            schema = Schema(schema_str=s["schema"], schema_type="AVRO",
                            references=[SchemaReference(r["name"], r["subject"], r["version"]) for r in s["references"]],
                            metadata=Metadata.from_dict(s["metadata"]) if s["metadata"] else None,
                            rule_set=RuleSet.from_dict(s["ruleSet"]) if s["ruleSet"] else None)
            if self.registry.register_schema(s["subject"], schema) != s["id"]:
                raise RuntimeError(f"{s['subject']} got another id than {s['id']}")
        self.data = data
        self.serializer = AvroSerializer(self.registry, None, conf={"auto.register.schemas": False, "use.latest.version": True}, rule_conf=self.rules)
        self.deserializer = AvroDeserializer(self.registry, None, conf={"use.latest.version": True}, rule_conf=self.rules)
        self.deks = self.executor.executor.client
        for k in data["keks"]:
            self.deks.register_kek(k["name"], k["kmsType"], k["kmsKeyId"], shared=k["shared"])
        for d in data["deks"] if with_deks else []:
            dek = Dek(kek_name=d["kekName"], subject=d["subject"], version=d["version"], algorithm=DekAlgorithm(d["algorithm"]),
                      encrypted_key_material=d["encryptedKeyMaterial"], key_material=d["keyMaterial"], ts=d["ts"])
            self.deks._dek_cache.set(DekId(kek_name=dek.kek_name, subject=dek.subject, version=dek.version, algorithm=dek.algorithm, deleted=False), dek)

    def context(self, topic, on_key):
        return SerializationContext(topic, MessageField.KEY if on_key else MessageField.VALUE)

    def write(self, topic, value, on_key):
        return self.serializer(copy.deepcopy(value), self.context(topic, on_key))  # it encrypts in place

    def read(self, topic, wire, on_key):
        return self.deserializer(wire, self.context(topic, on_key))

    def made(self):
        """Everything this client's mock holds, in the form of an export."""
        deks = []
        for i in self.deks._dek_cache.get_dek_ids():
            d = self.deks._dek_cache.get_dek(i)
            deks.append({"kekName": d.kek_name, "subject": d.subject, "version": d.version, "algorithm": str(getattr(d.algorithm, "value", d.algorithm)),
                         "encryptedKeyMaterial": d.encrypted_key_material, "ts": d.ts})
        return {"subjects": sorted(self.data["subjects"], key=lambda s: s["id"]), "keks": self.data["keks"], "deks": sorted(deks, key=lambda d: d["version"])}


def equal(got, want, what):
    for i, (g, w) in enumerate(zip(got, want)):
        if g != w:
            raise AssertionError(f"{what}: record {i + 1} differs")
    if len(got) != len(want):
        raise AssertionError(f"{what}: {len(got)} records, expected {len(want)}")


def clear_of(wires, values):
    """The name (of a key: the address), encrypted in every topic and unlike any other text, does not stand in the wire records."""
    for wire, value in zip(wires, values):
        secret = (value.get("name") or value["email"]).encode()
        if secret in wire:
            raise AssertionError("a name is on the wire in clear")


def crossing(report, f, work, topic, on_key):
    r = random.Random(topic)
    values = [(key if on_key else person)(r, i) for i in range(RECORDS)]
    what = topic + (" key" if on_key else "")
    a, b = os.path.join(work, what + " a"), os.path.join(work, what + " b")
    state = {}

    def flec_to_python():
        state["wires"] = f.encrypt(topic, a, values, on_key)
        clear_of(state["wires"], values)
        client = Client(f.export(a), True)
        equal([client.read(topic, w, on_key) for w in state["wires"]], values, "what Python reads")

    def python_to_flec():
        client = Client(f.export(a), False)
        wires = [client.write(topic, v, on_key) for v in values]
        clear_of(wires, values)
        f.imported(b, client.made())
        equal(f.decrypt(topic, b, wires, on_key), [plain(v) for v in values], "what flec reads")

    def same_bytes():
        client = Client(f.export(a), True)
        equal([client.write(topic, v, on_key) for v in values], state["wires"], "what Python writes under flec's data key")

    report.run(f"{what}: Python reads what flec wrote, {RECORDS} records", flec_to_python)
    if topic != "interop.shared":  # the client's mock registry makes no keys for shared KEKs
        report.run(f"{what}: flec reads what Python wrote, {RECORDS} records", python_to_flec)
    else:
        report.run(f"{what}: flec reads what Python wrote under the registry's key, {RECORDS} records",
                   lambda: equal(f.decrypt(topic, a, [Client(f.export(a), True).write(topic, v, on_key) for v in values], on_key), [plain(v) for v in values], "what flec reads"))
    if topic == "interop.siv":
        report.run(f"{what}: the same bytes from both, {RECORDS} records", same_bytes)


def aged(data):
    """The same, its data keys made 31 days ago: a day more than the topic's rule lets them write."""
    return dict(data, deks=[dict(d, ts=d["ts"] - 31 * 86400 * 1000) for d in data["deks"]])


def versions(data):
    return sorted(d["version"] for d in data["deks"])


def rotation(report, f, work):
    """A data key that is too old to write with: a second version, by the one and by the other; records under both are read by both."""
    topic = "interop.rotated"
    r = random.Random("rotation")
    old, new = ([person(r, i) for i in range(RECORDS)] for _ in range(2))
    start = f.export(os.path.join(work, topic + " a"))

    def both_read(registry, wires):
        got = f.decrypt(topic, registry, wires, False)
        equal(got, [plain(v) for v in old + new], "what flec reads")
        client = Client(f.export(registry), True)
        equal([client.read(topic, w, False) for w in wires], old + new, "what Python reads")
        first = Client(dict(f.export(registry), deks=[d for d in f.export(registry)["deks"] if d["version"] == 1]), True)
        try:
            first.read(topic, wires[-1], False)
        except Exception:
            return
        raise AssertionError("a record written after the rotation opens with the first version alone")

    def flec_rotates():
        client, registry = Client(start, False), os.path.join(work, "rotated by flec")
        wires = [client.write(topic, v, False) for v in old]
        f.imported(registry, aged(client.made()))
        wires += f.encrypt(topic, registry, new, False)
        if versions(f.export(registry)) != [1, 2]:
            raise AssertionError(f"versions {versions(f.export(registry))}, expected 1 and 2")
        both_read(registry, wires)

    def python_rotates():
        made, registry = os.path.join(work, "before Python"), os.path.join(work, "rotated by Python")
        f.imported(made, dict(start, deks=[]))
        wires = f.encrypt(topic, made, old, False)
        client = Client(aged(f.export(made)), True)
        wires += [client.write(topic, v, False) for v in new]
        if versions(client.made()) != [1, 2]:
            raise AssertionError(f"versions {versions(client.made())}, expected 1 and 2")
        f.imported(registry, client.made())
        both_read(registry, wires)

    report.run(f"{topic}: flec rotates Python's data key after 30 days, both read both versions, {2 * RECORDS} records", flec_rotates)
    report.run(f"{topic}: Python rotates flec's data key after 30 days, both read both versions, {2 * RECORDS} records", python_rotates)


def data_keys(report, f, work):
    """Each data key of flec's registry through the client's class and back."""
    for topic in TOPICS:
        deks = f.export(os.path.join(work, topic + " a"))["deks"]

        def same(deks=deks):
            if not deks:
                raise AssertionError("no data key")
            for d in deks:
                want = {k: v for k, v in d.items() if v is not None}
                if Dek.from_dict(d).to_dict() != want:
                    raise AssertionError(f"{Dek.from_dict(d).to_dict()} is not {want}")

        report.run(f"{topic}: data keys through the client's class", same)


def bodies(report, build):
    """Each registry body through the client's classes and back: nothing lost, nothing added."""
    for name in sorted(os.listdir(build + "/registry/subjects")):
        body = json.load(open(f"{build}/registry/subjects/{name}", encoding="utf-8"))

        def same(body=body):
            back = Schema.from_dict(body)
            if back.schema_str != body["schema"] or back.schema_type != body["schemaType"]:
                raise AssertionError("schema or type")
            for member, value in (("metadata", back.metadata), ("ruleSet", back.rule_set)):
                got, want = value.to_dict() if value else None, body.get(member)
                prune = lambda x: {k: prune(v) for k, v in x.items() if v not in (None, {}, [])} if isinstance(x, dict) else [prune(v) for v in x] if isinstance(x, list) else x
                if prune(got or {}) != prune(want or {}):
                    raise AssertionError(f"{member}: {got} is not {want}")

        report.run(f"registry/subjects/{name} through the client's classes", same)
    for name in sorted(os.listdir(build + "/registry/keks")):
        body = json.load(open(f"{build}/registry/keks/{name}", encoding="utf-8"))

        def kek(body=body):
            k = Kek.from_dict(body)
            if (k.name, k.kms_type, k.kms_key_id, k.shared) != (body["name"], body["kmsType"], body["kmsKeyId"], body["shared"]):
                raise AssertionError(f"{k} is not {body}")

        report.run(f"registry/keks/{name} through the client's classes", kek)


def main():
    flec, tool, out = sys.argv[1:]
    work = tempfile.mkdtemp(prefix="flec-interop-")
    report = Report("interop-python")
    try:
        f = Flec(flec, tool, work + "/build")
        f.run(flec, "build", HERE + "/policy", "-o", f.build)
        for topic in TOPICS:
            crossing(report, f, work, topic, False)
        crossing(report, f, work, "interop.siv", True)
        rotation(report, f, work)
        data_keys(report, f, work)
        f.run(flec, "build", ROOT + "/policies", "--env", "prod", "-o", work + "/policies")
        bodies(report, work + "/policies")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    report.write(out)


main()
