/* forms_overlay.c: the statements of `environment`, `defaults` and `guardrail`, as data.
 *
 * A statement that overlays or defaults another has the id of the one it stands for (`connector.refresh`), so that what
 * reads the one reads the other. In these blocks nothing is required, and `unset NAME` may stand. */
#include "lang/forms_tables.h"

#define WAIVER "because <reason:TEXT> [until <until:DATE>]"

const lang_form lang_forms_environment[] = {
    {"environment.let", "let <name:NAME> = <value:VALUE>", LANG_F_REPEAT | LANG_F_VALUE, LANG_NOBLOCK, NULL,
     "another value of an existing variable, of the same shape", NULL},
    {"environment.platform", "platform", LANG_F_BLOCK_REQUIRED, LANG_PLATFORM, NULL, "what differs in the platform",
     NULL},
    {"environment.kek", "kek <name:NAME>", LANG_F_REPEAT | LANG_F_BLOCK_REQUIRED, LANG_KEK, NULL,
     "what differs in a key", NULL},
    {"environment.connector", "connector <name:NAME> : <type:NAME> <version:VERSION>",
     LANG_F_REPEAT | LANG_F_BLOCK_REQUIRED, LANG_CONNECTOR, NULL,
     "what differs in a connector; the type is the same, the version may differ", NULL},
    {"environment.topic", "topic <name:NAME>", LANG_F_REPEAT | LANG_F_BLOCK_REQUIRED, LANG_ENV_TOPIC, NULL,
     "who touches the topic in this environment; what is encrypted is the same in all", NULL},
    {"environment.allow", "allow <check:LITERAL> on <kind:topic> <name:NAME> [key] [field <field:PATH>] " WAIVER,
     LANG_F_REPEAT, LANG_NOBLOCK, NULL, "a waiver in this environment only", NULL},
    {"environment.allow", "allow <check:LITERAL> on <kind:kek> <name:NAME> " WAIVER, LANG_F_REPEAT, LANG_NOBLOCK, NULL,
     "a waiver in this environment only", NULL},
    {"environment.allow", "allow <check:LITERAL> on <kind:connector> <name:NAME> [property <property:NAME>] " WAIVER,
     LANG_F_REPEAT, LANG_NOBLOCK, NULL, "a waiver in this environment only", NULL},
    {"environment.allow", "allow <check:LITERAL> on <kind:platform> " WAIVER, LANG_F_REPEAT, LANG_NOBLOCK, NULL,
     "a waiver in this environment only", NULL},
};
const size_t lang_nforms_environment = LANG_COUNT(lang_forms_environment);

const lang_form lang_forms_env_topic[] = {
    {"topic.writers", "writers <principals:PRINCIPAL…>", 0, LANG_NOBLOCK, NULL, "who writes", NULL},
    {"topic.readers", "readers <principals:PRINCIPAL…>", 0, LANG_NOBLOCK, NULL, "who reads", NULL},
    {"topic.owner", "owner <owner:NAME>", 0, LANG_NOBLOCK, NULL, "who to ask", NULL},
};
const size_t lang_nforms_env_topic = LANG_COUNT(lang_forms_env_topic);

const lang_form lang_forms_defaults_connector[] = {
    {"connector.principal", "principal <principal:PRINCIPAL>", 0, LANG_NOBLOCK, NULL, "who it runs as", NULL},
    {"connector.refresh", "refresh <seconds:DURATION(s)>", 0, LANG_NOBLOCK, NULL,
     "how soon new schemas and rules are seen", NULL},
    {"connector.refresh", "refresh <side:key|value> <seconds:DURATION(s)>", 0, LANG_NOBLOCK, NULL,
     "the same for one side", NULL},
    {"connector.tasks", "tasks <tasks:INT>", 0, LANG_NOBLOCK, NULL, "number of tasks", NULL},
    {"connector.worker", "worker <worker:NAME>", 0, LANG_NOBLOCK, NULL, "the worker cluster it shares", NULL},
    {"connector.reports", "reports off", 0, LANG_NOBLOCK, NULL, "no reports", NULL},
    {"connector.reports", "reports success <success:NAME> [errors <errors:NAME>]", 0, LANG_NOBLOCK, NULL,
     "topics of the reporter", NULL},
    {"connector.reports", "reports errors <errors:NAME>", 0, LANG_NOBLOCK, NULL, "the topic of errors alone", NULL},
    {"connector.config", "config", LANG_F_BLOCK_REQUIRED, LANG_CONFIG, NULL,
     "any property of the catalogue by its own name", NULL},
};
const size_t lang_nforms_defaults_connector = LANG_COUNT(lang_forms_defaults_connector);

const lang_form lang_forms_defaults_topic[] = {
    {"topic.readers", "readers <principals:PRINCIPAL…>", 0, LANG_NOBLOCK, NULL, "who reads", NULL},
    {"topic.writers", "writers <principals:PRINCIPAL…>", 0, LANG_NOBLOCK, NULL, "who writes", NULL},
    {"topic.owner", "owner <owner:NAME>", 0, LANG_NOBLOCK, NULL, "who to ask", NULL},
};
const size_t lang_nforms_defaults_topic = LANG_COUNT(lang_forms_defaults_topic);

const lang_form lang_forms_defaults_value[] = {
    {"side.tags-in", "tags-in <tags-in:metadata|inline|both>", 0, LANG_NOBLOCK, NULL, "where tags are written", NULL},
    {"side.compatibility",
     "compatibility <level:BACKWARD|BACKWARD_TRANSITIVE|FORWARD|FORWARD_TRANSITIVE|FULL|FULL_TRANSITIVE|NONE>", 0,
     LANG_NOBLOCK, NULL, "compatibility level of the subjects", NULL},
};
const size_t lang_nforms_defaults_value = LANG_COUNT(lang_forms_defaults_value);

const lang_form lang_forms_defaults_encrypt[] = {
    {"encrypt.algorithm", "algorithm <algorithm:AES128_GCM|AES256_GCM|AES256_SIV>", 0, LANG_NOBLOCK, NULL, "the cipher",
     NULL},
    {"encrypt.rotate", "rotate <rotate:DURATION(d)|never>", 0, LANG_NOBLOCK, NULL, "life of a data key, in days", NULL},
    {"encrypt.read-failure", "read-failure <read-failure:error|ciphertext>", 0, LANG_NOBLOCK, NULL,
     "what a reader without the key gets", NULL},
};
const size_t lang_nforms_defaults_encrypt = LANG_COUNT(lang_forms_defaults_encrypt);

const lang_form lang_forms_guardrail[] = {
    {"guardrail.every", "every <kind:topic|side|field|encryption|kek|connector|principal>", LANG_F_REQUIRED,
     LANG_NOBLOCK, NULL, "the kind of object that is judged", NULL},
    {"guardrail.where", "where <expr:EXPR>", LANG_F_REPEAT, LANG_NOBLOCK, "all of the kind",
     "which of them; several are joined by *and*", NULL},
    {"guardrail.requires", "requires <expr:EXPR>", LANG_F_REQUIRED | LANG_F_REPEAT, LANG_NOBLOCK, NULL,
     "what must hold; each reports on its own", NULL},
    {"guardrail.help", "help <help:TEXT>", 0, LANG_NOBLOCK, "none", "what to do about it", NULL},
};
const size_t lang_nforms_guardrail = LANG_COUNT(lang_forms_guardrail);

const lang_form lang_forms_unset[] = {
    {"overlay.unset", "unset <name:NAME>", LANG_F_REPEAT, LANG_NOBLOCK, NULL,
     "takes an inherited statement away that is not required", NULL},
};
const size_t lang_nforms_unset = LANG_COUNT(lang_forms_unset);
