/* config.h: client settings at run time: `key=value` files in the client-properties form, ${…} references, and where
 * KMS credentials come from. Values are kept as secrets, since any may be one; nothing here prints one. */
#ifndef FLEC_RUNTIME_CONFIG_H
#define FLEC_RUNTIME_CONFIG_H

#include "runtime/plan.h"

typedef struct rt_config rt_config;

/* A whole file of at most RT_CONFIG_MAX bytes into the heap for secrets, with a NUL that is not counted. */
rt_code rt_config_read_secret(const char *path, fl_secret *out, rt_error *err);

/* Reads FILE as java.util.Properties does, in UTF-8: comments with # or !, `=`, `:` or a space after the key, backslash
 * escapes and continued lines; the last of two equal keys counts. NULL: no settings. RT_IO with file and line. */
#define RT_CONFIG_MAX ((size_t)256 << 10)
rt_code rt_config_load(const char *path, rt_config **out, rt_error *err);
void rt_config_free(rt_config *c); /* NULL is allowed */
/* A flag: stands before what the file says. */
void rt_config_set(rt_config *c, const char *key, const char *value);

/* The value as it is written, references and all; NULL if absent. Lives until it is set again or the config is freed.
 */
const char *rt_config_get(const rt_config *c, const char *key);
/* Calls fn for each setting whose key begins with prefix, in the order in which keys first appeared. */
void rt_config_each(const rt_config *c, const char *prefix, bool (*fn)(const char *key, const char *value, void *ctx),
                    void *ctx);

/* Replaces ${env:NAME}, ${file:PATH:KEY} and ${dir:PATH:FILE} as Kafka's providers do, any number in a text. Text
 * without a colon inside
 * ${…} is no reference. RT_NO_KEY: not set, not there, or another provider, which flec refuses by name. An empty result
 * has len 0 and bytes that may be NULL. The result is followed by a NUL that is not counted. The caller frees. */
rt_code rt_config_resolve(const char *text, fl_secret *out, rt_error *err);
/* The resolved value of a key; RT_NOT_FOUND if absent. */
rt_code rt_config_value(const rt_config *c, const char *key, fl_secret *out, rt_error *err);

/* KMS parameters of a client, for rt_keys_options and rt_registry_options. Parameter p of KEK k is, in this order:
 * setting `rule.executors._default_.param.p`, the vendor's environment variable for it, the plan's parameter, the
 * kmsProps of the KEK in the plan.
 *
 * Key ids that may be called: those of the plan's KEKs and their alternates, those of the setting for alternates, and
 * those of the setting `flec.kms.key.ids` (comma list). */
typedef struct rt_param_source {
    const rt_config *config;                 /* or NULL */
    const rt_plan *plan;                     /* or NULL */
    const char *(*getenv)(const char *name); /* NULL: the process's environment */
} rt_param_source;
/* The source must outlive the result. A reference that does not resolve is logged and counts as absent: the driver then
 * refuses. */
rt_params rt_param_source_params(const rt_param_source *s);

/* Does a setting, a variable or the plan say as whom a KEK's key service is called? What a machine has by itself (a
 * file in the home folder, a metadata service) does not count. */
bool rt_param_source_has(const rt_param_source *s, const char *kek, const char *type);

/* The vendor's environment variable of a parameter, NULL if there is none. type NULL: not known; then only a name that
 * one KMS alone has counts. */
const char *rt_param_env(const char *kms_type, const char *param);

#endif
