"""dead_letters.py: records whose rule fails, from `flec encrypt` and `flec decrypt` onto a real broker, beside what the vendor's Python client sends there for the
same failure over the same registry. The policy's language has no dead letters for `encrypt`: the plan gets them here, as a rule set of another tool has them."""
import copy, json, os, signal, subprocess, urllib.request

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.rule_registry import RuleRegistry
from confluent_kafka.schema_registry.rules.dlq.dlq_action import DlqAction
from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import EncryptionExecutor, FieldEncryptionExecutor
from confluent_kafka.schema_registry.rules.encryption.localkms.local_driver import LocalKmsDriver
from confluent_kafka.serialization import MessageField, SerializationContext

SECRET, ANOTHER = "the secret of these tests", "not the secret of these tests"
SCHEMA = {"type": "record", "name": "Person", "namespace": "letters", "fields": [
    {"name": "id", "type": "string"}, {"name": "name", "type": "string"}, {"name": "email", "type": ["null", "string"], "default": None},
    {"name": "phones", "type": {"type": "array", "items": "string"}}, {"name": "age", "type": "int"}]}
PEOPLE = [
    {"id": "P-1", "name": "Ada Lovelace, Gräfin", "email": "ada@example.com", "phones": ["+44 20 7946 0000", "+44 20 7946 0001"], "age": 36},
    {"id": "P-2", "name": "Mary Somerville", "email": None, "phones": [], "age": 91},
    {"id": "P-3", "name": "Émilie du Châtelet", "email": "emilie@example.com", "phones": [""], "age": 42},
]
PLAINTEXT = [s.encode() for p in PEOPLE for s in [p["name"], p["email"], *p["phones"]] if s]
REDACTED = "<REDACTED>"
POLICY = """platform cloud {
  workers  7.9.2
  registry "http://127.0.0.1:8081"
  kafka    "127.0.0.1:9092"
}

tag PII "identifies a person"

kek letters-kek {
  kms local "letters"
  private {
    secret = secret("env:LETTERS_SECRET")
  }
}

allow local-kms on kek letters-kek because "made-up people" until 2099-12-31

topic letters.fields {
  key string
  value avro "person.avsc" {
    field name is PII
    field email is PII
    field phones[] is PII
    encrypt PII with letters-kek
  }
}

topic letters.payload {
  key string
  value avro "person.avsc" {
    encrypt payload with letters-kek
  }
}
"""
OWN_HEADERS = {"__rule.name", "__rule.mode", "__rule.subject", "__rule.topic", "__rule.exception"}


class Letters:
    """A registry with rules that send to dead letter topics, and flec and the vendor's client before it."""

    def __init__(self, flec, work, brokers):
        self.flec, self.work, self.brokers, self.topics = flec, os.path.join(work, "letters"), brokers, {}
        policy, self.build = self.work + "/policy", self.work + "/build"
        os.makedirs(policy)
        with open(policy + "/person.avsc", "w", encoding="utf-8") as f:
            json.dump(SCHEMA, f)
        with open(policy + "/letters.flec", "w", encoding="utf-8") as f:
            f.write(POLICY)
        self.run([flec, "build", policy, "-o", self.build])
        self.config("config", "dlq.topic=letters.payload.dead")
        self.config("small", "dlq.topic=letters.small")
        self.bury_in_plan()

    def config(self, name, *lines):
        with open(f"{self.work}/{name}.properties", "w", encoding="utf-8") as f:
            f.write("\n".join([f"bootstrap.servers={self.brokers}", *lines]) + "\n")

    def bury_in_plan(self):
        """onFailure DLQ; the topic stands in the rule, or is left to the settings."""
        with open(self.build + "/plan.json", encoding="utf-8") as f:
            plan = json.load(f)
        for topic in plan["topics"]:
            value = topic["value"]
            for rule in value["ruleSet"].get("domainRules", []) + value["ruleSet"].get("encodingRules", []):
                rule["onFailure"] = "DLQ"
                if topic["name"] == "letters.fields":
                    rule["params"]["dlq.topic"] = "letters.dead"
            self.topics[topic["name"]] = {k: value[k] for k in ("schemaType", "schema", "metadata", "ruleSet") if k in value}
        with open(self.build + "/plan.json", "w", encoding="utf-8") as f:
            json.dump(plan, f)

    def __enter__(self):
        command = [self.flec, "serve", "--listen", "127.0.0.1:0", "--store", f"file://{self.work}/registry"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().strip()
        with open(self.build + "/registry/keks/letters-kek.json", encoding="utf-8") as f:
            self.post("/dek-registry/v1/keks", json.load(f))
        for name, body in self.topics.items():
            self.post(f"/subjects/{name}-value/versions", body)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        self.process.stdout.close()

    def post(self, path, body):
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), {"Content-Type": "application/vnd.schemaregistry.v1+json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def run(self, command, stdin="", status=0, secret=SECRET):
        done = subprocess.run(command, input=stdin, capture_output=True, text=True, env=dict(os.environ, LETTERS_SECRET=secret), timeout=120)
        if done.returncode != status:
            raise AssertionError(f"{' '.join(command[1:3])} ends with {done.returncode}, not {status}: {done.stderr.strip()[-500:]}")
        seen = [s for s in PLAINTEXT if s in done.stderr.encode()]
        if seen:
            raise AssertionError(f"plaintext in a message: {done.stderr}")
        return done

    def crypt(self, verb, topic, lines, status=0, secret=SECRET, config="config"):
        command = [self.flec, verb, "--plan", self.build + "/plan.json", "--topic", topic, "--registry", self.url, "--from", "envelope", "--to", "envelope",
                   "--on-error", "skip", "--config", f"{self.work}/{config}.properties"]
        done = self.run(command, "".join(json.dumps(l) + "\n" for l in lines), status, secret)
        return [json.loads(l) for l in done.stdout.split("\n")[:-1]], done.stderr

    # ---- the vendor's client ----

    def vendor(self, kind, topic, secret, dead):
        """A serializer or deserializer with rules of its own, which sends dead letters to `dead`."""
        rules, self.producer = RuleRegistry(), Producer({"bootstrap.servers": self.brokers})
        rules.register_executor(FieldEncryptionExecutor())
        rules.register_executor(EncryptionExecutor())
        rules.register_action(DlqAction({"producer": self.producer, "dlq.topic": dead, "dlq.auto.flush": True}))
        conf = {"use.latest.version": True} if kind is AvroDeserializer else {"use.latest.version": True, "auto.register.schemas": False}
        return kind(SchemaRegistryClient({"url": self.url}), None, conf=conf, rule_conf={"secret": secret}, rule_registry=rules)

    def vendor_fails(self, kind, topic, secret, dead, records):
        """records: (what is handed over, headers); each must fail."""
        serde = self.vendor(kind, topic, secret, dead)
        for value, headers in records:
            try:
                serde(copy.deepcopy(value), SerializationContext(topic, MessageField.VALUE, list(headers.items())))
            except Exception:
                continue
            raise AssertionError(f"the vendor's client does not fail on {value}")

    # ---- what lies on a topic ----

    def on_topic(self, topic, n):
        """Its n records: (key, value, headers). It must have no more."""
        consumer = Consumer({"bootstrap.servers": self.brokers, "group.id": "letters", "enable.auto.commit": False, "enable.partition.eof": False})
        try:
            high = 0
            for _ in range(60):  # an acknowledged record is there; a topic just made may take a moment to be known
                try:
                    low, high = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=10)
                    break
                except Exception:
                    continue
            if high != n:
                raise AssertionError(f"{high} records on {topic}, not {n}")
            consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
            out = []
            while len(out) < n:
                m = consumer.poll(60)
                if m is None or m.error():
                    raise AssertionError(f"{topic}: {m and m.error()} after {len(out)} records")
                out.append((m.key(), m.value(), m.headers() or []))
            return out
        finally:
            consumer.close()


def envelopes():
    return [{"key": f"k-{i}", "value": p, "headers": {"trace": f"t-{i}"}} for i, p in enumerate(PEOPLE)]


def same_headers(ours, theirs, topic, mode, rule):
    """Names in their order and all values but the words of the exception."""
    wanted = {"__rule.name": rule, "__rule.mode": mode, "__rule.subject": topic + "-value", "__rule.topic": topic}
    for who, headers in (("flec", ours), ("the vendor's client", theirs)):
        found = dict(headers)
        if len(found) != len(headers) or not OWN_HEADERS <= set(found) or not found["__rule.exception"]:
            raise AssertionError(f"headers of {who}: {headers}")
        wrong = {k: found[k] for k, v in wanted.items() if found[k] != v.encode()}
        if wrong:
            raise AssertionError(f"headers of {who}: {wrong}")
    without = lambda h: [(k, v) for k, v in h if k != "__rule.exception"]
    if without(ours) != without(theirs):
        raise AssertionError(f"flec's headers {without(ours)}, the vendor's {without(theirs)}")


def nothing_in_clear(records):
    for key, value, headers in records:
        whole = b"\n".join([key or b"", value or b""] + [v or b"" for _, v in headers])
        seen = [s.decode() for s in PLAINTEXT if s in whole or s.decode().encode("unicode_escape") in whole]
        if seen:
            raise AssertionError(f"in clear on the dead letter topic: {seen}")


def written(l):
    """The key that opens the data key is another: no field can be sealed. The first run makes the data key."""
    sealed, _ = l.crypt("encrypt", "letters.fields", envelopes())
    if len(sealed) != len(PEOPLE):
        raise AssertionError(f"{len(sealed)} records of {len(PEOPLE)}")
    out, said = l.crypt("encrypt", "letters.fields", envelopes(), 1, ANOTHER)
    if out:
        raise AssertionError(f"records that failed came out: {out}")
    letters = l.on_topic("letters.dead", len(PEOPLE))
    nothing_in_clear(letters)
    l.vendor_fails(AvroSerializer, "letters.fields", ANOTHER, "letters.dead.vendor", [(e["value"], e["headers"]) for e in envelopes()])
    theirs = l.on_topic("letters.dead.vendor", len(PEOPLE))
    for person, ours, vendors in zip(envelopes(), letters, theirs):
        value = json.loads(ours[1])
        redacted = dict(person["value"], name=REDACTED, email=person["value"]["email"] and REDACTED, phones=[REDACTED] * len(person["value"]["phones"]))
        if value != redacted or json.loads(vendors[1]) != redacted or ours[0] != person["key"].encode():
            raise AssertionError(f"flec's letter {ours[0]} {value}, the vendor's {vendors[1]}, expected {redacted}")
        same_headers(ours[2], vendors[2], "letters.fields", "WRITE", "encrypt-PII")
    l.sealed = sealed


def read(l):
    """One of three is damaged: it goes as it came, the others come out."""
    damaged = copy.deepcopy(l.sealed)
    wire = bytearray.fromhex(damaged[1]["value"])
    at = wire.index(b"P-2") + 3 + 2 + 20  # behind the id and the length: base64 of the name's ciphertext
    wire[at] = ord("A") if wire[at] != ord("A") else ord("B")
    damaged[1]["value"] = wire.hex()
    out, said = l.crypt("decrypt", "letters.fields", damaged, 1)
    if [o["value"] for o in out] != [PEOPLE[0], PEOPLE[2]]:
        raise AssertionError(f"out came {out}")
    letter = l.on_topic("letters.dead", len(PEOPLE) + 1)[-1]
    if letter[0] != b"k-1" or letter[1] != bytes(wire):
        raise AssertionError(f"the letter is {letter}, not what came in")
    l.vendor_fails(AvroDeserializer, "letters.fields", SECRET, "letters.unread.vendor", [(bytes(wire), damaged[1]["headers"])])
    theirs = l.on_topic("letters.unread.vendor", 1)[0]
    if theirs[1] != letter[1]:
        raise AssertionError(f"the vendor's client sends {theirs[1]}")
    same_headers(letter[2], theirs[2], "letters.fields", "READ", "encrypt-PII")
    l.letter = letter


def read_again(l):
    """The letter itself, by flec and by the vendor's client: without the rule that failed it, so its fields stay ciphertext."""
    headers = {k: v.decode() for k, v in l.letter[2]}
    out, _ = l.crypt("decrypt", "letters.fields", [{"key": l.letter[0].hex(), "value": l.letter[1].hex(), "headers": headers}])
    serde = l.vendor(AvroDeserializer, "letters.fields", SECRET, "letters.never")
    theirs = serde(l.letter[1], SerializationContext("letters.fields", MessageField.VALUE, l.letter[2]))
    if out[0]["value"] != theirs or theirs["id"] != "P-2" or PEOPLE[1]["name"] in json.dumps(out):
        raise AssertionError(f"flec reads {out[0]['value']}, the vendor's client {theirs}")


def payload(l):
    """A payload rule has no tags: the vendor's action writes the record in clear, as it says itself; flec nothing of it."""
    l.crypt("encrypt", "letters.payload", envelopes())
    out, _ = l.crypt("encrypt", "letters.payload", envelopes(), 1, ANOTHER)
    letters = l.on_topic("letters.payload.dead", len(PEOPLE))
    nothing_in_clear(letters)
    if out or {v for _, v, _ in letters} != {json.dumps(REDACTED).encode()}:
        raise AssertionError(f"out came {out}, letters are {letters}")
    l.vendor_fails(AvroSerializer, "letters.payload", ANOTHER, "letters.payload.vendor", [(PEOPLE[0], {"trace": "t-0"})])
    theirs = l.on_topic("letters.payload.vendor", 1)[0]
    if PEOPLE[0]["name"].encode() not in theirs[1]:
        raise AssertionError(f"the vendor's client no longer writes the record in clear: docs/wire.md says that it does; it writes {theirs[1]}")
    same_headers(letters[0][2], theirs[2], "letters.payload", "WRITE", "encrypt-payload")


def not_taken(l):
    """A broker that refuses the letter: the run ends there, with its number and its topic, and the record is nowhere."""
    admin = AdminClient({"bootstrap.servers": l.brokers})
    for future in admin.create_topics([NewTopic("letters.small", 1, 1, config={"max.message.bytes": "100"})]).values():
        future.result(60)
    out, said = l.crypt("encrypt", "letters.payload", envelopes(), 4, ANOTHER, "small")
    l.on_topic("letters.small", 0)
    if out or "record 1" not in said or "the dead letter topic letters.small does not take it" not in said:
        raise AssertionError(f"out came {out}, said was {said}")


def run(report, flec, work, brokers):
    LocalKmsDriver.register()
    with Letters(flec, work, brokers) as l:
        report.run("dead letters: what failed to encrypt is on the broker redacted, with the vendor's headers, and equals the vendor's letter", lambda: written(l))
        report.run("dead letters: what failed to decrypt is there as it came, and equals the vendor's letter", lambda: read(l))
        report.run("dead letters: a letter is read without its rule, by flec as by the vendor's client", lambda: read_again(l))
        report.run("dead letters: nothing of a record under a payload rule, which the vendor's client writes in clear", lambda: payload(l))
        report.run("dead letters: where the broker does not take one the run ends", lambda: not_taken(l))
