/* forms_tables.h: the tables behind lang_forms; internal to lang/. */
#ifndef FLEC_LANG_FORMS_TABLES_H
#define FLEC_LANG_FORMS_TABLES_H

#include "lang/forms.h"

#define LANG_COUNT(a) (sizeof(a) / sizeof(a)[0])

extern const lang_form lang_forms_top[], lang_forms_platform[], lang_forms_registry[], lang_forms_kafka[],
    lang_forms_converters[], lang_forms_ids[], lang_forms_kek[], lang_forms_private[], lang_forms_properties[],
    lang_forms_params[], lang_forms_config[], lang_forms_topic[], lang_forms_side[], lang_forms_encrypt[],
    lang_forms_rule[], lang_forms_subject[], lang_forms_connector[], lang_forms_environment[], lang_forms_env_topic[],
    lang_forms_defaults_connector[], lang_forms_defaults_topic[], lang_forms_defaults_value[],
    lang_forms_defaults_encrypt[], lang_forms_guardrail[], lang_forms_steps[], lang_forms_unset[];
extern const size_t lang_nforms_top, lang_nforms_platform, lang_nforms_registry, lang_nforms_kafka,
    lang_nforms_converters, lang_nforms_ids, lang_nforms_kek, lang_nforms_private, lang_nforms_properties,
    lang_nforms_params, lang_nforms_config, lang_nforms_topic, lang_nforms_side, lang_nforms_encrypt, lang_nforms_rule,
    lang_nforms_subject, lang_nforms_connector, lang_nforms_environment, lang_nforms_env_topic,
    lang_nforms_defaults_connector, lang_nforms_defaults_topic, lang_nforms_defaults_value,
    lang_nforms_defaults_encrypt, lang_nforms_guardrail, lang_nforms_steps, lang_nforms_unset;

#endif
