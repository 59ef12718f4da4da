/* forms.c: the tables of statements by kind of block. */
#include "lang/forms_tables.h"

typedef struct table {
    const char *name; /* for messages, and the first part of form ids */
    const lang_form *forms;
    const size_t *n;
} table;

static const table tables[LANG_BKINDS] = {
    [LANG_NOBLOCK] = {"nothing", NULL, NULL},
    [LANG_TOP] = {"top", lang_forms_top, &lang_nforms_top},
    [LANG_PLATFORM] = {"platform", lang_forms_platform, &lang_nforms_platform},
    [LANG_REGISTRY] = {"registry", lang_forms_registry, &lang_nforms_registry},
    [LANG_KAFKA] = {"kafka", lang_forms_kafka, &lang_nforms_kafka},
    [LANG_CONVERTERS] = {"converters", lang_forms_converters, &lang_nforms_converters},
    [LANG_IDS] = {"ids", lang_forms_ids, &lang_nforms_ids},
    [LANG_KEK] = {"kek", lang_forms_kek, &lang_nforms_kek},
    [LANG_PRIVATE] = {"private", lang_forms_private, &lang_nforms_private},
    [LANG_PROPERTIES] = {"properties", lang_forms_properties, &lang_nforms_properties},
    [LANG_TOPIC] = {"topic", lang_forms_topic, &lang_nforms_topic},
    [LANG_SIDE] = {"side", lang_forms_side, &lang_nforms_side},
    [LANG_ENCRYPT] = {"encrypt", lang_forms_encrypt, &lang_nforms_encrypt},
    [LANG_RULE] = {"rule", lang_forms_rule, &lang_nforms_rule},
    [LANG_PARAMS] = {"params", lang_forms_params, &lang_nforms_params},
    [LANG_SUBJECT] = {"subject", lang_forms_subject, &lang_nforms_subject},
    [LANG_CONNECTOR] = {"connector", lang_forms_connector, &lang_nforms_connector},
    [LANG_CONFIG] = {"config", lang_forms_config, &lang_nforms_config},
    [LANG_TEST] = {"test", lang_forms_steps, &lang_nforms_steps},
    [LANG_ENVIRONMENT] = {"environment", lang_forms_environment, &lang_nforms_environment},
    [LANG_ENV_TOPIC] = {"topic", lang_forms_env_topic, &lang_nforms_env_topic},
    [LANG_DEFAULTS_CONNECTOR] = {"defaults connector", lang_forms_defaults_connector, &lang_nforms_defaults_connector},
    [LANG_DEFAULTS_TOPIC] = {"defaults topic", lang_forms_defaults_topic, &lang_nforms_defaults_topic},
    [LANG_DEFAULTS_VALUE] = {"defaults value", lang_forms_defaults_value, &lang_nforms_defaults_value},
    [LANG_DEFAULTS_ENCRYPT] = {"defaults encrypt", lang_forms_defaults_encrypt, &lang_nforms_defaults_encrypt},
    [LANG_GUARDRAIL] = {"guardrail", lang_forms_guardrail, &lang_nforms_guardrail},
};

const lang_form *lang_forms(lang_bkind kind, size_t *n)
{
    *n = tables[kind].n ? *tables[kind].n : 0;
    return tables[kind].forms;
}

const char *lang_bkind_name(lang_bkind kind)
{
    return tables[kind].name;
}
