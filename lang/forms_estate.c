/* forms_estate.c: the statements of the top level, `platform`, `kek` and the blocks of free names, as data. */
#include "lang/forms_tables.h"

#define FOR    "[for <vars:WORD…> in <list:VALUE>]"
#define WAIVER "because <reason:TEXT> [until <until:DATE>] " FOR

const lang_form lang_forms_top[] = {
    {"top.use", "use <path:PLAIN>", LANG_F_REPEAT, LANG_NOBLOCK, NULL,
     "reads that file too; a file is read once, a cycle is fine. The path is relative to the file it stands in", NULL},
    {"top.let", "let <name:NAME> = <value:VALUE>", LANG_F_REPEAT | LANG_F_VALUE, LANG_NOBLOCK, NULL,
     "a variable: text, a list, or a list of rows (lists of equal length)", NULL},
    {"top.platform", "platform <where:cloud|onprem>", LANG_F_BLOCK_REQUIRED, LANG_PLATFORM, NULL,
     "where the estate runs, once in the estate: `cloud` is registry and Kafka in Confluent Cloud, `onprem` all "
     "self-managed",
     NULL},
    {"top.tag", "tag <name:TAG> [<text:TEXT>] [clear because <reason:TEXT>]", LANG_F_REPEAT, LANG_NOBLOCK, NULL,
     "declares a tag; a field that carries it must be encrypted unless the tag is `clear`", "`registry/tags.json`"},
    {"top.principal",
     "principal <principal:PRINCIPAL> [client <client:java|python|javascript|go|rust|dotnet|flec>] [<text:TEXT>]",
     LANG_F_REPEAT, LANG_NOBLOCK, NULL,
     "declares a principal (`User`, `Group`); once one is declared, an undeclared one is an error. `client` is the "
     "library it writes and reads with",
     NULL},
    {"top.kek", "kek <name:NAME> " FOR, LANG_F_REPEAT | LANG_F_BLOCK_REQUIRED, LANG_KEK, NULL, "a key encryption key",
     "`registry/keks/NAME.json`"},
    {"top.topic", "topic <name:NAME> " FOR, LANG_F_REPEAT | LANG_F_BLOCK_REQUIRED, LANG_TOPIC, NULL,
     "a topic: its key and value, what is encrypted in them, who touches them", "`registry/subjects/SUBJECT.json`"},
    {"top.connector", "connector <name:NAME> : <type:NAME> <version:VERSION> " FOR,
     LANG_F_REPEAT | LANG_F_BLOCK_REQUIRED, LANG_CONNECTOR, NULL,
     "a connector: the entry of the catalogue and the version of the plugin",
     "`connect/NAME.json`, `connect/NAME.properties`"},
    {"top.subject", "subject <name:NAME> <format:avro|json> <schema:TEXT> " FOR, LANG_F_REPEAT | LANG_F_BLOCK,
     LANG_SUBJECT, NULL,
     "a schema registered on its own, to be referred to. Its fields are tagged by the sides that use it",
     "`registry/subjects/NAME.json`"},
    {"top.subject", "subject <name:NAME> <format:protobuf> <schema:TEXT> [message <message:NAME>] " FOR,
     LANG_F_REPEAT | LANG_F_BLOCK, LANG_SUBJECT, NULL, "the same for a Protobuf schema",
     "`registry/subjects/NAME.json`"},
    {"top.environment", "environment <name:LITERAL>", LANG_F_REPEAT | LANG_F_BLOCK_REQUIRED, LANG_ENVIRONMENT, NULL,
     "an environment and what differs in it", NULL},
    {"top.defaults", "defaults <kind:connector> [<type:NAME>]", LANG_F_REPEAT | LANG_F_BLOCK_REQUIRED,
     LANG_DEFAULTS_CONNECTOR, NULL, "defaults of all connectors, or of those of one type", NULL},
    {"top.defaults", "defaults <kind:topic>", LANG_F_REPEAT | LANG_F_BLOCK_REQUIRED, LANG_DEFAULTS_TOPIC, NULL,
     "defaults of all topics", NULL},
    {"top.defaults", "defaults <kind:value>", LANG_F_REPEAT | LANG_F_BLOCK_REQUIRED, LANG_DEFAULTS_VALUE, NULL,
     "defaults of all sides, key and value", NULL},
    {"top.defaults", "defaults <kind:encrypt>", LANG_F_REPEAT | LANG_F_BLOCK_REQUIRED, LANG_DEFAULTS_ENCRYPT, NULL,
     "defaults of all `encrypt` lines", NULL},
    {"top.guardrail", "guardrail <text:TEXT> <severity:error|warning>", LANG_F_REPEAT | LANG_F_BLOCK_REQUIRED,
     LANG_GUARDRAIL, NULL, "a rule about the estate itself, judged on every object of a kind", NULL},
    {"top.allow", "allow <check:LITERAL> on <kind:topic> <name:NAME> [key] [field <field:PATH>] " WAIVER, LANG_F_REPEAT,
     LANG_NOBLOCK, NULL, "a waiver of one check on one topic, side or field", NULL},
    {"top.allow", "allow <check:LITERAL> on <kind:kek> <name:NAME> " WAIVER, LANG_F_REPEAT, LANG_NOBLOCK, NULL,
     "a waiver of one check on one key", NULL},
    {"top.allow", "allow <check:LITERAL> on <kind:connector> <name:NAME> [property <property:NAME>] " WAIVER,
     LANG_F_REPEAT, LANG_NOBLOCK, NULL, "a waiver of one check on one connector or property", NULL},
    {"top.allow", "allow <check:LITERAL> on <kind:platform> " WAIVER, LANG_F_REPEAT, LANG_NOBLOCK, NULL,
     "a waiver of one check on the platform", NULL},
    {"top.test", "test <text:TEXT> [in <environments:LITERAL…>] " FOR, LANG_F_REPEAT | LANG_F_BLOCK_REQUIRED, LANG_TEST,
     NULL, "steps and expectations, run on the built artefacts", "`tests.json`"},
};
const size_t lang_nforms_top = LANG_COUNT(lang_forms_top);

const lang_form lang_forms_platform[] = {
    {"platform.workers", "workers <version:VERSION>", LANG_F_REQUIRED, LANG_NOBLOCK, NULL,
     "Confluent Platform version of the Connect workers", "`plan.json`; floors of versions and connectors"},
    {"platform.registry", "registry <url:TEXT>", LANG_F_REQUIRED | LANG_F_BLOCK, LANG_REGISTRY, "no authentication",
     "the Schema Registry", "`K.schema.registry.url` for K = `key.converter` and `value.converter`; `plan.json`"},
    {"platform.kafka", "kafka <bootstrap:TEXT>", LANG_F_REQUIRED | LANG_F_BLOCK, LANG_KAFKA, NULL, "the brokers",
     "`plan.json`; `confluent.topic.bootstrap.servers`, `reporter.bootstrap.servers` where the type needs them"},
    {"platform.converters", "converters", LANG_F_BLOCK_REQUIRED, LANG_CONVERTERS, "the vendor's classes",
     "converter class of each format", "`key.converter`, `value.converter`"},
    {"platform.providers", "providers <providers:NAME…>", 0, LANG_NOBLOCK, "any",
     "config providers that the workers have; a reference to another is an error", "checks only"},
    {"platform.kms-parameters", "kms-parameters <kms-parameters:documented|prefixed|both>", 0, LANG_NOBLOCK, "both",
     "spelling of the parameters of private keys",
     "`rule.executors._default_.param.P` and/or `K.rule.executors._default_.param.P`"},
    {"platform.grants", "grants <grants:documented|least>", 0, LANG_NOBLOCK, "documented",
     "DeveloperWrite on keys for all, or for writers only", "`access/role-bindings.json`"},
    {"platform.ids", "ids", LANG_F_BLOCK_REQUIRED, LANG_IDS, "none", "ids of the clusters",
     "scopes in `access/role-bindings.json`"},
};
const size_t lang_nforms_platform = LANG_COUNT(lang_forms_platform);

const lang_form lang_forms_registry[] = {
    {"registry.auth", "auth <kind:basic|bearer> <secret:SECRET>", 0, LANG_NOBLOCK, "none",
     "how clients and connectors sign in",
     "`K.basic.auth.credentials.source`, `K.basic.auth.user.info` or `K.bearer.auth.*`"},
    {"registry.config", "config", LANG_F_BLOCK_REQUIRED, LANG_CONFIG, "none", "further properties of registry clients",
     "`K.*`"},
};
const size_t lang_nforms_registry = LANG_COUNT(lang_forms_registry);

const lang_form lang_forms_kafka[] = {
    {"kafka.config", "config", LANG_F_BLOCK_REQUIRED, LANG_CONFIG, "none", "properties of flec's own Kafka client",
     "`plan.json`"},
};
const size_t lang_nforms_kafka = LANG_COUNT(lang_forms_kafka);

const lang_form lang_forms_converters[] = {
    {"converters.class", "<name:avro|json|protobuf|string|bytes> <class:NAME>", LANG_F_REPEAT, LANG_NOBLOCK,
     "the vendor's class", "converter class of one format", "`key.converter`, `value.converter`"},
};
const size_t lang_nforms_converters = LANG_COUNT(lang_forms_converters);

const lang_form lang_forms_ids[] = {
    {"ids.id", "<name:environment|registry|kafka|connect> = <value:NAME>", LANG_F_REPEAT | LANG_F_VALUE, LANG_NOBLOCK,
     "none", "the id of one cluster", "scopes in `access/role-bindings.json`"},
};
const size_t lang_nforms_ids = LANG_COUNT(lang_forms_ids);

const lang_form lang_forms_kek[] = {
    {"kek.kms", "kms <type:aws|azure|gcp|vault|local> <key-id:TEXT>", LANG_F_REQUIRED, LANG_NOBLOCK, NULL,
     "the KMS and the key in it; the shape of the id is checked per KMS", "`kmsType`, `kmsKeyId`"},
    {"kek.shared", "shared", LANG_F_ONE_OF, LANG_NOBLOCK, NULL, "the registry may use the key", "`shared`"},
    {"kek.private", "private", LANG_F_ONE_OF | LANG_F_BLOCK, LANG_PRIVATE, "the worker's own credentials",
     "connectors bring credentials: the parameters of the block", "`shared`; KMS parameters of the connectors"},
    {"kek.alternates", "alternates <key-ids:TEXT…>", 0, LANG_NOBLOCK, "none", "key ids tried next",
     "`kmsProps`: `encrypt.alternate.kms.key.ids`"},
    {"kek.properties", "properties", LANG_F_BLOCK_REQUIRED, LANG_PROPERTIES, "none", "other properties of the key",
     "`kmsProps`"},
    {"kek.owner", "owner <owner:NAME>", 0, LANG_NOBLOCK, "none", "who to ask", "reports"},
    {"kek.doc", "doc <doc:TEXT>", 0, LANG_NOBLOCK, "none", "for people", "`doc`, reports"},
};
const size_t lang_nforms_kek = LANG_COUNT(lang_forms_kek);

const lang_form lang_forms_private[] = {
    {"private.property", "<name:NAME> = <value:VALUE>", LANG_F_REPEAT | LANG_F_VALUE, LANG_NOBLOCK, NULL,
     "a parameter of the KMS client", "`rule.executors._default_.param.NAME`"},
};
const size_t lang_nforms_private = LANG_COUNT(lang_forms_private);

const lang_form lang_forms_properties[] = {
    {"properties.property", "<name:NAME> = <value:VALUE>", LANG_F_REPEAT | LANG_F_VALUE, LANG_NOBLOCK, NULL,
     "a property by its own name", "the same"},
};
const size_t lang_nforms_properties = LANG_COUNT(lang_forms_properties);

const lang_form lang_forms_params[] = {
    {"params.property", "<name:NAME> = <value:VALUE>", LANG_F_REPEAT | LANG_F_VALUE, LANG_NOBLOCK, NULL,
     "a parameter of the rule", "`params`"},
};
const size_t lang_nforms_params = LANG_COUNT(lang_forms_params);

const lang_form lang_forms_config[] = {
    {"config.property", "<name:NAME> = <value:VALUE>", LANG_F_REPEAT | LANG_F_VALUE, LANG_NOBLOCK, NULL,
     "a property by its own name", "the same"},
    {"config.unset", "unset <name:NAME>", LANG_F_REPEAT, LANG_NOBLOCK, NULL, "takes an inherited property away", NULL},
};
const size_t lang_nforms_config = LANG_COUNT(lang_forms_config);
