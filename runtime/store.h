/* store.h: the embedded registry in memory: subjects, schema versions, KEKs, DEKs. Without a journal it is `mem:`; with
 * one (journal.h) `file://DIR`.
 *
 * Every change is one record, a JSON object. An operation decides, writes the record to the journal, and only then
 * applies it, by the function that also replays a log: memory holds what a replay would make. */
#ifndef FLEC_RUNTIME_STORE_H
#define FLEC_RUNTIME_STORE_H

#include "runtime/registry.h"

#define RT_RECORD_MAX ((size_t)48 << 20) /* a schema, metadata and rules of 16 MiB at most between them, escaped */
#define RT_SCHEMA_MAX ((size_t)4 << 20)
#define RT_KEYS_MAX   20000 /* of KEKs, and of DEKs: as the vendor's registry */

typedef struct rt_journal rt_journal;
struct rt_journal {
    rt_code (*append)(rt_journal *j, const char *record, size_t n, rt_error *err);
    /* The stand-in secret of shared KEKs: read, or made and kept. bytes NULL: there is none yet. */
    rt_code (*load_secret)(rt_journal *j, fl_secret *out, rt_error *err);
    rt_code (*save_secret)(rt_journal *j, const fl_secret *s, rt_error *err);
    void (*close)(rt_journal *j);
};

/* What an id stands for: content that any number of subjects may share. */
typedef struct rt_content {
    int id;
    const char *identity; /* SHA-256 over all of it */
    rt_subject is;        /* subject and version: of the first that had it */
} rt_content;

typedef struct rt_versions {
    const char *subject;
    FL_VEC(rt_content *) list; /* version i + 1 */
} rt_versions;

typedef struct rt_deks {
    FL_VEC(rt_dek *) list; /* of one KEK, subject and algorithm; by version, ascending */
} rt_deks;

typedef struct rt_kek_entry {
    rt_kek kek;
    FL_VEC(rt_dek *) deks;
} rt_kek_entry;

typedef struct rt_store {
    rt_registry registry;
    rt_registry_options opt;
    rt_journal *journal; /* NULL: memory only */
    const char *url;     /* for messages */
    fl_arena *arena;
    fl_map *subjects, *by_identity, *keks, *deks; /* rt_versions, rt_content, rt_kek_entry, rt_deks */
    FL_VEC(rt_content *) ids;                     /* id i + 1 */
    size_t ndeks;
    fl_secret stand_in;
} rt_store;

rt_store *rt_store_new(const char *url, const rt_registry_options *opt);
void rt_store_free(rt_store *s); /* closes the journal */

/* Applies one record. RT_IO: it is none that this version writes. */
rt_code rt_store_apply(rt_store *s, const char *record, size_t n, rt_error *err);
/* Writes a finished record to the journal, then applies it. Frees the buffer. */
rt_code rt_store_commit(rt_store *s, fl_buf *record, rt_error *err);
int64_t rt_store_now(const rt_store *s);
char *rt_store_copy(fl_arena *a, const char *s); /* NULL stays NULL */
/* NULL, or what is wrong with a subject's name. */
const char *rt_subject_wrong(const char *subject);

/* store_subjects.c */
rt_code rt_store_register(rt_registry *r, fl_arena *a, rt_subject *s, rt_error *err);
rt_code rt_store_version(rt_registry *r, fl_arena *a, const char *subject, int version, rt_subject *out, rt_error *err);
rt_code rt_store_by_id(rt_registry *r, fl_arena *a, int id, const char *hint, rt_subject *out, rt_error *err);
rt_code rt_store_apply_version(rt_store *s, const fl_json *record, rt_error *err);

/* store_keys.c */
rt_code rt_store_create_kek(rt_registry *r, const rt_kek *k, rt_error *err);
rt_code rt_store_get_kek(rt_registry *r, fl_arena *a, const char *name, bool deleted, rt_kek *out, rt_error *err);
rt_code rt_store_create_dek(rt_registry *r, fl_arena *a, const rt_dek *d, rt_dek *out, rt_error *err);
rt_code rt_store_get_dek(rt_registry *r, fl_arena *a, const char *kek, const char *subject, rt_alg alg, int version,
                         bool deleted, rt_dek *out, rt_error *err);
rt_code rt_store_apply_kek(rt_store *s, const fl_json *record, rt_error *err);
rt_code rt_store_apply_dek(rt_store *s, const fl_json *record, rt_error *err);

#endif
