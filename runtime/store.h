/* store.h: the embedded registry in memory: contexts, subjects, schema versions, config and mode, KEKs, DEKs. Without a
 * journal it is `mem:`; with one (journal.h) `file://DIR`.
 *
 * Every change is one record, a JSON object. An operation decides, writes the record to the journal, and only then
 * applies it, by the function that also replays a log: memory holds what a replay would make.
 *
 * Subjects are named as the vendor's registry names them: "orders-value" in the default context, ":.ctx:orders-value"
 * in another; rt_subject_normal makes the one form of a name. Each context counts its schema ids by itself. */
#ifndef FLEC_RUNTIME_STORE_H
#define FLEC_RUNTIME_STORE_H

#include "runtime/canon.h"
#include "runtime/registry.h"
#include "schema/compat.h"

#define RT_RECORD_MAX ((size_t)48 << 20) /* a schema, metadata and rules of 16 MiB at most between them, escaped */
#define RT_SCHEMA_MAX ((size_t)4 << 20)
#define RT_KEYS_MAX   20000             /* of KEKs, and of DEKs: as the vendor's registry */
#define RT_STORE_MAX  ((size_t)1 << 30) /* bytes of all records since the store was made or tidied */
#define RT_TIDY_LEAST ((size_t)1 << 20) /* dead bytes that are never worth tidying */

typedef struct rt_store rt_store;
typedef struct rt_journal rt_journal;
struct rt_journal {
    /* Writes one record. Not deferred: it is durable when this returns. */
    rt_code (*append)(rt_journal *j, const char *record, size_t n, rt_error *err);
    /* Deferred: makes all that was appended durable. A failure is final: the store is ahead of its log. */
    rt_code (*flush)(rt_journal *j, rt_error *err);
    /* The stand-in secret of shared KEKs: read, or made and kept. bytes NULL: there is none yet. */
    rt_code (*load_secret)(rt_journal *j, fl_secret *out, rt_error *err);
    rt_code (*save_secret)(rt_journal *j, const fl_secret *s, rt_error *err);
    /* Puts what the store holds (rt_store_records) in place of all that was written, at once. On failure all is as it
     * was; broken then says that it is unknown, and nothing more is written. */
    rt_code (*rewrite)(rt_journal *j, const rt_store *st, rt_error *err);
    void (*close)(rt_journal *j);
    bool deferred, pending; /* pending: something was appended and is not durable yet */
    bool broken;            /* a write failed in a way that leaves the log unknown */
};

struct rt_versions;

/* What an id stands for: content that any number of subjects of one context may share. */
typedef struct rt_content {
    int id;
    const char *identity; /* SHA-256 over all of it */
    rt_subject is;        /* subject, version: of the first that had it */
    FL_VEC(struct rt_versions *) users;
} rt_content;

typedef struct rt_context {
    const char *name; /* "." or ".ctx" */
    fl_map *by_identity, *by_id, *by_guid;
    int last_id;
    bool gone; /* taken away, and nothing was put into it since */
} rt_context;

typedef struct rt_version {
    rt_content *content;
    int number;
    bool deleted;
    int64_t ts;   /* ms; 0: not known */
    size_t bytes; /* of its record */
} rt_version;

typedef struct rt_versions {
    const char *subject; /* normal form */
    rt_context *context;
    FL_VEC(rt_version) list; /* ascending, with gaps */
    uint64_t made;           /* counts the versions that it ever got, here; see rt_store */
} rt_versions;

/* What is set for everything (""), a context (":.ctx:") or a subject. */
typedef struct rt_scope {
    const char *config; /* as GET /config answers, or NULL */
    const char *mode;   /* or NULL */
} rt_scope;

typedef struct rt_deks {
    FL_VEC(rt_dek *) list; /* of one KEK, subject and algorithm; by version, ascending */
} rt_deks;

typedef struct rt_kek_entry {
    rt_kek kek;
    FL_VEC(rt_dek *) deks;
} rt_kek_entry;

/* What records make changes places in rt_store_tidy (store.c, exchange). */
struct rt_store {
    rt_registry registry;
    rt_registry_options opt;
    rt_journal *journal; /* NULL: memory only */
    const char *url;     /* for messages */
    fl_arena *arena;
    fl_map *subjects, *contexts, *scopes, *keks, *deks; /* rt_versions, rt_context, rt_scope, rt_kek_entry, rt_deks */
    size_t ndeks, size;                                 /* size: bytes of all records since the last tidying */
    size_t dead;                                        /* of these, at most what was deleted or replaced */
    size_t tidy_at;                                     /* at this size it is looked whether tidying is worth it */
    fl_buf *gathered;                                   /* records that are to be one change, or NULL */
    size_t gathering;                                   /* how many */
    size_t applying;                                    /* bytes of the record that is being applied */
    fl_secret stand_in;
    struct rt_kms_later *later; /* NULL: key services are called at once */
    /* Who remembers what was found: made counts the versions that any subject got, changed all other changes but those
     * of keys. A subject's versions and what holds for them are as they were while rt_versions.made and changed are. */
    uint64_t made, changed;
};

rt_store *rt_store_new(const char *url, const rt_registry_options *opt);
void rt_store_free(rt_store *s); /* closes the journal */

/* Applies one record. RT_IO: it is none that this version writes. */
rt_code rt_store_apply(rt_store *s, const char *record, size_t n, rt_error *err);
/* Writes a finished record to the journal, then applies it. Frees the buffer. */
rt_code rt_store_commit(rt_store *s, fl_buf *record, rt_error *err);
/* Several records that are one change, all or none: between the two, what is committed is kept, and applied with the
 * second; so_far: where it is not RT_OK nothing is written. */
void rt_store_gather(rt_store *s);
rt_code rt_store_commit_gathered(rt_store *s, rt_code so_far, rt_error *err);
/* A server answers many at once: changes become durable with the next flush, and are acknowledged after it. */
void rt_store_defer(rt_store *s);
bool rt_store_pending(const rt_store *s); /* a flush is due */
rt_code rt_store_flush(rt_store *s, rt_error *err);
/* Forgets what was deleted or replaced, in memory and in the log, once it is more than what is there and 1 MiB: the
 * store is made anew from its records. No pointer into the store may be held across it. RT_IO: the log can no longer
 * be written; a failure that harms nothing is a warning, and is tried again later. */
rt_code rt_store_tidy(rt_store *s, rt_error *err);
int64_t rt_store_now(const rt_store *s);
char *rt_store_copy(fl_arena *a, const char *s); /* NULL stays NULL */

/* ---- what is there, as records (store_records.c, and where each kind is committed) ---- */

/* Calls fn with records that make a store equal to this one, in an order in which they can be applied; stops when fn
 * returns false. */
typedef bool rt_each_record(const char *record, size_t n, void *ctx);
bool rt_store_records(const rt_store *st, rt_each_record *fn, void *ctx);

/* Starts the buffer and the object that a record is. */
void rt_store_begin_record(fl_buf *b, fl_jw *w, const char *op);
void rt_store_print_refs(fl_jw *w, const rt_subject *s);               /* "references":[…] */
void rt_store_print_json(fl_jw *w, const char *key, const char *json); /* json NULL: nothing */
/* Each starts the buffer; the caller frees it. ident NULL: the content of the id is known already. */
void rt_store_print_version(fl_buf *b, const rt_subject *s, const char *ident, int64_t ts);
void rt_store_print_delete(fl_buf *b, const char *subject, int version, bool permanent);
void rt_store_print_kek(fl_buf *b, const rt_kek *k);
void rt_store_print_dek(fl_buf *b, const rt_dek *d);
void rt_store_print_setting(fl_buf *b, const char *op, const char *scope, const char *value);
/* The last id that a context gave: the version that had it may be gone. */
rt_code rt_store_apply_context(rt_store *s, const fl_json *record, rt_error *err);

/* ---- names (store_names.c) ---- */

/* NULL, or what is wrong with a subject's name. */
const char *rt_subject_wrong(const char *subject);
/* ":.:name" and "name" are one subject. The result may be the argument. */
const char *rt_subject_normal(fl_arena *a, const char *subject);
/* The context of a subject, "." or ".ctx", and where its own name begins. */
const char *rt_subject_context(fl_arena *a, const char *subject);
const char *rt_subject_bare(const char *subject);
/* The scope that a context's config and mode stand under: "" or ":.ctx:". */
const char *rt_context_scope(fl_arena *a, const char *context);
/* A reference's subject, seen from the one that refers to it: of the same context, unless it names one. */
const char *rt_store_ref_subject(fl_arena *a, const char *from, const char *to);
/* The subject that a name is an alias of (config `alias`), else the name itself. */
const char *rt_store_unalias(const rt_store *st, fl_arena *a, const char *subject);

/* ---- versions (store_subjects.c, store_versions.c) ---- */

typedef struct rt_register {
    bool judge;     /* the schema must be one, and must be compatible; else it is taken as it is */
    bool normalize; /* spelled as what means the same (rt_store_judge) */
    /* id: as mode IMPORT gives it, 0: none. version: the one that is to come, -1 for any: a new one is made, and its
     * metadata says its number; 0: none, and an equal version is the answer. */
    int id, version;
} rt_register;

rt_code rt_store_register(rt_registry *r, fl_arena *a, rt_subject *s, rt_error *err);
rt_code rt_store_register_as(rt_store *st, fl_arena *a, rt_subject *s, const rt_register *how, rt_error *err);
/* Real versions in place of -1 in its references; 42201 where one is not registered. */
rt_code rt_store_settle_refs(const rt_store *st, fl_arena *a, rt_subject *s, rt_error *err);
/* Is this schema a version of the subject? Fills it in. RT_NOT_FOUND: 40401, 40403. */
rt_code rt_store_lookup(rt_store *st, fl_arena *a, rt_subject *s, bool normalize, bool deleted, rt_version *out,
                        rt_error *err);
rt_code rt_store_version(rt_registry *r, fl_arena *a, const char *subject, int version, rt_subject *out, rt_error *err);
rt_code rt_store_by_id(rt_registry *r, fl_arena *a, int id, const char *hint, rt_subject *out, rt_error *err);
rt_code rt_store_by_guid(rt_registry *r, fl_arena *a, const char *guid, const char *hint, rt_subject *out,
                         rt_error *err);

rt_code rt_store_find_subject(rt_registry *r, fl_arena *a, rt_subject *s, rt_error *err);

/* version -1: the latest that is not deleted (deleted: of all). NULL: there is none. */
const rt_version *rt_store_find(const rt_store *st, const char *subject, int version, bool deleted);
/* The same with the registry's errors: 40401, 40402, 42202. */
rt_code rt_store_need(const rt_store *st, const char *subject, int version, bool deleted, const rt_version **out,
                      rt_error *err);
const rt_versions *rt_store_subject(const rt_store *st, const char *subject, bool deleted); /* NULL: none there */
const rt_content *rt_store_content(const rt_store *st, const char *context, int id);        /* NULL: none */
/* The subject under which a content is shown: the hint if it has it, else the first that has it. NULL: none. */
const rt_version *rt_store_place(const rt_store *st, const rt_content *c, const char *hint, bool deleted,
                                 const char **subject);
/* Versions that refer to this one: -1 for any version of the subject. Calls fn until it returns false. */
typedef bool rt_each_version(const rt_versions *subject, const rt_version *v, void *ctx);
void rt_store_referrers(const rt_store *st, const char *subject, int version, rt_each_version *fn, void *ctx);
void rt_store_each(const rt_store *st, rt_each_version *fn, void *ctx);

/* Deletes one version (-1: the latest) or, version 0, all of a subject; *out lists the numbers. 40401, 40402, 40404 to
 * 40407, 42205, 42206. */
typedef FL_VEC(int) rt_numbers;
rt_code rt_store_delete(rt_store *st, fl_arena *a, const char *subject, int version, bool permanent, rt_numbers *out,
                        rt_error *err);

rt_context *rt_store_make_context(rt_store *st, const char *name);
/* Takes an empty context away: its next id is 1 again. 40401, 42205 (the default one), 42211 (there are subjects in it,
 * deleted ones count). */
rt_code rt_store_delete_context(rt_store *st, const char *name, rt_error *err);
rt_code rt_store_apply_version(rt_store *s, const fl_json *record, rt_error *err);
rt_code rt_store_apply_delete(rt_store *s, const fl_json *record, rt_error *err);

/* ---- what a schema is (store_judge.c) ---- */

/* Parses s as what its type says, references resolved in the store, and gives its text the registry's spelling: Avro
 * and JSON without spaces. normalize: what means the same is spelled the same (docs/serve.md), and references are
 * sorted. 42201. */
rt_code rt_store_judge(const rt_store *st, fl_arena *a, rt_subject *s, bool normalize, sch_schema **out, rt_error *err);
/* What is wrong with the fields that the metadata reserves; before: the version before, or NULL (store_reserved.c). */
rt_code rt_store_reserved(const rt_store *st, fl_arena *a, const rt_subject *s, const rt_subject *before,
                          rt_strings *problems, rt_error *err);
/* Are these schemas? As rt_store_judge, but nothing is respelled, and protoc runs once for all. *which: the first that
 * is none. 42201. */
rt_code rt_store_are_schemas(const rt_store *st, fl_arena *a, const rt_subject *const *all, size_t n, size_t *which,
                             rt_error *err);
/* Is s compatible with these versions at this level? *ok and why not. 42201 where a schema cannot be read. */
rt_code rt_store_compatible(const rt_store *st, fl_arena *a, sch_level level, const rt_subject *s,
                            const rt_subject *const *history, size_t n, sch_compatibility *why, bool *ok,
                            rt_error *err);
/* A Protobuf schema's FileDescriptorProto in base64, as `format=serialized` gives it. */
rt_code rt_store_serialized(const rt_store *st, fl_arena *a, const rt_subject *s, const char **out, rt_error *err);
/* Versions of a subject that a new one is compared with: not deleted, of its compatibility group, oldest first. */
size_t rt_store_history(const rt_store *st, fl_arena *a, const rt_subject *s, const rt_subject *const **out);

/* ---- config and mode (store_config.c) ---- */

typedef struct rt_settings { /* of a subject, from its own scope, its context's or the global one */
    sch_level level;
    bool normalize, validate_fields;
    const char *group;                            /* compatibilityGroup, or NULL */
    const char *metadata_before, *metadata_after; /* defaultMetadata, overrideMetadata as JSON, or NULL */
    const char *rules_before, *rules_after;       /* defaultRuleSet, overrideRuleSet */
    const char *mode;                             /* READWRITE, … */
} rt_settings;

void rt_store_settings(const rt_store *st, fl_arena *a, const char *subject, rt_settings *out);
const rt_scope *rt_store_scope(const rt_store *st, const char *scope); /* NULL: nothing is set there */
/* Members that the request has replace those that are set; null takes one away. 42203, 42210. */
rt_code rt_store_set_config(rt_store *st, fl_arena *a, const char *scope, const fl_json *request, rt_error *err);
/* 42204, 42205: IMPORT while there are subjects, unless forced. */
rt_code rt_store_set_mode(rt_store *st, fl_arena *a, const char *scope, const char *mode, bool force, rt_error *err);
/* Takes what is set away again, config or mode. */
rt_code rt_store_unset(rt_store *st, const char *scope, bool config, rt_error *err);
/* May versions be added to, or taken from, the subject? 42205. */
rt_code rt_store_writable(const rt_store *st, fl_arena *a, const char *subject, rt_error *err);
rt_code rt_store_apply_config(rt_store *s, const fl_json *record, rt_error *err);
rt_code rt_store_apply_mode(rt_store *s, const fl_json *record, rt_error *err);

/* ---- keys (store_keks.c, store_deks.c) ---- */

/* What would be stored of it. 42271. */
rt_code rt_store_canonical_kek(fl_arena *a, const rt_kek *k, rt_kek *out, rt_error *err);
rt_code rt_store_create_kek(rt_registry *r, const rt_kek *k, rt_error *err);
rt_code rt_store_get_kek(rt_registry *r, fl_arena *a, const char *name, bool deleted, rt_kek *out, rt_error *err);
/* Another doc, other kmsProps, shared or not; what is NULL stays (shared: -1). */
rt_code rt_store_update_kek(rt_store *st, fl_arena *a, const char *name, const char *doc, const char *props, int shared,
                            rt_error *err);
rt_code rt_store_delete_kek(rt_store *st, const char *name, bool permanent, rt_error *err);
rt_code rt_store_undelete_kek(rt_store *st, const char *name, rt_error *err);
/* Can the registry wrap and unwrap with the KEK's KMS? 42271 if it is not shared, else what the KMS says. */
rt_code rt_store_try_kek(rt_store *st, const rt_kek *kek, rt_error *err);

rt_code rt_store_create_dek(rt_registry *r, fl_arena *a, const rt_dek *d, rt_dek *out, rt_error *err);
/* The same (POST …?rewrap=true), but a DEK that is there is wrapped anew, for a shared KEK here, for another one as the
 * request says, and is new by its time. 40971: a wrapped key is given for one of a shared KEK. */
rt_code rt_store_rewrap_dek(rt_store *st, fl_arena *a, const rt_dek *d, rt_dek *out, rt_error *err);
rt_code rt_store_get_dek(rt_registry *r, fl_arena *a, const char *kek, const char *subject, rt_alg alg, int version,
                         bool deleted, rt_dek *out, rt_error *err);
void rt_store_dek_versions(const rt_store *st, fl_arena *a, const char *kek, const char *subject, rt_alg alg,
                           bool deleted, rt_numbers *out);
/* version 0: all of them. */
rt_code rt_store_delete_dek(rt_store *st, const char *kek, const char *subject, rt_alg alg, int version, bool permanent,
                            rt_error *err);
rt_code rt_store_undelete_dek(rt_store *st, const char *kek, const char *subject, rt_alg alg, int version,
                              rt_error *err);
rt_code rt_store_apply_kek(rt_store *s, const fl_json *record, rt_error *err);
rt_code rt_store_apply_dek(rt_store *s, const fl_json *record, rt_error *err);
rt_code rt_store_apply_drop(rt_store *s, const fl_json *record, rt_error *err); /* a KEK or DEK for good */

/* ---- the KMS of shared KEKs (store_kms.c) ---- */

/* A server does not wait for a key service on the thread of the store. While st->later is set, what would call one is
 * written down in later->wanted instead, and the call fails (what it says then is of no use). rt_kms_step_run does the
 * step, on any thread; the call is then made again with it among later->done, and finds its result there. Nothing is
 * changed before all steps of a call are done. */
typedef struct rt_kms_step rt_kms_step;
typedef struct rt_kms_later {
    rt_kms_step *wanted, *done;
} rt_kms_later;
void rt_kms_step_run(rt_kms_step *s);
void rt_kms_later_done(rt_kms_later *l, rt_kms_step *s);
void rt_kms_step_free(rt_kms_step *s); /* and those behind it; NULL is allowed */

/* A new DEK, wrapped; *proto: its Tink form, which the caller frees. */
rt_code rt_store_make_key(rt_store *st, const rt_kek *kek, rt_alg alg, fl_arena *a, const char **encrypted,
                          fl_secret *proto, rt_error *err);
rt_code rt_store_open_key(rt_store *st, const rt_kek *kek, const char *encrypted, fl_secret *proto, rt_error *err);
/* The same key, opened and wrapped anew: with what the KEK's KMS now takes for it. */
rt_code rt_store_rewrap_key(rt_store *st, const rt_kek *kek, fl_arena *a, const char **encrypted, fl_secret *proto,
                            rt_error *err);

/* Between store_keks.c and store_deks.c. */
rt_kek_entry *rt_store_find_kek(const rt_store *st, const char *name, bool deleted);
rt_code rt_store_no_kek(const rt_store *st, const char *name, rt_error *err);
rt_code rt_store_commit_kek(rt_store *st, const rt_kek *k, rt_error *err);
/* For good: one of its DEKs, or where that is NULL the KEK. */
rt_code rt_store_commit_drop(rt_store *st, const char *kek, const rt_dek *d, rt_error *err);

#endif
