/* estate.h: what a policy means: names resolved, variables expanded, defaults applied, schemas read. resolve/ makes it,
 * check/ judges it, emit/ writes it; nothing changes it after resolve/ (but for the results of field resolution, which
 * resolve/fields.c fills).
 *
 * Every text keeps the place it was written at, for messages; a value from a form's default has the span of its block.
 * All memory lies in the estate's arena. Arrays of things are in order of name (bytes) unless said otherwise, so that
 * the order of files and statements has no effect. */
#ifndef FLEC_COMPILER_ESTATE_H
#define FLEC_COMPILER_ESTATE_H

#include "base/base.h"
#include "lang/lang.h"
#include "schema/schema.h"

typedef struct est_text {
    const char *s; /* NULL: not stated */
    fl_span at;
} est_text;

typedef struct est_prop { /* NAME = VALUE of config, params, properties */
    est_text name;
    const char *value; /* as it goes into a connector file; lists joined by "," ; secret("P:K") as ${P:K} */
    fl_span value_at;
    bool is_secret_ref; /* written as secret(…) or as one whole ${p:…} */
    bool is_list, is_word, is_number;
    const char **items; /* of a list */
    size_t nitems;
} est_prop;

typedef struct est_tag {
    est_text name, doc, clear; /* clear.s: reason, NULL for a tag whose fields must be encrypted */
} est_tag;

typedef struct est_principal {
    est_text type, name; /* "User", "sa-crm" */
    const char *full;    /* User:sa-crm */
    est_text client, doc;
} est_principal;

typedef enum { EST_AWS, EST_AZURE, EST_GCP, EST_VAULT, EST_LOCAL } est_kms;

typedef struct est_kek {
    est_text name;
    est_kms kms;
    const char *kms_type; /* aws-kms, … */
    est_text key_id;
    bool shared;
    bool has_private_block;
    FL_VEC(est_prop) params; /* of private {} */
    FL_VEC(est_text) alternates;
    FL_VEC(est_prop) properties;
    est_text owner, doc;
    fl_span at; /* the statement's head and name */
} est_kek;

typedef struct est_subject est_subject;
typedef struct est_topic est_topic;

typedef struct est_ref { /* schema reference */
    est_text name, subject;
    int version;                        /* -1: the one that registration gives */
    const est_subject *target;          /* or */
    const struct est_side *side_target; /* a side whose subject it is */
} est_ref;

typedef struct est_field { /* a `field` line */
    est_text path;
    FL_LIST(est_text) tags;
    bool clear; /* `is clear` */
    sch_hits hits;
    FL_LIST(struct est_leaf *) leaves; /* of the side, those among the hits: each once, in schema order */
    fl_span at;
} est_field;

typedef enum { EST_AES128_GCM, EST_AES256_GCM, EST_AES256_SIV } est_algorithm;

typedef struct est_encrypt {
    bool payload;           /* the whole body: no tags, an encoding rule */
    FL_LIST(est_text) tags; /* sorted */
    est_text kek_name;
    const est_kek *kek; /* NULL if unknown (reported) */
    est_algorithm algorithm;
    fl_span algorithm_at;
    int rotate_days; /* 0: never */
    fl_span rotate_at;
    est_text name; /* rule name, given or derived */
    int order;
    bool write_only; /* mode WRITE */
    bool read_failure_ciphertext;
    fl_span at;
} est_encrypt;

#define EST_MAX_RULE_NAME 256 /* bytes of a rule's name, as the registry takes */

/* A rule passed through (`rule NAME {}`): the registry's own words, the engine does not run it. */
typedef enum { EST_DOMAIN, EST_ENCODING, EST_MIGRATION } est_phase;
typedef struct est_rule {
    est_text name, type, kind, mode; /* kind and mode: never NULL, as they are written out */
    est_phase phase;
    FL_LIST(est_text) tags;                     /* sorted */
    est_text expr, on_success, on_failure, doc; /* pairs joined by "," */
    FL_LIST(est_prop) params;
    int order;
    bool disabled;
    fl_span at;
} est_rule;

/* One leaf of a side with all that reaches it, in schema order: made once, used by checks, emission and tests. */
typedef struct est_leaf {
    sch_hit hit;
    FL_LIST(const char *) tags; /* from field lines and inline, sorted, unique */
    const est_encrypt *encrypt; /* the line that encrypts it, NULL for none */
    const est_field *line;      /* the first field line that names it, or NULL */
} est_leaf;

typedef enum {
    EST_AVRO,
    EST_JSON,
    EST_PROTOBUF,
    EST_STRING,
    EST_BYTES,
    EST_SHORT,
    EST_INTEGER,
    EST_LONG,
    EST_FLOAT,
    EST_DOUBLE
} est_format;
typedef enum { EST_TOPIC_NAME, EST_RECORD_NAME, EST_TOPIC_RECORD_NAME } est_strategy;

typedef struct est_side {
    const est_topic *topic;
    bool is_key, stated; /* an unstated key is `key string` */
    est_format format;
    est_text schema_path, message; /* message: of Protobuf */
    sch_schema *schema;            /* NULL: primitive, or unreadable (reported) */
    const sch_hits *all_leaves;    /* of the schema; shared by the sides that have it */
    const char *schema_text;
    size_t schema_len;
    FL_LIST(est_field) fields;     /* in order of writing */
    FL_LIST(est_encrypt) encrypts; /* in order of rule order, then name; with the payload's */
    const est_encrypt *payload;    /* the `encrypt payload` line among them, or NULL */
    FL_LIST(est_rule) rules;       /* in order of phase, rule order, then name */
    FL_LIST(est_ref) refs;
    FL_LIST(est_prop) properties;
    bool exhaustive;
    est_text clear, clear_until; /* of the side itself */
    est_strategy strategy;
    const char *subject; /* registry name */
    bool tags_metadata, tags_inline;
    fl_span tags_in_at;
    est_text compatibility, doc;
    FL_LIST(est_leaf) leaves;
    fl_span at;
} est_side;

struct est_topic {
    est_text name;
    est_side key, value;
    est_text clear, clear_until, owner, doc;
    FL_LIST(est_text) writers, readers; /* full principals, sorted */
    fl_span at;
};

struct est_subject { /* registered on its own */
    est_text name, schema_path, message;
    est_format format; /* AVRO, JSON or PROTOBUF */
    sch_schema *schema;
    const char *schema_text;
    size_t schema_len;
    FL_VEC(est_ref) refs;
    FL_VEC(est_prop) properties;
    est_text compatibility, doc;
    fl_span at;
};

typedef struct est_connector {
    est_text name, type, version;
    const struct cat_connector *catalog; /* NULL: unknown type (reported) */
    FL_VEC(est_text) topic_names;
    FL_VEC(const est_topic *) topics; /* known ones, same order as written */
    est_text principal;               /* full, or NULL */
    int refresh_key, refresh_value;   /* seconds, -1: off */
    int tasks;
    fl_span tasks_at;
    est_text worker, dead_letters;
    bool reports_stated, reports_off;
    est_text reports_success, reports_errors;
    FL_VEC(est_prop) config; /* in order of writing, names unique */
    fl_span at;
} est_connector;

typedef struct est_platform {
    bool cloud;
    est_text workers, registry_url, registry_auth_type;
    est_prop registry_auth; /* secret */
    FL_VEC(est_prop) registry_config, kafka_config;
    est_text kafka;
    est_text converter[EST_DOUBLE + 1]; /* class by est_format, NULL: the vendor's */
    FL_VEC(est_text) providers;
    bool providers_stated;
    bool kms_documented, kms_prefixed;
    bool grants_least;
    est_text id_environment, id_registry, id_kafka, id_connect;
    fl_span at;
} est_platform;

/* `allow CHECK on THING`: which thing it is in words of fl_thing (base/diag.h). */
typedef struct est_waiver {
    est_text check;
    const char *kind;       /* "topic", "kek", "connector", "platform" */
    est_text name;          /* s NULL: platform */
    bool key;               /* of a topic: its key, not its value */
    est_text part;          /* field path or property, s NULL: the whole thing */
    est_text reason, until; /* until.s: NULL without an end */
    bool in_environment;    /* stands in an environment block */
    bool used;              /* set when diagnostics are judged: it silences one */
    bool refused;           /* wrong in itself, or past its day (reported): it silences nothing */
    fl_span at;
} est_waiver;

typedef struct est_guardrail {
    est_text text;
    fl_severity severity;
    const lang_stmt *stmt; /* matched: guardrail.every, .where, .requires, .help in its block */
    bool reached;          /* set when it is judged: there was an object for it */
    fl_span at;
} est_guardrail;

typedef struct est_environment {
    est_text name;
    const lang_stmt *stmt;
} est_environment;

typedef struct est_estate {
    fl_arena *arena;
    const char *environment;              /* NULL: the policy declares none */
    FL_VEC(est_environment) environments; /* declared ones, in order of name */
    est_platform platform;
    bool has_platform;
    FL_VEC(est_tag *) tags;
    FL_VEC(est_principal *) principals;
    FL_VEC(est_kek *) keks;
    FL_VEC(est_topic *) topics;
    FL_VEC(est_subject *) subjects; /* in order of name */
    FL_VEC(est_connector *) connectors;
    FL_VEC(est_waiver *) waivers;       /* of this environment, in order of file and place */
    FL_VEC(est_guardrail *) guardrails; /* in order of file and place */
    /* matched `test` statements of this environment, in order of file and place, repetitions written out */
    FL_VEC(const lang_stmt *) tests;
    struct prev_build *previous; /* what --previous names (check/previous.h), or NULL */
    FL_VEC(lang_file *) files;   /* in order of path */
    const char *personal_words;  /* the user's list (check/personal.h), or NULL */
    int64_t today;               /* days */
    bool checks_only;            /* the texts of its schemas may not be there: nothing is emitted of it */
    bool incomplete;             /* something was left out or not found (reported): nothing can be called unused */
    FL_VEC(const struct est_variable *) variables; /* `let`s, in order of name; for est_expand */
} est_estate;

const est_tag *est_find_tag(const est_estate *e, const char *name);
const est_kek *est_find_kek(const est_estate *e, const char *name);
const est_topic *est_find_topic(const est_estate *e, const char *name);
const est_subject *est_find_subject(const est_estate *e, const char *name);
const est_connector *est_find_connector(const est_estate *e, const char *name);
/* Has the side a schema, is it in clear on purpose (by itself or by its topic)? */
bool est_has_schema(const est_side *s);
const char *est_format_name(est_format f);  /* the word of the language */
sch_format est_schema_format(est_format f); /* of the three with a schema */
bool est_is_clear(const est_side *s);
const char *est_side_name(const est_side *s); /* "key", "value" */
/* The text of a name with its variables expanded: what everything that reads a lang_name calls. NULL if a variable in
 * it is unknown, is a list or uses itself: resolution says so of every name of the policy, once, so callers pass over
 * it in silence. */
const char *est_expand(const est_estate *e, const lang_name *n);
/* Is this a source, a sink? By the catalogue; false for both if the type is unknown. */
bool est_is_source(const est_connector *c);
bool est_is_sink(const est_connector *c);

#endif
