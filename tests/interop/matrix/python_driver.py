#!/usr/bin/env python3
"""python_driver.py: the vendor's Python client, as it is, runs the steps of a scenario against a registry. usage: python_driver.py SCENARIO.json RESULTS.json

SCENARIO (all drivers read the same): {"url", "secret", "days_back": of the client's clock, "steps": [{"do": …}]}; of HTTPS also "ca" and where there is one "user" ("NAME:PASSWORD"),
"certificate" and "key": paths of PEM files
  register  subject, body {schemaType, schema, metadata?, ruleSet?}        {"id"}
  lookup    the same                                                       {"id", "version"}
  latest    subject                                                        {"id", "version", "guid"}
  write     topic, format, text, value; of Protobuf set, file, message;    {"wire": hex, "headers"}
            framing: "guid" names the schema in a header
  read      the same, wire and headers instead of value                    {"value"}
  bench     as write, values instead of value, count, rounds               {"write": [records a second of CPU time], "read": the same}
Bytes in values are {"$hex": …}; headers are {NAME: hex}; set and file are a FileDescriptorSet and the FileDescriptorProto of text, in base64. RESULTS: one object a step, {"error": text} for
what the client raises."""
import base64, json, sys, time

from confluent_kafka.schema_registry import Metadata, RuleSet, Schema, SchemaRegistryClient, header_schema_id_serializer
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufDeserializer, ProtobufSerializer
from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import Clock, EncryptionExecutor, FieldEncryptionExecutor
from confluent_kafka.schema_registry.rules.encryption.localkms.local_driver import LocalKmsDriver
from confluent_kafka.serialization import MessageField, SerializationContext
from confluent_kafka.schema_registry.confluent import meta_pb2  # noqa: F401, makes the options of fields known
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

WRITE, READ = {"auto.register.schemas": False, "use.latest.version": True}, {"use.latest.version": True}

SETTINGS = {"url": "url", "basic.auth.user.info": "user", "ssl.ca.location": "ca", "ssl.certificate.location": "certificate", "ssl.key.location": "key"}


def native(v):
    if isinstance(v, dict):
        return bytes.fromhex(v["$hex"]) if set(v) == {"$hex"} else {k: native(x) for k, x in v.items()}
    return [native(x) for x in v] if isinstance(v, list) else v


def plain(v):
    if isinstance(v, bytes):
        return {"$hex": v.hex()}
    if isinstance(v, dict):
        return {k: plain(x) for k, x in v.items()}
    return [plain(x) for x in v] if isinstance(v, list) else v


def in_base64(v):
    if isinstance(v, dict):
        return base64.b64encode(bytes.fromhex(v["$hex"])).decode() if set(v) == {"$hex"} else {k: in_base64(x) for k, x in v.items()}
    return [in_base64(x) for x in v] if isinstance(v, list) else v


def message_class(step):
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(base64.b64decode(step["set"])).file:
        pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(step["message"]))


def of_message(message):
    """Every field, also one that is not set, as proto3 has no such thing."""
    out = {}
    for field in message.DESCRIPTOR.fields:
        v = getattr(message, field.name)
        if field.type == field.TYPE_MESSAGE:
            v = [of_message(x) for x in v] if not hasattr(v, "ListFields") else of_message(v)
        elif not isinstance(v, (str, bytes, int, float, bool)):
            v = list(v)
        out[field.name] = v
    return plain(out)


class Late(Clock):
    def __init__(self, days):
        self.days = days

    def now(self):
        return super().now() - self.days * 86400 * 1000


class Client:
    def __init__(self, scenario):
        LocalKmsDriver.register()
        FieldEncryptionExecutor.register_with_clock(Late(scenario["days_back"]))
        EncryptionExecutor.register_with_clock(Late(scenario["days_back"]))
        conf = {name: scenario[of] for name, of in SETTINGS.items() if of in scenario}
        self.registry, self.rules = SchemaRegistryClient(conf), {"secret": scenario["secret"]}

    def schema(self, step):
        body = step["body"]
        return Schema(body["schema"], body["schemaType"], [], Metadata.from_dict(body["metadata"]) if body.get("metadata") else None,
                      RuleSet.from_dict(body["ruleSet"]) if body.get("ruleSet") else None)

    def register(self, step):
        return {"id": self.registry.register_schema(step["subject"], self.schema(step))}

    def lookup(self, step):
        found = self.registry.lookup_schema(step["subject"], self.schema(step))
        return {"id": found.schema_id, "version": found.version}

    def latest(self, step):
        found = self.registry.get_latest_version(step["subject"])
        return {"id": found.schema_id, "version": found.version, "guid": found.guid}

    def context(self, step):
        return SerializationContext(step["topic"], MessageField.VALUE, {k: bytes.fromhex(v) for k, v in step.get("headers", {}).items()})

    def writer(self, step):
        """A serializer, and what makes of a value what it takes."""
        conf = dict(WRITE, **{"schema.id.serializer": header_schema_id_serializer}) if step.get("framing") == "guid" else WRITE
        if step["format"] == "AVRO":
            return AvroSerializer(self.registry, None, conf=conf, rule_conf=self.rules), native
        if step["format"] == "JSON":
            return JSONSerializer(step["text"], self.registry, conf=conf, rule_conf=self.rules), native
        cls = message_class(step)
        return ProtobufSerializer(cls, self.registry, conf=conf, rule_conf=self.rules), lambda value: json_format.ParseDict(in_base64(value), cls())

    def reader(self, step):
        if step["format"] == "AVRO":
            return AvroDeserializer(self.registry, None, conf=READ, rule_conf=self.rules)
        if step["format"] == "JSON":
            return JSONDeserializer(step["text"], schema_registry_client=self.registry, conf=READ, rule_conf=self.rules)
        return ProtobufDeserializer(message_class(step), conf=READ, schema_registry_client=self.registry, rule_conf=self.rules)

    def write(self, step):
        (serializer, made), context = self.writer(step), self.context(step)
        wire = serializer(made(step["value"]), context)
        return {"wire": wire.hex(), "headers": {k: v.hex() for k, v in context.headers.items()}}

    def read(self, step):
        value = self.reader(step)(bytes.fromhex(step["wire"]), self.context(step))
        return {"value": value if step["format"] == "JSON" else of_message(value) if step["format"] == "PROTOBUF" else plain(value)}

    def bench(self, step):
        """Values are made anew for each round: a client may write into them."""
        serializer, made = self.writer(step)
        reader, context, rates = self.reader(step), self.context(step), {"write": [], "read": []}
        for turn in range(step["rounds"] + 1):  # the first fills the caches
            values = [made(step["values"][i % len(step["values"])]) for i in range(step["count"])]
            start = time.process_time()
            wires = [serializer(v, context) for v in values]
            rates["write"].append(len(wires) / (time.process_time() - start))
            start = time.process_time()
            for w in wires:
                reader(w, context)
            rates["read"].append(len(wires) / (time.process_time() - start))
        return {k: v[1:] for k, v in rates.items()}


def chain(e):
    """An exception and what caused it."""
    below = e.__cause__ or e.__context__
    return f"{type(e).__name__}: {e}" + (" by " + chain(below) if below else "")


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        scenario = json.load(f)
    client, results = Client(scenario), []
    for step in scenario["steps"]:
        try:
            results.append(getattr(client, step["do"])(step))
        except Exception as e:  # what the client raises is its outcome
            results.append({"error": chain(e)})
    with open(sys.argv[2], "w", encoding="utf-8") as f:
        json.dump(results, f)


main()
