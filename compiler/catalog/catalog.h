/* catalog.h: what is known of connectors, as data: classes, version floors, every property with its type, default,
 * values, requiredness and secrecy, KMS parameters, and the two transformations that everyone uses. The data are JSON
 * files beside this header, validated and turned into a C table when the program is built (catalog_tool.c). */
#ifndef FLEC_COMPILER_CATALOG_H
#define FLEC_COMPILER_CATALOG_H

#include <stdbool.h>
#include <stddef.h>

typedef enum {
    CAT_STRING,
    CAT_BOOLEAN,
    CAT_SHORT,
    CAT_INT,
    CAT_LONG,
    CAT_DOUBLE,
    CAT_LIST,
    CAT_CLASS,
    CAT_PASSWORD
} cat_type;

typedef struct cat_property {
    const char *name; /* a `*` part matches one alias (transforms.*.type) where `pattern` is set */
    cat_type type;
    bool required, secret, pattern;
    const char *fallback;      /* default as text; NULL: none */
    const char *const *values; /* allowed ones; NULL: any */
    size_t nvalues;
    bool has_min, has_max;
    double min, max;
    const char *required_if; /* "mode=GENERIC": required when another property has a value; NULL */
    const char *doc, *source;
} cat_property;

/* What must hold between properties. A condition is NAME (it has a value), NAME=V|W, NAME!=V|W, NAME>NUMBER,
 * NAME>OTHER or NAME~REGEX (the whole value), judged with the defaults. */
typedef enum { CAT_ALL, CAT_ANY, CAT_NONE } cat_how;
typedef struct cat_constraint {
    const char *when; /* a condition; NULL: always */
    cat_how how;      /* of the conditions, then, all, at least one, or none holds */
    const char *const *conditions;
    size_t nconditions;
    const char *text, *source; /* a sentence for people */
} cat_constraint;

/* The parts of a condition. op: 0 for NAME alone, '=', '!', '>', '~'. */
typedef struct cat_condition {
    const char *name, *value;
    size_t nname;
    char op;
} cat_condition;
cat_condition cat_read_condition(const char *text);

typedef struct cat_group { /* _common, _common_sink, …: shared by connectors */
    const char *id, *name;
    const cat_property *properties;
    size_t nproperties;
    const cat_constraint *constraints;
    size_t nconstraints;
} cat_group;

typedef struct cat_connector {
    const char *id, *name, *cls, *plugin;
    bool source, sink;
    bool csfle;                  /* false: the legacy entry, refused by name */
    const char *min_version;     /* CSFLE floor of the founding document; NULL without csfle */
    const char *min_version_cp8; /* floor on Platform 8.0 and later */
    bool uses_reporter, has_dlq, license;
    bool record_keys;       /* a source whose keys are records: without a schema they would be written as their text */
    int tasks_limit;        /* 0: none */
    const char *topic_from; /* how topics come about, for people */
    const char *topic_property;    /* property that names its one topic (kafka.topic), or NULL */
    const char *const *converters; /* short format names it takes */
    size_t nconverters;
    const cat_group *const *groups; /* included groups */
    size_t ngroups;
    const cat_property *properties; /* its own */
    size_t nproperties;
    const char *const *notes, *const *docs;
    size_t nnotes, ndocs;
    const cat_constraint *constraints; /* its own; its groups have others */
    size_t nconstraints;
} cat_connector;

const cat_connector *cat_connectors(size_t *n); /* supported ones and the legacy entry, in order of id */
const cat_connector *cat_find(const char *id);
/* The property of a connector by name, its own first, then those of its groups; patterns last. */
const cat_property *cat_find_property(const cat_connector *c, const char *name);
/* Names for did-you-mean: all literal names of a connector and its groups. */
size_t cat_property_names(const cat_connector *c, const char **out, size_t max);
/* Every property of a connector and its groups, own first. Calls fn until it returns false. */
void cat_each_property(const cat_connector *c, bool (*fn)(const cat_property *p, void *ctx), void *ctx);

/* Every constraint of a connector and its groups. */
void cat_each_constraint(const cat_connector *c, void (*fn)(const cat_constraint *k, void *ctx), void *ctx);

/* Short names of classes: cat_class("s3-sink", "format.class", "avro") gives the class; NULL if the name is none. */
const char *cat_class(const cat_connector *c, const char *property, const char *short_name);

/* The short names that a property takes; returns how many. */
size_t cat_short_names(const cat_connector *c, const char *property, const char **out, size_t max);

/* Is this property always generated (csfle.enabled, converter classes, the four switches, …), or one that would undo
 * it? */
typedef enum { CAT_FREE, CAT_GENERATED, CAT_UNDOES } cat_owner;
cat_owner cat_property_owner(const cat_connector *c, const char *name, const char **why);

/* KMS parameters, read in the vendor's drivers. */
typedef struct cat_kms_param {
    const char *kms;  /* kmsType */
    const char *name; /* access.key.id */
    bool secret;
    const char *group;   /* parameters that count only together share a group name; NULL: alone */
    bool group_required; /* without the group the driver falls back to the process's own credentials */
    const char *env, *doc;
    const char *needs; /* another parameter without which this one has no effect, or NULL */
} cat_kms_param;
const cat_kms_param *cat_kms_params(const char *kms_type, size_t *n);

/* Properties of well-known transformations, by class. */
typedef struct cat_transform {
    const char *cls;
    const cat_property *properties; /* names without transforms.ALIAS. */
    size_t nproperties;
} cat_transform;
const cat_transform *cat_find_transform(const char *cls);

/* Default converter class of a format ("avro", "string", …). */
const char *cat_converter_class(const char *format);

#endif
