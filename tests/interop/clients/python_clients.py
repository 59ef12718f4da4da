#!/usr/bin/env python3
"""python_clients.py: each measured case of compiler/clients/cases.json through the vendor's Python client, over its own mock registry; what it wrote beside
what the table says. usage: python_clients.py REPORT.xml"""
import base64, copy, importlib.metadata, itertools, json, os, sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "lib")]
import measure
from junit import Report

from confluent_kafka.schema_registry import Metadata, MetadataTags, Rule, RuleKind, RuleMode, RuleParams, RuleSet, Schema, SchemaReference, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.schema_registry.json_schema import JSONSerializer
from confluent_kafka.schema_registry.protobuf import ProtobufSerializer
from confluent_kafka.schema_registry.rules.encryption.encrypt_executor import Clock, FieldEncryptionExecutor
from confluent_kafka.schema_registry.rules.encryption.localkms.local_driver import LocalKmsDriver
from confluent_kafka.serialization import MessageField, SerializationContext

CONF = {"auto.register.schemas": False, "use.latest.version": True}
SECRETS = {"secret": "a secret of the interop tests"}
RULES = RuleSet(None, [Rule("encrypt-PII", None, RuleKind.TRANSFORM, RuleMode.WRITEREAD, "ENCRYPT", ["PII"],
                            RuleParams({"encrypt.kek.name": "kek1", "encrypt.kms.type": "local-kms", "encrypt.kms.key.id": "local"}), None, None, "ERROR,ERROR", False)])


def metadata(tags):
    return Metadata(MetadataTags(tags), None, None) if tags else None


def texts(case):
    """The schema texts of the references and of the case itself, as the client wants them from a registry."""
    if case["format"] != "PROTOBUF":
        return [json.dumps(r["schema"]) for r in case.get("refs", [])], json.dumps(case["schema"])
    found, names = measure.descriptors(case)
    packed = [base64.b64encode(found[n].SerializeToString()).decode() for n in names]
    return packed[:-1], packed[-1]


def register(client, case, subject):
    of_refs, own = texts(case)
    for ref, text in zip(case.get("refs", []), of_refs):
        client.register_schema(ref["subject"], Schema(text, case["format"], [], metadata((ref.get("metadata") or {}).get("tags"))))
    refs = [SchemaReference(r["name"], r["subject"], r["version"]) for r in case.get("refs", [])]
    client.register_schema(subject, Schema(own, case["format"], refs, metadata(case["metadata_tags"]), RULES))
    return own


def serializer(client, case, text, of_class):
    if case["format"] == "AVRO":
        return AvroSerializer(client, None, conf=CONF, rule_conf=SECRETS)
    if case["format"] == "JSON":
        return JSONSerializer(text, client, conf=CONF, rule_conf=SECRETS)
    subjects = {r["name"]: r["subject"] for r in case.get("refs", [])}
    conf = dict(CONF, **{"reference.subject.name.strategy": lambda ctx, ref: subjects[ref.name]})
    return ProtobufSerializer(of_class, client, conf=conf, rule_conf=SECRETS)


def chain(e):
    """An exception and what caused it."""
    below = e.__cause__ or e.__context__
    return f"{type(e).__name__}: {e}" + (" by " + chain(below) if below else "")


def run(case, nth):
    FieldEncryptionExecutor.register_with_clock(Clock())  # a new one: it keeps the registry it was first used with
    client = SchemaRegistryClient.new_client({"url": f"mock://{nth}-{case['name']}"})
    text = register(client, case, case["name"] + "-value")
    of_class = measure.message_class(case) if case["format"] == "PROTOBUF" else None
    value = measure.proto_message(case, of_class) if of_class else measure.with_bytes(copy.deepcopy(case["value"]))
    write = serializer(client, case, text, of_class)
    try:
        return {"wire": write(value, SerializationContext(case["name"], MessageField.VALUE)).hex()}
    except Exception as e:  # what the client raises is its outcome
        return {"error": chain(e)}


def main():
    LocalKmsDriver.register()
    report = Report("interop-clients-python")
    tries = itertools.count()
    runs = measure.settled(lambda some: {"python": {case["name"]: run(case, next(tries)) for case in some}}, ["python"])
    measure.check(report, "python", "confluent-kafka " + importlib.metadata.version("confluent-kafka"), runs["python"])
    report.write(sys.argv[1])


main()
