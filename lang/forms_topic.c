/* forms_topic.c: the statements of `topic`, its sides, `encrypt`, `rule`, `subject` and `connector`, as data. */
#include "lang/forms_tables.h"

#define CLEAR     "clear because <reason:TEXT> [until <until:DATE>]"
#define LEVELS    "BACKWARD|BACKWARD_TRANSITIVE|FORWARD|FORWARD_TRANSITIVE|FULL|FULL_TRANSITIVE|NONE"
#define REFERENCE "reference <name:NAME> to subject <subject:NAME> [version <version:INT>]"

const lang_form lang_forms_topic[] = {
    {"topic.key", "key <format:avro|json> <schema:TEXT>", LANG_F_BLOCK, LANG_SIDE, "`key string`",
     "the key, with a schema", "`schemaType`, `schema`; converter class"},
    {"topic.key", "key <format:protobuf> <schema:TEXT> message <message:NAME>", LANG_F_BLOCK, LANG_SIDE, NULL,
     "the key, a Protobuf message", "`schemaType`, `schema`; converter class"},
    {"topic.key", "key <format:string|bytes|short|integer|long|float|double>", LANG_F_BLOCK, LANG_SIDE, NULL,
     "a key without a schema, which cannot be encrypted", "converter class"},
    {"topic.value", "value <format:avro|json> <schema:TEXT>", LANG_F_REQUIRED | LANG_F_BLOCK, LANG_SIDE, NULL,
     "the value, with a schema", "`schemaType`, `schema`; converter class"},
    {"topic.value", "value <format:protobuf> <schema:TEXT> message <message:NAME>", LANG_F_REQUIRED | LANG_F_BLOCK,
     LANG_SIDE, NULL, "the value, a Protobuf message", "`schemaType`, `schema`; converter class"},
    {"topic.value", "value <format:string|bytes|short|integer|long|float|double>", LANG_F_REQUIRED | LANG_F_BLOCK,
     LANG_SIDE, NULL, "a value without a schema: the topic or the side must be `clear`", "converter class"},
    {"topic.clear", CLEAR, 0, LANG_NOBLOCK, NULL, "both sides are in clear on purpose",
     "reports; `clear-expired` after the date"},
    {"topic.writers", "writers <principals:PRINCIPAL…>", 0, LANG_NOBLOCK, "none", "who writes",
     "bindings: DeveloperWrite on topic and key, DeveloperRead on the subject"},
    {"topic.readers", "readers <principals:PRINCIPAL…>", 0, LANG_NOBLOCK, "none", "who reads",
     "bindings: DeveloperRead on topic, key and subject"},
    {"topic.owner", "owner <owner:NAME>", 0, LANG_NOBLOCK, "none", "who to ask", "reports"},
    {"topic.doc", "doc <doc:TEXT>", 0, LANG_NOBLOCK, "none", "for people", "reports"},
};
const size_t lang_nforms_topic = LANG_COUNT(lang_forms_topic);

const lang_form lang_forms_side[] = {
    {"side.field", "field <path:PATH> is <tags:TAG…>", LANG_F_REPEAT, LANG_NOBLOCK, NULL,
     "the field carries these tags, together with those written in the schema", "`metadata.tags` and/or inline tags"},
    {"side.field-clear", "field <path:PATH> is clear,<tags:TAG…>", LANG_F_REPEAT, LANG_NOBLOCK, NULL,
     "the field is in clear on purpose; needed also when all its tags are `clear` tags",
     "`metadata.tags` for the tags"},
    {"side.exhaustive", "exhaustive", 0, LANG_NOBLOCK, "off",
     "every leaf field of the schema must stand in a `field` line, so that a field added to a schema cannot slip out",
     "checks"},
    {"side.encrypt", "encrypt <tags:TAG…> with <kek:NAME>", LANG_F_REPEAT | LANG_F_BLOCK, LANG_ENCRYPT, NULL,
     "encrypts the fields that carry one of the tags", "`ruleSet`"},
    {"side.encrypt-payload", "encrypt payload with <kek:NAME>", LANG_F_BLOCK, LANG_ENCRYPT, NULL,
     "encrypts the whole body", "`ruleSet`"},
    {"side.rule", "rule <name:NAME>", LANG_F_REPEAT | LANG_F_BLOCK_REQUIRED, LANG_RULE, NULL,
     "a rule that is passed through", "`ruleSet`"},
    {"side.reference", REFERENCE, LANG_F_REPEAT, LANG_NOBLOCK, "the version that registration gives",
     "a schema reference by its import name, to the registry name of a subject of the estate", "`references`"},
    {"side.subject", "subject <strategy:topic-name|record-name|topic-record-name>", 0, LANG_NOBLOCK, "topic-name",
     "subject name strategy, equal for all topics of a connector",
     "subject name; `K.value.subject.name.strategy`, `K.key.subject.name.strategy`"},
    {"side.tags-in", "tags-in <tags-in:metadata|inline|both>", 0, LANG_NOBLOCK, "both", "where tags are written",
     "`metadata.tags`; the text of the schema, edited in its original bytes"},
    {"side.compatibility", "compatibility <level:" LEVELS ">", 0, LANG_NOBLOCK, "the registry's",
     "compatibility level of the subject", "`registry/config/SUBJECT.json`"},
    {"side.properties", "properties", LANG_F_BLOCK_REQUIRED, LANG_PROPERTIES, "none",
     "metadata properties; `encrypt.*` is refused", "`metadata.properties`"},
    {"side.clear", CLEAR, 0, LANG_NOBLOCK, NULL, "the side is in clear on purpose", "reports"},
    {"side.doc", "doc <doc:TEXT>", 0, LANG_NOBLOCK, "none", "for people", "reports"},
};
const size_t lang_nforms_side = LANG_COUNT(lang_forms_side);

const lang_form lang_forms_encrypt[] = {
    {"encrypt.algorithm", "algorithm <algorithm:AES128_GCM|AES256_GCM|AES256_SIV>", 0, LANG_NOBLOCK, "AES256_GCM",
     "the cipher; AES256_SIV gives equal ciphertext for equal text", "`encrypt.dek.algorithm`"},
    {"encrypt.rotate", "rotate <rotate:DURATION(d)|never>", 0, LANG_NOBLOCK, "never", "life of a data key, in days",
     "`encrypt.dek.expiry.days`"},
    {"encrypt.name", "name <name:NAME>", 0, LANG_NOBLOCK, "`encrypt-` and the tags", "name of the rule", "`name`"},
    {"encrypt.order", "order <order:INT>", 0, LANG_NOBLOCK, "100", "place among the rules of the side",
     "order of the rules"},
    {"encrypt.mode", "mode <mode:WRITEREAD|WRITE>", 0, LANG_NOBLOCK, "WRITEREAD",
     "with WRITE nobody decrypts by this rule", "`mode`"},
    {"encrypt.read-failure", "read-failure <read-failure:error|ciphertext>", 0, LANG_NOBLOCK, "error",
     "what a reader without the key gets", "`onFailure`"},
};
const size_t lang_nforms_encrypt = LANG_COUNT(lang_forms_encrypt);

const lang_form lang_forms_rule[] = {
    {"rule.phase", "phase <phase:domain|encoding|migration>", LANG_F_REQUIRED, LANG_NOBLOCK, NULL,
     "which list of rules it goes to", "`domainRules`, `encodingRules`, `migrationRules`"},
    {"rule.type", "type <type:NAME>", LANG_F_REQUIRED, LANG_NOBLOCK, NULL,
     "`CEL`, `CEL_FIELD`, `JSONATA` …; ENCRYPT and ENCRYPT_PAYLOAD are refused: write `encrypt`", "`type`"},
    {"rule.kind", "kind <kind:TRANSFORM|CONDITION>", 0, LANG_NOBLOCK, "TRANSFORM", "what the rule does", "`kind`"},
    {"rule.mode", "mode <mode:WRITEREAD|WRITE|READ|UPDOWN|UPGRADE|DOWNGRADE>", 0, LANG_NOBLOCK,
     "WRITEREAD; of a migration UPDOWN", "when the rule runs", "`mode`"},
    {"rule.tags", "tags <tags:TAG…>", 0, LANG_NOBLOCK, "none", "fields it is meant for", "`tags`"},
    {"rule.expr", "expr <expr:TEXT>", 0, LANG_NOBLOCK, "none", "the expression", "`expr`"},
    {"rule.params", "params", LANG_F_BLOCK_REQUIRED, LANG_PARAMS, "none", "parameters; `encrypt.*` is refused",
     "`params`"},
    {"rule.on-success", "on-success <actions:NAME…>", 0, LANG_NOBLOCK, "none", "one action, or two: of write and read",
     "`onSuccess`"},
    {"rule.on-failure", "on-failure <actions:NAME…>", 0, LANG_NOBLOCK, "ERROR", "one action, or two: of write and read",
     "`onFailure`"},
    {"rule.order", "order <order:INT>", 0, LANG_NOBLOCK, "0", "place among the rules of the side",
     "order of the rules"},
    {"rule.disabled", "disabled", 0, LANG_NOBLOCK, "off", "registered, and not run", "`disabled`"},
    {"rule.doc", "doc <doc:TEXT>", 0, LANG_NOBLOCK, "none", "for people", "`doc`"},
};
const size_t lang_nforms_rule = LANG_COUNT(lang_forms_rule);

const lang_form lang_forms_subject[] = {
    {"subject.reference", REFERENCE, LANG_F_REPEAT, LANG_NOBLOCK, "the version that registration gives",
     "a schema reference by its import name, to the registry name of a subject of the estate", "`references`"},
    {"subject.compatibility", "compatibility <level:" LEVELS ">", 0, LANG_NOBLOCK, "the registry's",
     "compatibility level of the subject", "`registry/config/SUBJECT.json`"},
    {"subject.properties", "properties", LANG_F_BLOCK_REQUIRED, LANG_PROPERTIES, "none",
     "metadata properties; `encrypt.*` is refused", "`metadata.properties`"},
    {"subject.doc", "doc <doc:TEXT>", 0, LANG_NOBLOCK, "none", "for people", "reports"},
};
const size_t lang_nforms_subject = LANG_COUNT(lang_forms_subject);

const lang_form lang_forms_connector[] = {
    {"connector.topics", "topics <topics:NAME…>", LANG_F_REQUIRED | LANG_F_FIXED, LANG_NOBLOCK, NULL,
     "a sink: what it reads; a source: what it writes, side topics included", "`topics` of a sink"},
    {"connector.principal", "principal <principal:PRINCIPAL>", 0, LANG_NOBLOCK, NULL,
     "who it runs as, the owner of the registry's API key; a connector without one is refused (`no-principal`)",
     "bindings"},
    {"connector.refresh", "refresh <seconds:DURATION(s)>", 0, LANG_NOBLOCK, "off",
     "how soon new schemas and rules are seen, on both sides", "`key.` and `value.converter.latest.cache.ttl.sec`"},
    {"connector.refresh", "refresh <side:key|value> <seconds:DURATION(s)>", 0, LANG_NOBLOCK, "off",
     "the same for one side; one line a side", "`SIDE.converter.latest.cache.ttl.sec`"},
    {"connector.tasks", "tasks <tasks:INT>", 0, LANG_NOBLOCK, "1", "number of tasks", "`tasks.max`"},
    {"connector.worker", "worker <worker:NAME>", 0, LANG_NOBLOCK, "all on one", "the worker cluster it shares",
     "grouping, checks of clashes"},
    {"connector.dead-letters", "dead-letters <topic:NAME>", 0, LANG_NOBLOCK, "none",
     "a sink's queue of records that failed, as they were on the wire; the topic needs no `topic` block",
     "`errors.deadletterqueue.topic.name`, `errors.tolerance`"},
    {"connector.reports", "reports off", 0, LANG_NOBLOCK, NULL,
     "no reports; a type that has a reporter must say something about it", "`reporter.*.topic.name`, written empty"},
    {"connector.reports", "reports success <success:NAME> [errors <errors:NAME>]", 0, LANG_NOBLOCK, NULL,
     "topics of the reporter. They carry plaintext: they need a `topic … clear` and a waiver of `reporter-in-clear`",
     "`reporter.result.topic.name`, `reporter.error.topic.name`"},
    {"connector.reports", "reports errors <errors:NAME>", 0, LANG_NOBLOCK, NULL, "the topic of errors alone",
     "`reporter.error.topic.name`"},
    {"connector.config", "config", LANG_F_BLOCK_REQUIRED, LANG_CONFIG, "none",
     "any property of the catalogue by its own name", "the same"},
};
const size_t lang_nforms_connector = LANG_COUNT(lang_forms_connector);
