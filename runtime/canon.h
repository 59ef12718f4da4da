/* canon.h: metadata and rule sets of a schema version in the registry's own form: known members only, empty ones
 * dropped, tags, params and paths sorted, defaults filled in (facts: docs/registry.md). What is registered is compared,
 * hashed and returned in this form. Everything lies in the arena. */
#ifndef FLEC_RUNTIME_CANON_H
#define FLEC_RUNTIME_CANON_H

#include "runtime/error.h"

typedef FL_VEC(const char *) rt_strings;
typedef struct rt_pair {
    const char *key, *value;
} rt_pair;
typedef FL_VEC(rt_pair) rt_pairs;

typedef struct rt_tagged {
    const char *path;
    rt_strings tags;
} rt_tagged;

typedef struct rt_metadata {
    FL_VEC(rt_tagged) tags;
    rt_pairs properties;
    rt_strings sensitive;
} rt_metadata;

/* The texts of a rule, in the order in which the vendor hashes and prints them; tags and params come after the type. */
typedef enum { RT_NAME, RT_DOC, RT_KIND, RT_MODE, RT_TYPE, RT_EXPR, RT_SUCCESS, RT_FAILURE, RT_NTEXTS } rt_canon_field;

typedef struct rt_canon_rule {
    const char *text[RT_NTEXTS]; /* NULL: absent */
    rt_strings tags;
    rt_pairs params;
    bool disabled;
} rt_canon_rule;

typedef enum { RT_MIGRATION, RT_DOMAIN, RT_ENCODING, RT_NPHASES } rt_phase;
typedef FL_VEC(rt_canon_rule) rt_canon_rules;

typedef struct rt_ruleset {
    rt_canon_rules phase[RT_NPHASES];
    const char *enable_at; /* or NULL */
} rt_ruleset;

#define RT_META_MAX (16u << 20)

/* RT_BAD_INPUT names the member. Rule sets are also validated as a registry does on registration: names 1..256
 * characters and unique over all phases, a type, modes that fit the phase, action pairs only where there are two
 * directions. */
rt_code rt_canon_metadata(fl_arena *a, const char *text, rt_metadata **out, rt_error *err);
rt_code rt_canon_ruleset(fl_arena *a, const char *text, rt_ruleset **out, rt_error *err);
/* A JSON object of texts (kmsProps), sorted. NULL text: none. */
rt_code rt_canon_pairs(fl_arena *a, const char *what, const char *text, rt_pairs *out, rt_error *err);

/* What a registry makes of two: paths, properties and rules of the second replace those of the same name in the first
 * (a rule that replaces one stands behind those that stay), `sensitive` is joined. Either may be NULL; both: NULL. The
 * result shares their texts. */
rt_metadata *rt_merge_metadata(fl_arena *a, const rt_metadata *first, const rt_metadata *second);
rt_ruleset *rt_merge_rulesets(fl_arena *a, const rt_ruleset *first, const rt_ruleset *second);

/* In the registry's order of texts. */
void rt_canon_sort(rt_strings *s);
void rt_canon_sort_pairs(rt_pairs *p);
void rt_canon_sort_tags(rt_metadata *m);

char *rt_canon_metadata_text(fl_arena *a, const rt_metadata *m);
char *rt_canon_ruleset_text(fl_arena *a, const rt_ruleset *r);
char *rt_canon_pairs_text(fl_arena *a, const rt_pairs *p);

/* NULL if it may name a rule or a KEK (1..256 characters: first a letter or _, then also digits and -), else what is
 * wrong. */
const char *rt_name_wrong(const char *name);

#endif
