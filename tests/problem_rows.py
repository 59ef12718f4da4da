"""problem_rows.py: the 30 problems as data: what tests/problems.py proves, and what the table of docs/checks/README.md says.

A row has a number, a kind (C: caught by `flec check`; E: with --previous; B: in what is built; P: by a command that asks the live estate), the problem, the checks
that catch it, and what else is said of it. Its proofs:

    mutant(NAME, CHECK, EDITS, at=…)    the check reports it in the first edited file, or `file`, on a line with the text `at`
    near(NAME, EDITS)                   nothing is reported
    built(NAME, LOOK, EDITS)            LOOK raises if the build of the edited policies is not right

`previous` makes it a comparison with a build that is in use: that of policies/ after these edits of its files.
"""
import json
import os
import re
from collections import namedtuple

Edit = namedtuple("Edit", "file old new")
Proof = namedtuple("Proof", "kind name check edits at file severity previous look")
Row = namedtuple("Row", "number kind problem checks says proofs")


def change(file, old, new):
    return Edit(file, old, new)


def after(file, old, line):
    """A line of its own behind a text that ends a line."""
    return Edit(file, old, old + "\n" + line)


def add(file, text):
    """At the end of the file, or a new file."""
    return Edit(file, None, text)


def mutant(name, check, *edits, at, file=None, severity="error", previous=None):
    return Proof("mutant", name, check, edits, at, file or edits[0].file, severity, previous, None)


def warns(name, check, *edits, at, file=None, previous=None):
    return mutant(name, check, *edits, at=at, file=file, severity="warning", previous=previous)


def near(name, *edits, previous=None):
    return Proof("near", name, None, edits, None, None, None, previous, None)


def built(name, look, *edits):
    return Proof("built", name, None, edits, None, None, None, None, look)


def row(number, kind, problem, checks, *proofs, says=""):
    return Row(number, kind, problem, checks.split(), says, proofs)


# ---- places in policies/ ----

ARCHIVE_CONFIG = "    s3.bucket.name          = acme-archive-customers"  # of customers-archive, an s3-sink
CDC_CONFIG = "    slot.name                    = flec_orders"  # of orders-cdc, a postgres-cdc-source
PAYMENTS_CONFIG = "    slot.name                                        = flec_payments"
CONSENTS = "    field at           is clear\n    encrypt PII with crm-kek {\n      rotate 90d"  # the value of crm.consents
WEB_RULE = '      doc   "an enquiry says where it came from"\n    }'
SUBJECT = "registry/subjects/crm.consents-value.json"


def archive(line):
    return after("archive.flec", ARCHIVE_CONFIG, "    " + line)


def cdc(line):
    return after("orders.flec", CDC_CONFIG, "    " + line)


def payments(line):
    return after("orders.flec", PAYMENTS_CONFIG, "    " + line)


def consents(lines, rotate="rotate 90d"):
    return change("crm.flec", CONSENTS, CONSENTS.replace("rotate 90d", rotate + lines))


def rule(text):
    """A rule that is passed through, beside the one of web.enquiries."""
    return after("web.flec", WEB_RULE, "    rule mine {\n" + "".join(f"      {line}\n" for line in text.split("\n")) + "    }")


# ---- what builds hold ----

def load(build, path):
    with open(os.path.join(build, path), encoding="utf-8") as f:
        return json.load(f)


def subjects(build):
    folder = os.path.join(build, "registry", "subjects")
    return {name[:-5]: load(build, "registry/subjects/" + name) for name in sorted(os.listdir(folder))}


def connectors(build):
    return {f[:-5]: load(build, "connect/" + f) for f in sorted(os.listdir(os.path.join(build, "connect"))) if f.endswith(".json")}


def demand(holds, what):
    if not holds:
        raise AssertionError(what)


ALWAYS = {"csfle.enabled": "true", "key.converter.auto.register.schemas": "false", "key.converter.use.latest.version": "true",
          "value.converter.auto.register.schemas": "false", "value.converter.use.latest.version": "true"}


def five_lines(build):
    for name, config in connectors(build).items():
        for property, value in ALWAYS.items():
            demand(config.get(property) == value, f"{name}: {property} is {config.get(property)}")


def converters_named(build):
    for name, config in connectors(build).items():
        for side in ("key", "value"):
            demand(re.fullmatch(r"[\w.]+Converter", config.get(f"{side}.converter", "")), f"{name} names no {side}.converter")


def registry_signed(build):
    for name, config in connectors(build).items():
        for side in ("key", "value"):
            if f"{side}.converter.schema.registry.url" in config:
                demand(config.get(f"{side}.converter.basic.auth.credentials.source") == "USER_INFO", f"{name}: {side}: no source of credentials")
                demand(config.get(f"{side}.converter.basic.auth.user.info", "").startswith("${file:"), f"{name}: {side}: no credentials")
        demand("value.converter.schema.registry.url" in config, f"{name}: the value's converter has no registry")


def both_prefixes(build):
    config = connectors(build)["customers-archive"]
    for parameter in ("access.key.id", "secret.access.key"):
        for prefix in ("", "value.converter."):
            demand(f"{prefix}rule.executors._default_.param.{parameter}" in config, f"customers-archive lacks {prefix}…{parameter}")


def subjects_there(build):
    """Of each topic that a connector touches, the sides whose converter asks the registry have a subject in registry/subjects."""
    plan, registered, seen = load(build, "plan.json"), {n.replace("%2F", "/") for n in subjects(build)}, 0
    topics = {t["name"]: t for t in plan["topics"]}
    for c in plan["connectors"]:
        config = load(build, f"connect/{c['name']}.json")
        for topic in c["topics"]:
            for side in ("key", "value"):
                if config[f"{side}.converter"].startswith("io.confluent."):
                    subject = topics[topic][side]["subject"]
                    demand(subject in registered, f"{c['name']}: no subject {subject} for the {side} of {topic}")
                    seen += 1
    demand(seen >= 16, f"only {seen} sides")


RULE_KEYS = {"name", "doc", "kind", "mode", "type", "tags", "params", "expr", "onSuccess", "onFailure", "disabled"}


def rules_complete(build):
    """What Terraform or a second registration could fill in anew is written: kind, mode and onFailure of every rule, and each once."""
    seen = 0
    for name, body in subjects(build).items():
        rules = [r for phase in body.get("ruleSet", {}).values() for r in phase]
        demand(len({r["name"] for r in rules}) == len(rules), f"{name} has two rules of one name")
        for r in rules:
            demand({"name", "kind", "mode", "type", "onFailure"} <= set(r) <= RULE_KEYS, f"{name}: rule {r['name']} has {sorted(r)}")
            pair = r["mode"] in ("WRITEREAD", "UPDOWN")
            demand("," in r["onFailure"] or not (pair and r["type"].startswith("ENCRYPT")), f"{name}: rule {r['name']}: onFailure {r['onFailure']}")
            demand(pair or "," not in r["onFailure"], f"{name}: rule {r['name']} has two actions and one direction")
        seen += len(rules)
    demand(seen > 20, f"only {seen} rules")


def order_of_registration(build):
    """Keys first; a subject stands behind those that it refers to, in the order in which MANIFEST says to register."""
    order, bodies = load(build, "MANIFEST")["order"], {n.replace("%2F", "/"): b for n, b in subjects(build).items()}
    place = {step: i for i, step in enumerate(order)}
    keks = [step for step in order if step.startswith("keks/")]
    demand(len(keks) >= 13 and order[: len(keks)] == sorted(keks), "KEKs do not come first")
    demand(set(order) - set(keks) == {"subjects/" + n for n in bodies}, "what is registered is not what was built")
    references = [(name, r["subject"]) for name, b in bodies.items() for r in b.get("references", [])]
    demand(len(references) >= 4, f"only {len(references)} references")
    for name, of in references:
        demand(place["subjects/" + of] < place["subjects/" + name], f"{name} is registered before {of}")


def same_bytes(build):
    """Files of tests/golden, made on another day: what has not changed is registered as the same bytes."""
    golden = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden", "prod")
    for name in subjects(build):
        with open(f"{build}/registry/subjects/{name}.json", "rb") as a, open(f"{golden}/registry/subjects/{name}.json", "rb") as b:
            demand(a.read() == b.read(), f"{name} is another text than in tests/golden")


def bindings(build, **want):
    return [b for b in load(build, "access/role-bindings.json") if all(b.get(k) == v for k, v in want.items())]


def groups_after_connectors(build):
    sinks = [n for n, c in connectors(build).items() if "topics" in c]
    demand(len(sinks) >= 5, f"only {len(sinks)} sinks")
    for name in sinks:
        demand(bindings(build, resourceType="Group", resource=f"connect-{name}", patternType="LITERAL"), f"no binding of the group connect-{name}")
    demand(len(bindings(build, resourceType="Group")) >= len(sinks), "groups that are no connector's")


def cloud_cluster(build):
    kafka = [b for b in load(build, "access/role-bindings.json") if b["resourceType"] in ("Topic", "Group", "TransactionalId")]
    demand(len(kafka) > 20, f"only {len(kafka)} bindings of Kafka")
    for b in kafka:
        demand(b["scope"].get("kafka") == b["scope"].get("cloudCluster") == "lkc-acme01", f"{b['resource']}: {b['scope']}")


ENVELOPE_KEY = "  key avro \"schemas/order-change-key.avsc\" {\n    clear because \"a surrogate number\"\n  }\n"
HR_TEXT = "    field text                is HEALTH\n"

# a sink that hands the web site's enquiries, JSON with fields in objects, to ServiceNow
WEB_SINK = """
connector enquiries-out : servicenow-sink 2.6.8 {
  topics    web.enquiries
  reports   off
  config {
    servicenow.url      = "https://acme.service-now.com"
    servicenow.table    = u_enquiry
    servicenow.user     = connect
    servicenow.password = secret("file:/run/secrets/servicenow.properties:password")%s
  }
}
"""
WEB_SOURCE = WEB_SINK.replace("enquiries-out : servicenow-sink", "enquiries-in : servicenow-source").replace("  reports   off\n", "").replace(
    "%s", '\n    kafka.topic         = web.enquiries\n    servicenow.since    = 2026-01-01%s')

ROWS = [
    row(1, "C", "auto-registration is on: the derived schema has no tags, and records go out in clear", "auto-registration generated-property",
        mutant("a connector switches it on", "auto-registration", archive("value.converter.auto.register.schemas = true"), at="auto.register"),
        mutant("a connector switches it on for keys", "auto-registration", cdc("key.converter.auto.register.schemas = true"), at="auto.register"),
        mutant("the newest version is not used", "generated-property", archive("value.converter.use.latest.version = false"), at="use.latest"),
        mutant("a version is pinned", "generated-property", cdc("value.converter.use.schema.id = 100"), at="use.schema.id"),
        near("a property of the converter that changes no schema", archive("value.converter.latest.cache.size = 2000")),
        built("the five lines stand in each connector's file", five_lines)),
    row(2, "C", "the connector names no converter of its own, so `*.converter.*` is passed over", "generated-property",
        mutant("a converter's class by hand", "generated-property", archive('value.converter = "org.apache.kafka.connect.converters.ByteArrayConverter"'), at="value.converter ="),
        mutant("a converter class for the whole estate that runs no rules", "generated-property",
               after("estate.flec", "  grants         least", '  converters {\n    avro "org.apache.kafka.connect.json.JsonConverter"\n  }'), at="JsonConverter"),
        mutant("csfle.enabled by hand", "generated-property", archive("csfle.enabled = false"), at="csfle.enabled"),
        near("the vendor's converter class, written out",
             after("estate.flec", "  grants         least", '  converters {\n    avro "io.confluent.connect.avro.AvroConverter"\n  }')),
        built("each connector names both converters", converters_named)),
    row(3, "C", "registry credentials reach schemas and not data keys: 401", "generated-property",
        mutant("credentials of one converter alone", "generated-property", archive('value.converter.basic.auth.user.info = secret("env:REGISTRY")'), at="basic.auth"),
        near("another property of the registry's clients",
             after("estate.flec", '    auth basic secret("file:/run/secrets/registry.properties:userinfo")', "    config {\n      http.connect.timeout.ms = 10000\n    }")),
        built("both converters sign in, with the properties that the client of data keys reads", registry_signed)),
    row(4, "C", "KMS parameters under the wrong prefix, or half of a group: the worker's own credentials are used", "kms-parameters-missing unknown-property generated-property",
        mutant("half of a pair", "kms-parameters-missing", change("keys.flec", '    secret.access.key = secret("file:/run/secrets/kms.properties:pci")\n', ""), at="access.key.id"),
        mutant("two of three", "kms-parameters-missing", change("keys.flec", '    client.id     = "${env:HR_AZURE_CLIENT_ID}"\n', ""), at="tenant.id"),
        mutant("a parameter that this KMS does not know", "unknown-property", change("keys.flec", "    token.id = secret", "    vault.token = secret"), at="vault.token"),
        mutant("by hand, under any prefix", "generated-property", archive('rule.executors._default_.param.access.key.id = "${env:PCI}"'), at="rule.executors"),
        near("none at all: the worker has its own", change("keys.flec", "  private {\n    token.id = secret(\"file:/run/secrets/kms.properties:hr-vault\")\n  }", "  private")),
        built("both spellings of each parameter are written", both_prefixes)),
    row(5, "C", "a tag on a record, or a union with another type: no error, plaintext", "tag-on-record silent-plaintext-union path-not-walked client-leaves-clear client-may-leave-clear",
        mutant("a tag on a record", "tag-on-record", consents("", "rotate 90d"), change("crm.flec", "    field person.name  is PII", "    field person       is PII"), at="person"),
        mutant("a tag inside the schema, on a record", "tag-on-record",
               change("schemas/customer.avsc", '{"name": "contact", "type"', '{"name": "contact", "confluent:tags": ["PII"], "type"'), at="customer.avsc", file="crm.flec"),
        mutant("a tag on an array itself", "tag-on-record", change("crm.flec", "    field contact.alternates[] is PII", "    field contact.alternates is PII"), at="contact.alternates"),
        mutant("a number beside the text", "silent-plaintext-union",
               change("schemas/customer.avsc", '"name": "ssn", "type": ["null", "string"]', '"name": "ssn", "type": ["null", "string", "long"]'), at="field ssn", file="crm.flec"),
        mutant("the same in JSON Schema", "silent-plaintext-union",
               change("schemas/enquiry.schema.json", '"oneOf": [{"type": "null"}, {"type": "string"}]', '"oneOf": [{"type": "integer"}, {"type": "string"}]'), at="visitor.email", file="web.flec"),
        mutant("values without names of their own, which no client reaches", "path-not-walked", change("schemas/enquiry.schema.json", '    "newsletter": {"type": "boolean"},', '    "newsletter": {"type": "boolean"},\n    "answers": {"type": "object", "additionalProperties": {"type": "string"}},'),
               change("web.flec", "    field newsletter        is clear", "    field newsletter        is clear\n    field answers.*         is PII"), at="answers.*", file="web.flec"),
        mutant("a record type used twice, written with Go", "client-leaves-clear", change("estate.flec", "User:sa-orders client java", "User:sa-orders client go"),
               at="field delivery.street", file="archive.flec"),
        mutant("the same, and nobody says who writes", "client-may-leave-clear", change("estate.flec", "User:sa-orders client java", "User:sa-orders"),
               at="field delivery.street", file="archive.flec"),
        mutant("JSON with an anyOf of required, written with Java", "client-leaves-clear", change("estate.flec", "User:sa-web client python", "User:sa-web client java"),
               change("schemas/enquiry.schema.json", '  "type": "object",\n  "properties": {\n    "id"', '  "type": "object",\n  "anyOf": [{"required": ["id"]}, {"required": ["page"]}],\n  "properties": {\n    "id"'),
               at="field", file="web.flec"),
        near("null may stand first or last", change("schemas/customer.avsc", '"name": "ssn", "type": ["null", "string"], "default": null', '"name": "ssn", "type": ["string", "null"], "default": ""')),
        near("the record type used twice, written with JavaScript", change("estate.flec", "User:sa-orders client java", "User:sa-orders client javascript"))),
    row(6, "C", "a tag without a rule, a rule that no field carries, a tag spelt in another way", "tag-not-encrypted idle-rule unknown-tag topic-undecided no-such-field tag-wider-than-path field-not-listed",
        mutant("a tag that no rule of the side names", "tag-not-encrypted", change("crm.flec", "    field ip           is PII", "    field ip           is PCI"), at="field ip"),
        mutant("a rule for a tag that nobody carries", "idle-rule", change("crm.flec", CONSENTS, CONSENTS.replace("encrypt PII", "encrypt PII, HEALTH")), at="encrypt PII, HEALTH"),
        mutant("a tag spelt in another way", "unknown-tag", change("crm.flec", "    field ip           is PII", "    field ip           is Pii"), at="field ip"),
        mutant("a tag in the schema, spelt in another way", "unknown-tag",
               change("schemas/survey.avsc", '"name": "participant"', '"name": "participant", "confluent:tags": ["PPI"]'), at="survey.avsc", file="lab.flec"),
        mutant("tags and no rule at all", "topic-undecided", change("crm.flec", "    encrypt PII with crm-kek {\n      algorithm AES256_SIV\n      rotate    never\n    }\n  }\n  value avro \"schemas/consent.avsc\"", "  }\n  value avro \"schemas/consent.avsc\""),
               at="key avro"),
        mutant("a field that is not there", "no-such-field", change("crm.flec", "    field ip           is PII", "    field ip_address   is PII"), at="ip_address"),
        mutant("a path from the root where Avro's keys name the record", "no-such-field", change("crm.flec", "    field person.phone is PII", "    field phone        is PII"), at="field phone"),
        mutant("a path through an array without its brackets", "no-such-field", change("web.flec", "    field messages[].text   is PII", "    field messages.text     is PII"), at="messages.text"),
        mutant("one place of a record type that stands in two", "tag-wider-than-path",
               change("orders.flec", "    field before.buyer_name    is PII\n", ""), at="after.buyer_name"),
        mutant("a key for arrays that reaches another field", "tag-wider-than-path", change("schemas/enquiry.schema.json", '    "messages": {\n', '    "messages_log": {"type": "object", "properties": {"text": {"type": "string"}}, "additionalProperties": false},\n    "messages": {\n'),
               change("web.flec", "    field messages[].at     is clear\n", "    field messages[].at     is clear\n    field messages_log.text is clear\n"), at="messages[].text", file="web.flec"),
        mutant("a new field in a schema", "field-not-listed", change("schemas/survey.avsc", '{"name": "participant"', '{"name": "nickname", "type": "string", "default": ""},\n    {"name": "participant"'), at="value avro", file="lab.flec"),
        near("a tag that only labels", change("crm.flec", "    field wording      is clear", "    field wording      is clear, INTERNAL")),
        near("a rule for two tags, both carried", change("crm.flec", "    field ip           is PII", "    field ip           is PCI"), change("crm.flec", CONSENTS, CONSENTS.replace("encrypt PII with crm-kek", "encrypt PII, PCI with pci-kek")))),
    row(7, "C", "a tag on a number, date, boolean or enum: every record is refused", "cannot-encrypt-type",
        mutant("a number", "cannot-encrypt-type", change("crm.flec", "    field revision             is clear", "    field revision             is PII"), at="revision"),
        mutant("an enum", "cannot-encrypt-type", change("crm.flec", "    field contact.preferred    is clear", "    field contact.preferred    is PII"), at="contact.preferred"),
        mutant("a boolean in Protobuf", "cannot-encrypt-type", change("mobile.flec", "    field profile.premium   is clear", "    field profile.premium   is PII"), at="profile.premium"),
        mutant("a text of JSON Schema that takes some values only", "cannot-encrypt-type", change("schemas/enquiry.schema.json", '"text": {"type": "string"}', '"text": {"type": "string", "enum": ["a", "b"]}'), at="messages[].text", file="web.flec"),
        near("a text", change("crm.flec", "    field card.network         is clear", "    field card.network         is PII"))),
    row(8, "C", "an ENCRYPT rule without tags meets every field", "syntax rule-refused",
        mutant("said of encrypt", "syntax", change("crm.flec", CONSENTS, CONSENTS.replace("encrypt PII with", "encrypt with")), at="encrypt with"),
        mutant("as a rule that is passed through", "rule-refused", rule("phase domain\ntype ENCRYPT"), at="ENCRYPT"),
        near("a condition without tags", rule("phase domain\ntype CEL\nkind CONDITION\nmode WRITE\nexpr \"message.id != ''\""))),
    row(9, "C", "a KEK registered with another key id or type: both are immutable", "kek-differs duplicate-name",
        mutant("another key than the one in use", "kek-differs", change("keys.flec", "alias/shops", "alias/shops-2"), at="alias/shops-2", previous=[]),
        mutant("another KMS than the one in use", "kek-differs", change("keys.flec", "  kms   gcp \"projects/acme-support/locations/europe-west1/keyRings/csfle/cryptoKeys/incidents\"", "  kms   aws \"arn:aws:kms:eu-west-1:111122223333:alias/incidents\""), at="kms", previous=[]),
        mutant("two environments of one registry", "kek-differs", change("estate.flec", '"lsrc-acmestage"', '"lsrc-acme01"'), at="kms", file="keys.flec"),
        mutant("one name for two keys", "duplicate-name", add("keys.flec", '\nkek lab-kek {\n  kms aws "arn:aws:kms:eu-west-1:111122223333:alias/lab"\n  shared\n}\n'), at="kek lab-kek"),
        near("another key to try next", change("keys.flec", '  alternates "https://vault-2.acme.example:8200/transit/keys/hr"', '  alternates "https://vault-3.acme.example:8200/transit/keys/hr"'), previous=[]),
        near("registries that share an address of the cloud", change("estate.flec", 'registry "${env:SCHEMA_REGISTRY_URL}"', 'registry "https://psrc-acme1.eu-west-1.aws.confluent.cloud"')),
        near("a key of each environment's own registry", change("keys.flec", "alias/shops", "alias/shops-${environment}")),
        says="`flec plan` against the registry"),
    row(10, "C", "a key id in another shape than its KMS takes", "kek-key-id",
        mutant("a bare UUID", "kek-key-id", change("keys.flec", '"arn:aws:kms:eu-west-1:${crm-account}:key/55aa55aa-12ab-34cd-56ef-1234567890ab"', '"55aa55aa-12ab-34cd-56ef-1234567890ab"'), at="55aa55aa"),
        mutant("an alias without its ARN", "kek-key-id", change("keys.flec", '"arn:aws:kms:${zone}:${crm-account}:alias/shops"', '"alias/shops"'), at="alias/shops"),
        mutant("a region of another partition", "kek-key-id", change("keys.flec", "arn:aws:kms:${zone}:", "arn:aws-us-gov:kms:${zone}:"), at="us-gov"),
        mutant("Azure without a version", "kek-key-id", change("keys.flec", "/keys/orders/0123456789abcdef0123456789abcdef", "/keys/orders"), at="/keys/orders"),
        mutant("Google with a version", "kek-key-id", change("keys.flec", "cryptoKeys/incidents", "cryptoKeys/incidents/cryptoKeyVersions/1"), at="cryptoKeyVersions"),
        mutant("Vault under a mount of two steps", "kek-key-id", change("keys.flec", 'vault "https://vault.acme.example:8200/transit/keys/hr"', 'vault "https://vault.acme.example:8200/people/transit/keys/hr"'), at="people/transit"),
        mutant("Vault without the key", "kek-key-id", change("keys.flec", 'vault "https://vault.acme.example:8200/transit/keys/hr"', 'vault "https://vault.acme.example:8200/transit/keys"'), at="transit/keys"),
        near("an alias with its ARN", change("keys.flec", "key/55aa55aa-12ab-34cd-56ef-1234567890ab", "alias/audit")),
        near("a region of that partition, and somebody answers for it", change("keys.flec", '"arn:aws:kms:eu-west-1:${crm-account}:key/55aa55aa', '"arn:aws-us-gov:kms:us-gov-west-1:${crm-account}:key/55aa55aa'),
             add("rules.flec", 'allow kek-key-id on kek audit-kek because "our own registry, whose version takes the partition"\n')),
        near("Vault under another mount", change("keys.flec", 'vault "https://vault.acme.example:8200/transit/keys/hr"', 'vault "https://vault.acme.example:8200/people/keys/hr"'))),
    row(11, "E", "algorithm, rotation, KEK, tag or rule changed: old records would not open, or stay in clear", "evolution-algorithm evolution-rotation evolution-kek evolution-removed evolution-history",
        mutant("another algorithm", "evolution-algorithm", consents("\n      algorithm AES128_GCM"), at="AES128_GCM", previous=[]),
        mutant("rotation switched off", "evolution-rotation", change("archive.flec", "      rotate    30d", "      rotate    never"), at="never", previous=[]),
        mutant("another KEK", "evolution-kek", change("crm.flec", CONSENTS, CONSENTS.replace("crm-kek", "audit-kek")), at="audit-kek", previous=[]),
        mutant("a tag taken away", "evolution-removed", change("crm.flec", "    field ip           is PII", "    field ip           is clear"), at="field ip", previous=[]),
        mutant("a topic taken away", "evolution-removed", change("lab.flec", "topic lab.surveys {", "topic lab.polls {"), change("lab.flec", "  produce lab.surveys", "  produce lab.polls"), change("lab.flec", "  expect topic lab.surveys", "  expect topic lab.polls"),
               at="platform cloud", file="estate.flec", previous=[]),
        mutant("a tag on a field with a past in clear", "evolution-history", change("crm.flec", "    field purpose      is clear\n    field granted", "    field purpose      is PII\n    field granted"), at="PII", previous=[]),
        mutant("a passed-through rule taken away", "evolution-removed", change("web.flec", "    rule has-a-page {", "    rule has-pages {"), at="value json", previous=[]),
        near("data keys that live shorter", change("archive.flec", "      rotate    30d", "      rotate    7d"), previous=[]),
        near("a tag on a field that is encrypted already", change("crm.flec", "    field ip           is PII", "    field ip           is PII, INTERNAL"), previous=[])),
    row(12, "C", "onFailure NONE on write sends plaintext; `ERROR,NONE` lets sinks write ciphertext", "syntax rule-refused evolution-history read-failure-to-target",
        mutant("said of encrypt", "syntax", consents("\n      on-failure NONE"), at="on-failure"),
        mutant("switched off", "syntax", consents("\n      disabled"), at="disabled"),
        mutant("run elsewhere", "syntax", consents("\n      enableAt GATEWAY"), at="enableAt"),
        mutant("for reading alone", "syntax", consents("\n      mode READ"), at="mode READ"),
        mutant("as a rule that is passed through", "rule-refused", rule("phase domain\ntype ENCRYPT\ntags PII\non-failure NONE"), at="ENCRYPT"),
        mutant("switched off, as a rule that is passed through", "rule-refused", rule("phase domain\ntype ENCRYPT\ntags PII\ndisabled"), at="ENCRYPT"),
        mutant("in the build in use", "evolution-history", previous=[change(SUBJECT, '"onFailure": "ERROR,ERROR"', '"onFailure": "NONE,ERROR"')], at="field person.name", file="crm.flec"),
        mutant("switched off in the build in use", "evolution-history", previous=[change(SUBJECT, '"type": "ENCRYPT"', '"type": "ENCRYPT", "disabled": true')], at="field person.name", file="crm.flec"),
        mutant("run elsewhere in the build in use", "evolution-history", previous=[change(SUBJECT, '"ruleSet": {', '"ruleSet": {"enableAt": "GATEWAY",')], at="field person.name", file="crm.flec"),
        mutant("with no tag in the build in use that it reaches", "evolution-history", previous=[change(SUBJECT, '"tags": [\n          "PII"\n        ]', '"tags": [\n          "PIl"\n        ]')], at="field ip", file="crm.flec"),
        warns("a sink that would write ciphertext", "read-failure-to-target", change("support.flec", "    field u_opened_at is clear\n    encrypt PII with support-kek {", "    field u_opened_at is clear\n    encrypt PII with support-kek {\n      read-failure ciphertext"), at="connector requests-out"),
        near("ciphertext for readers, and no sink", consents("\n      read-failure ciphertext")),
        near("run everywhere in the build in use", previous=[change(SUBJECT, '"ruleSet": {', '"ruleSet": {"enableAt": "ALL",')])),
    row(13, "C", "ENCRYPT in encodingRules, ENCRYPT_PAYLOAD in domainRules: no executor is found", "rule-refused",
        mutant("ENCRYPT in encodingRules", "rule-refused", rule("phase encoding\ntype ENCRYPT\ntags PII"), at="ENCRYPT"),
        mutant("ENCRYPT_PAYLOAD in domainRules", "rule-refused", rule("phase domain\ntype ENCRYPT_PAYLOAD"), at="ENCRYPT_PAYLOAD"),
        mutant("a rule of fields over bytes", "rule-refused", rule('phase encoding\ntype CEL_FIELD\nkind CONDITION\nexpr "true"'), at="CEL_FIELD"),
        near("a type of one's own over bytes", rule("phase encoding\ntype ACME_SIGN\nmode WRITE"))),
    row(14, "C", "a parameter that nobody knows (`encrypt.algorithm`) is passed over", "syntax rule-refused",
        mutant("a misspelt word of encrypt", "syntax", consents("\n      algoritm AES256_SIV"), at="algoritm"),
        mutant("a parameter in properties", "syntax", change("web.flec", '      owner = "team-web"', '      owner = "team-web"\n      encrypt.algorithm = AES256_SIV'), at="encrypt.algorithm"),
        mutant("a parameter of a passed-through rule", "rule-refused", rule('phase domain\ntype CEL\nkind CONDITION\nexpr "true"\nparams {\n  encrypt.algorithm = AES256_SIV\n}'), at="encrypt.algorithm"),
        near("a property of one's own", change("web.flec", '      owner = "team-web"', '      owner = "team-web"\n      algorithm = none'))),
    row(15, "P", "the registry drops rule sets without a word, or refuses them", "", says="`flec apply` reads back what it registered; `flec verify`"),
    row(16, "C", "the schema that a connector derives does not fit the registered one: every record is refused", "derived-schema tags-by-name incompatible-schema",
        warns("a record of another name", "derived-schema", change("schemas/payment.avsc", '"name": "Value"', '"name": "Payment"'), at="payment.avsc", file="orders.flec"),
        mutant("tags that hold for one record name alone", "tags-by-name", change("orders.flec", '  value avro "schemas/order-change.avsc" {\n', '  value avro "schemas/order-change.avsc" {\n    tags-in metadata\n'), at="tags-in"),
        mutant("a schema that the subject's level refuses", "incompatible-schema", change("schemas/survey.avsc", '{"name": "participant"', '{"name": "round", "type": "int"},\n    {"name": "participant"'), change("lab.flec", "    field id          is clear", "    field id          is clear\n    field round       is clear"),
               at="survey.avsc", file="lab.flec", previous=[]),
        near("another text for people", change("schemas/payment.avsc", '"doc": "Remittance text"', '"doc": "What the payer wrote"'), previous=[]), says="`flec verify` with a sample"),
    row(17, "C", "rules change, and a connector keeps the old ones", "stale-rules",
        warns("no interval by default", "stale-rules", change("rules.flec", "  refresh   300s\n", ""), at="connector", file="archive.flec"),
        warns("none for values", "stale-rules", change("rules.flec", "  refresh   300s", "  refresh key 300s"), at="connector", file="archive.flec"),
        near("a slow one", change("rules.flec", "  refresh   300s", "  refresh   3600s"))),
    row(18, "E", "a subject or topic is renamed or routed elsewhere: other data keys, bindings of the old name", "topic-mismatch undefined-topic evolution-subject evolution-removed",
        mutant("a route that goes elsewhere", "topic-mismatch", change("orders.flec", '    transforms.route.replacement = "orders.changes"', '    transforms.route.replacement = "orders.change"'), at="topics orders.changes"),
        mutant("the name of a table changes", "topic-mismatch", change("orders.flec", r"'public\.payments'", r"'public\.payment'"), at="public"),
        mutant("a template in other letters", "topic-mismatch", change("sales.flec", "kafka.topic.lowercase          = true", "kafka.topic.lowercase          = false"), at="kafka.topic "),
        mutant("a topic that nothing states", "undefined-topic", change("archive.flec", "  topics       orders.closed\n", "  topics       orders.close\n"), at="orders.close"),
        mutant("another name of the subject", "evolution-subject", change("orders.flec", '    field payer      is PII', '    subject record-name\n    field payer      is PII'), at="value avro", previous=[]),
        mutant("another name of the topic", "evolution-removed", change("lab.flec", "topic lab.surveys {", "topic lab.polls {"), change("lab.flec", "  produce lab.surveys", "  produce lab.polls"), change("lab.flec", "  expect topic lab.surveys", "  expect topic lab.polls"),
               at="platform cloud", file="estate.flec", previous=[]),
        near("the same route in other words", change("orders.flec", r"'billing\.public\.(.*)'", r"'billing[.]public[.](payments)'"), previous=[])),
    row(19, "C", "the subject of a key, of heartbeats or of transactions is missing", "side-topic-undefined topic-undecided generated-property",
        mutant("the key of a source that makes records of it", "topic-undecided",
               change("orders.flec", '  key avro "schemas/payment-key.avsc" {\n    clear because "a surrogate number"\n  }\n  value', "  value"), at="topic orders.payments"),
        mutant("heartbeats", "side-topic-undefined", cdc("heartbeat.interval.ms = 10000"), at="heartbeat"),
        mutant("transactions", "side-topic-undefined", cdc("provide.transaction.metadata = true"), at="provide.transaction"),
        mutant("a key's converter with a registry, by hand", "generated-property",
               cdc('key.converter = "io.confluent.connect.avro.AvroConverter"'), at="key.converter ="),
        near("no heartbeats", cdc("heartbeat.interval.ms = 0")),
        built("each converter with a registry finds its subject", subjects_there)),
    row(20, "C", "reports, parse errors, headers of dead letters, the error log or names of objects hold plaintext", "reporter-in-clear error-log-in-clear partitioned-by-encrypted-field ciphertext-to-source",
        mutant("reports left to their default", "reporter-in-clear", change("support.flec", "  reports      off\n", ""), at="connector requests-out"),
        mutant("reports of errors", "reporter-in-clear", change("support.flec", "  reports      off", "  reports      errors support.refused"), add("support.flec", '\ntopic support.refused {\n  value string\n  clear because "for support"\n  owner team-support\n}\n'), at="reports"),
        mutant("lines that cannot be parsed", "error-log-in-clear", change("archive.flec", "    behavior.on.error            = fail", "    behavior.on.error            = log"), at="behavior.on.error"),
        mutant("the log of a source", "error-log-in-clear", cdc("errors.log.enable = true\n    errors.log.include.messages = true"), at="include.messages"),
        mutant("headers of dead letters", "error-log-in-clear", archive("errors.deadletterqueue.context.headers.enable = true"), at="context.headers"),
        mutant("an object named by an encrypted field", "partitioned-by-encrypted-field",
               change("archive.flec", '    s3.ssea.name          = AES256\n', '    s3.ssea.name          = AES256\n    partitioner.class     = "io.confluent.connect.storage.partitioner.FieldPartitioner"\n    partition.field.name  = iban\n'), at="iban"),
        mutant("objects that hold ciphertext are read again", "ciphertext-to-source",
               change("archive.flec", "    encrypt PII with orders-kek {\n      rotate 90d", "    encrypt PII with orders-kek {\n      rotate       90d\n      read-failure ciphertext"), at="connector orders-restore"),
        near("an object named by a field in clear",
             change("archive.flec", '    s3.ssea.name          = AES256\n', '    s3.ssea.name          = AES256\n    partitioner.class     = "io.confluent.connect.storage.partitioner.FieldPartitioner"\n    partition.field.name  = currency\n')),
        near("the log of a sink has places only", archive("errors.log.enable = true\n    errors.log.include.messages = true"))),
    row(21, "P", "a decryption that fails is really expired or missing KMS credentials", "", says="`flec verify` asks the KMS"),
    row(22, "C", "a worker's web identity and a role to assume: loops", "assume-role-loop",
        warns("a role beside the worker's own credentials", "assume-role-loop", change("keys.flec", '    access.key.id     = "${env:PCI_KMS_KEY_ID}"\n    secret.access.key = secret("file:/run/secrets/kms.properties:pci")\n', '    role.arn = "arn:aws:iam::444455556666:role/csfle"\n'), at="role.arn"),
        near("a role beside a pair of keys", change("keys.flec", '    access.key.id     = "${env:PCI_KMS_KEY_ID}"\n', '    access.key.id     = "${env:PCI_KMS_KEY_ID}"\n    role.arn = "arn:aws:iam::444455556666:role/csfle"\n'))),
    row(23, "C", "one KMS client for a whole worker: the first connector's credentials are used by all", "kms-parameters-clash",
        mutant("two keys of one connector", "kms-parameters-clash", change("keys.flec", '1234abcd-12ab-34cd-56ef-1234567890ab"\n  shared', '1234abcd-12ab-34cd-56ef-1234567890ab"\n  private {\n    access.key.id     = "${env:CRM_KMS_KEY_ID}"\n    secret.access.key = secret("file:/run/secrets/kms.properties:crm")\n  }'), at="connector customers-archive", file="archive.flec"),
        near("two keys with the same credentials", change("keys.flec", '1234abcd-12ab-34cd-56ef-1234567890ab"\n  shared', '1234abcd-12ab-34cd-56ef-1234567890ab"\n  private {\n    access.key.id     = "${env:PCI_KMS_KEY_ID}"\n    secret.access.key = secret("file:/run/secrets/kms.properties:pci")\n  }'))),
    row(24, "P", "a shared KEK that an old Python client does not find, or an old registry loops over", "", says="`flec verify` asks for versions"),
    row(25, "B", "Terraform or a second registration changes rules that nobody touched", "",
        built("each rule says kind, mode and onFailure, and no more than the registry takes", rules_complete),
        built("keys before subjects, subjects behind those they refer to", order_of_registration),
        built("what has not changed is the same text", same_bytes), says="order and texts of what is built"),
    row(26, "C", "fields in objects of JSON stay in clear with BASE64 decimals", "nested-base64-decimal",
        warns("a source that writes JSON, on workers before 8.2", "nested-base64-decimal", add("web.flec", WEB_SOURCE % ""), at="connector enquiries-in"),
        near("decimals as numbers", add("web.flec", WEB_SOURCE % "\n    value.converter.decimal.format = NUMERIC"))),
    row(27, "C", "a whole JSON document in one text has no fields to tag", "opaque-json",
        warns("the body of a JMS message", "opaque-json", change("hr.flec", HR_TEXT, ""), at="jms-value.avsc"),
        warns("a column of JSON", "opaque-json", change("schemas/payment.avsc", '{"name": "currency", "type": "string"}', '{"name": "currency", "type": {"type": "string", "connect.name": "io.debezium.data.Json"}}'), at="field currency", file="orders.flec"),
        near("a column of JSON that is encrypted whole", change("schemas/payment.avsc", '{"name": "payer", "type": "string"}', '{"name": "payer", "type": {"type": "string", "connect.name": "io.debezium.data.Json"}}'))),
    row(28, "C", "a mode of Debezium gives a tagged field another type", "type-changing-mode",
        mutant("a decimal of bytes in the schema, a text by the mode", "type-changing-mode", change("orders.flec", "    field amount     is clear", "    field amount     is PII"),
               change("schemas/payment.avsc", '{"name": "amount", "type": "string"}', '{"name": "amount", "type": {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}}'),
               at="decimal.handling.mode", file="orders.flec"),
        mutant("a tagged field cast by a transformation", "type-changing-mode", change("orders.flec", "[unwrap, route]", "[unwrap, cast, route]"),
               payments('transforms.cast.type = "org.apache.kafka.connect.transforms.Cast$Value"\n    transforms.cast.spec = "pan:int64"'), at="transforms.cast.spec"),
        mutant("an interval as a number", "type-changing-mode", payments("interval.handling.mode = numeric"),
               change("schemas/payment.avsc", '{"name": "payer", "type": "string"}', '{"name": "payer", "type": {"type": "string", "connect.name": "io.debezium.time.Interval"}}'), at="interval.handling.mode"),
        near("a decimal that is a text in both", change("orders.flec", "    field amount     is clear", "    field amount     is PII"))),
    row(29, "C", "two rules with the same tags: one runs, or JavaScript runs both", "encrypted-twice rule-name",
        mutant("the same tags twice", "encrypted-twice", after("crm.flec", "    field at           is clear", "    encrypt PII with pci-kek {\n      rotate 90d\n      name second\n    }"), at="encrypt PII"),
        mutant("tags that overlap", "encrypted-twice", change("crm.flec", "    encrypt PCI with pci-kek {", "    encrypt PCI, PII with pci-kek {"), at="encrypt"),
        mutant("one field under two rules", "encrypted-twice", change("crm.flec", "    field card.holder          is PII", "    field card.holder          is PII, PCI"), at="encrypt PII with crm-kek"),
        mutant("two rules of one name", "rule-name", rule('phase domain\ntype CEL\nkind CONDITION\nexpr "true"') , change("web.flec", "    encrypt PII with crm-kek {\n      rotate 30d", "    encrypt PII with crm-kek {\n      rotate 30d\n      name   mine"), at="mine"),
        near("one rule for both tags", change("crm.flec", "    field ip           is PII", "    field ip           is PCI"), change("crm.flec", CONSENTS, CONSENTS.replace("encrypt PII with crm-kek", "encrypt PCI, PII with pci-kek")))),
    row(30, "B", "a binding of another consumer group than the connector's, or without the cloud's cluster", "unknown-principal unused-grant wide-grant",
        mutant("a principal that nobody declares", "unknown-principal", change("orders.flec", "  readers User:sa-analytics\n  owner   team-payments", "  readers User:sa-analytic\n  owner   team-payments"), at="sa-analytic"),
        warns("a principal that needs nothing", "unused-grant", add("estate.flec", '\nprincipal User:sa-old "left last year"\n'), at="sa-old"),
        warns("keys for all who read", "wide-grant", change("estate.flec", "  grants         least", "  grants         documented"), at="platform cloud"),
        near("one more who reads", change("orders.flec", "  readers User:sa-analytics\n  owner   team-payments", "  readers User:sa-analytics, User:sa-portal\n  owner   team-payments")),
        built("a group for each sink, after its connector", groups_after_connectors),
        built("a connector with another name has another group", groups_after_connectors, change("archive.flec", "connector orders-archive : s3-sink", "connector closed-orders : s3-sink"), change("archive.flec", "test \"the orders' archive gets plaintext\" {\n  connector orders-archive", "test \"the orders' archive gets plaintext\" {\n  connector closed-orders"), change("archive.flec", "  expect delivered equals sent\n  connector orders-archive", "  expect delivered equals sent\n  connector closed-orders")),
        built("bindings of Kafka name the cloud's cluster", cloud_cluster)),
]
