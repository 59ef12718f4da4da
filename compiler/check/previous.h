/* previous.h: the build directory that `--previous` names, as the checks on evolution see it: what was registered
 * (registry/), and which topics used it (plan.json). The directory may be hostile: it is read with limits, and what is
 * no build of a known version is refused. It need not be as flec wrote it: what a live registry holds now may have been
 * put into registry/, and then counts; changed files are named.
 *
 * Arrays are in order of name (bytes). All memory lies in the arena of prev_read; nothing points into the files. */
#ifndef FLEC_COMPILER_PREVIOUS_H
#define FLEC_COMPILER_PREVIOUS_H

#include "compiler/estate.h"

typedef struct prev_rule {
    const char *name, *type, *mode;
    const char *phase;      /* "domain", "encoding", "migration" */
    const char *on_failure; /* NULL: not stated */
    const char *kek;        /* NULL: not stated */
    const char *algorithm;  /* AES256_GCM where not stated */
    FL_VEC(const char *) tags;
    bool rotates; /* encrypt.dek.expiry.days above 0 */
    bool disabled;
} prev_rule;

typedef struct prev_ref {
    const char *name, *subject;
} prev_ref;

typedef struct prev_key { /* of metadata.tags */
    const char *key, *tag;
} prev_key;

typedef struct prev_subject {
    const char *name, *text;
    size_t len;
    sch_format format;
    FL_VEC(prev_ref) refs;
    FL_VEC(prev_rule) rules; /* in order of name */
    FL_VEC(prev_key) keys;
    const char *enable_at; /* where rules run at all; NULL: everywhere */
    bool edited;           /* it is not as it was built */
    sch_schema *schema;    /* once prev_schema was asked */
    const char *refused;   /* why it cannot be read, or NULL */
    bool parsed, active;
} prev_subject;

typedef struct prev_leaf { /* a field that was encrypted */
    const char *path, *rule;
} prev_leaf;

typedef struct prev_side {
    const char *topic;
    bool is_key;
    const char *subject_name, *message, *payload; /* payload: the rule that encrypts the whole body; each or NULL */
    prev_subject *subject;                        /* NULL: without a schema */
    FL_VEC(prev_leaf) encrypted;                  /* in order of path */
} prev_side;

typedef struct prev_kek {
    const char *name, *kms_type, *key_id;
} prev_kek;

typedef struct prev_build {
    const char *dir, *environment; /* environment: NULL without */
    FL_VEC(prev_kek) keks;
    FL_VEC(prev_subject) subjects;
    FL_VEC(prev_side) sides; /* in order of topic, the key first */
    sch_proto_set *protobuf; /* descriptors of all Protobuf subjects, once one was asked for */
    const char *no_protobuf; /* why there are none, or NULL */
} prev_build;

/* NULL and a logged message: *status is FL_COULD_NOT_RUN. */
prev_build *prev_read(fl_arena *a, const char *dir, fl_status *status);

const prev_kek *prev_find_kek(const prev_build *b, const char *name);
prev_subject *prev_find_subject(const prev_build *b, const char *name);
const prev_side *prev_find_side(const prev_build *b, const char *topic, bool key);
const prev_rule *prev_find_rule(const prev_subject *s, const char *name);

/* The schema of a subject, parsed when it is first asked for; message: of Protobuf, or NULL. NULL: see `refused`. */
sch_schema *prev_schema(prev_build *b, fl_arena *a, prev_subject *s, const char *message);
/* Does the field carry a tag of the rule, inline or by a key? When in doubt it does. */
bool prev_carries(prev_build *b, fl_arena *a, const prev_side *s, const char *path, const prev_rule *rule);

#endif
