/* rules.h: what a subject version says about its records, validated: the ENCRYPT and ENCRYPT_PAYLOAD rules of its rule
 * set and the tags of its metadata.
 *
 * The meaning is that of the vendor's clients (docs/wire.md 5): domain rules run on the value, encoding rules on its
 * encoded body; each in list order on write and in reverse on read, encoding rules last on write and first on read.
 * Parameters stand in the rule or in metadata.properties; of two field rules with equal type, mode and tag set only the
 * first counts; a disabled rule, or any rule of a set that is enabled elsewhere than at the client, does not run.
 * preserve.source.fields has nothing to do here: the bytes that come in are never changed. What this version of the
 * engine cannot execute is refused by name, never skipped. */
#ifndef FLEC_RUNTIME_RULES_H
#define FLEC_RUNTIME_RULES_H

#include "runtime/engine.h"

#define RT_MAX_RULES 64 /* a record's failed rules are a mask of 64 bits */

typedef struct rt_rule {
    const char *name;
    const char **tags; /* empty: every primitive field */
    size_t ntags;
    rt_key_spec key;
    uint8_t head, over; /* bytes before a ciphertext (rotation: the version); by which it is longer than its text, head
                           included */
    const char *idle;   /* why it never runs ("is disabled"), NULL if it does */
    bool write, read;   /* runs in that direction */
    bool duplicate;     /* of an earlier rule's type, mode and tags: does not run, the earlier one does */
    bool pass_write;    /* failure passes the record on as it was (onFailure NONE) */
    bool pass_read;
    const char *dlq_write; /* topic to which a failed record goes (onFailure DLQ), or NULL */
    const char *dlq_read;
} rt_rule;

typedef struct rt_tagging { /* one member of metadata.tags */
    const char *pattern;
    const char **tags;
    size_t ntags;
} rt_tagging;

typedef struct rt_rules {
    const char *subject;
    rt_rule *v; /* ENCRYPT, of the domain rules */
    size_t n;
    rt_rule *payload; /* ENCRYPT_PAYLOAD, of the encoding rules */
    size_t npayload;
    rt_tagging *taggings;
    size_t ntaggings;
    const char *no_write; /* why nothing may be written under this rule set, or NULL */
} rt_rules;

/* Reads metadata and rule set of s. All memory, the strings of the key specifications too, lies in the arena. */
rt_code rt_rules_read(fl_arena *a, const rt_subject *s, const rt_codec_options *opt, rt_rules **out, rt_error *err);

/* Does the rule's tag set meet the field's tags (inline ones and those that metadata gives its full name)? tagged is
 * the field whose inline tags count; the full name is that of the field itself. */
bool rt_rule_hits(const rt_rules *rs, const rt_rule *r, const sch_field *tagged);
/* The same of a leaf of s: JSON Schema has names by path. */
bool rt_rule_hits_leaf(const rt_rules *rs, const rt_rule *r, const sch_schema *s, const sch_hit *leaf, fl_arena *a);
/* Is one of these tags among the rule's? */
bool rt_rule_meets(const rt_rule *r, const char *const *tags, size_t n);

#endif
