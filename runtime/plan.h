/* plan.h: plan.json in memory (docs/build-directory.md), of version 1 or 2. Read with limits; a newer version, an
 * unknown member or a contradiction is refused. */
#ifndef FLEC_RUNTIME_PLAN_H
#define FLEC_RUNTIME_PLAN_H

#include "runtime/registry.h"

typedef struct rt_plan_rule { /* one that is passed through */
    const char *name, *phase, *type;
    bool runs; /* it is not disabled */
} rt_plan_rule;

typedef struct rt_plan_side {
    const char *format;  /* "avro", "json", "protobuf", "string", … */
    const char *clear;   /* reason or NULL */
    const char *message; /* full name of the message, of protobuf; else NULL */
    rt_subject subject;  /* of a format with a schema; subject.subject NULL otherwise */
    struct {
        const char *kek, *rule;
    } payload; /* of a body that is encrypted whole; NULL otherwise */
    rt_plan_rule *rules;
    size_t nrules;
    struct rt_plan_leaf {
        const char *path, *kek, *rule;
    } * encrypted;
    size_t nencrypted;
} rt_plan_side;

typedef struct rt_plan_topic {
    const char *name, *clear;
    rt_plan_side key, value;
    const char **readers, **writers;
    size_t nreaders, nwriters;
} rt_plan_topic;

typedef struct rt_plan_param {
    const char *name, *value;
} rt_plan_param;

typedef struct rt_plan_kek {
    rt_kek kek;
    bool has_params; /* private, with credentials in the policy */
    rt_plan_param *params;
    size_t nparams;
} rt_plan_kek;

typedef struct rt_plan_connector {
    const char *name, *type, *kind, *cls, *file, *principal, *worker, *dead_letters;
    const char **topics;
    size_t ntopics;
} rt_plan_connector;

typedef struct rt_plan_principal {
    const char *name;
    const char **keks, **reads, **writes;
    size_t nkeks, nreads, nwrites;
} rt_plan_principal;

typedef struct rt_plan {
    int version; /* of the file */
    const char *environment, *platform_kind, *workers, *kms_parameters;
    const char *registry_url, *registry_auth_type, *registry_auth_secret; /* auth: NULL without */
    const char *bootstrap;
    rt_plan_param *registry_config, *kafka_config, *converters /* format, class: where not the vendor's */;
    size_t nregistry_config, nkafka_config, nconverters;
    rt_plan_kek *keks;
    rt_subject *subjects;
    rt_plan_topic *topics;
    rt_plan_connector *connectors;
    rt_plan_principal *principals;
    size_t nkeks, nsubjects, ntopics, nconnectors, nprincipals;
} rt_plan;

#define RT_PLAN_MAX (256u << 20)
/* All memory in the arena. name is for messages. RT_BAD_INPUT with place and reason; a newer version says which. */
rt_code rt_plan_parse(fl_arena *a, const char *name, const char *text, size_t len, rt_plan **out, rt_error *err);
rt_code rt_plan_load(fl_arena *a, const char *path, rt_plan **out, rt_error *err);
/* What this version of the engine cannot execute of a side or topic, as "value is JSON Schema: …" in the arena; NULL:
 * nothing. */
const char *rt_plan_beyond(fl_arena *a, const rt_plan_topic *t, bool key);
const char *rt_plan_topic_beyond(fl_arena *a, const rt_plan_topic *t);
/* A side with a schema of which nothing says whether it is encrypted or in clear: no policy compiles to it (the check
 * topic-undecided), and nothing is written by it. */
bool rt_plan_undecided(const rt_plan_topic *t, bool key);
const rt_plan_topic *rt_plan_topic_find(const rt_plan *p, const char *name);
const rt_plan_kek *rt_plan_kek_find(const rt_plan *p, const char *name);
const rt_plan_connector *rt_plan_connector_find(const rt_plan *p, const char *name);
const rt_plan_principal *rt_plan_principal_find(const rt_plan *p, const char *name);
/* Registers KEKs and subjects (referenced ones first) of the plan where absent; fills version, id, guid of each
 * rt_subject of the plan. A KEK that is there with another type or key id is refused. */
rt_code rt_plan_register(rt_plan *p, rt_registry *r, fl_arena *a, rt_error *err);
/* Registers nothing: fills version, id, guid of the sides of one topic from what is registered. RT_NOT_FOUND says what
 * to register first. */
rt_code rt_plan_look_up(rt_plan *p, const char *topic, rt_registry *r, fl_arena *a, rt_error *err);

#endif
