/* registry.h: the seam of the registry, schemas and keys: what the engine asks of a Schema Registry with a DEK
 * registry. Implementations: memory, directory (both over one store), later HTTP. All pass the same conformance tests.
 *
 * Strings that come back live in the caller's arena. Semantics are those of the vendor's registry (docs/registry.md):
 * KEK and DEK creation is not idempotent (RT_CONFLICT, then read again); an identity of a schema version covers schema,
 * references, metadata and rule set. */
#ifndef FLEC_RUNTIME_REGISTRY_H
#define FLEC_RUNTIME_REGISTRY_H

#include "runtime/aead.h"
#include "runtime/error.h"
#include "runtime/kms.h"

typedef struct rt_schema_ref {
    const char *name, *subject;
    int version;
} rt_schema_ref;

/* One version of a subject. References are resolved by the registry to real versions when registered. */
typedef struct rt_subject {
    const char *subject;
    int version, id;
    const char *type;   /* "AVRO" */
    const char *schema; /* text */
    rt_schema_ref *refs;
    size_t nrefs;
    const char *metadata; /* JSON text or NULL */
    const char *ruleset;  /* JSON text or NULL */
    char guid[37];        /* the vendor's MD5 over all of the above */
    const char
        *message; /* Protobuf: full name of the message that a side carries; no part of the version. NULL: none */
} rt_subject;

typedef struct rt_kek {
    const char *name, *kms_type, *kms_key_id, *doc;
    const char *props; /* JSON object text */
    bool shared, deleted;
    int64_t ts; /* ms */
} rt_kek;

typedef struct rt_dek {
    const char *kek, *subject;
    int version;
    rt_alg alg;
    const char *encrypted; /* base64, NULL if absent */
    fl_secret material;    /* serialised Tink proto; shared KEKs only. The caller frees */
    bool deleted;
    int64_t ts; /* ms */
} rt_dek;

typedef struct rt_registry rt_registry;
struct rt_registry {
    const struct rt_registry_ops *ops;
    bool threads; /* its calls may come from several threads at once */
};

typedef struct rt_registry_ops {
    /* Registers and fills version, id, guid of *s (an equal version gives its own numbers back); refs, metadata and
     * ruleset become what was registered, in the arena: references resolved, canonical form, and where *s has none
     * those of the version before. */
    rt_code (*register_subject)(rt_registry *r, fl_arena *a, rt_subject *s, rt_error *err);
    rt_code (*subject_version)(rt_registry *r, fl_arena *a, const char *subject, int version /* -1 latest */,
                               rt_subject *out, rt_error *err);
    /* Any subject's version with that schema id. subject_hint (or NULL) is preferred when several share the id. */
    rt_code (*schema_by_id)(rt_registry *r, fl_arena *a, int id, const char *subject_hint, rt_subject *out,
                            rt_error *err);
    rt_code (*create_kek)(rt_registry *r, const rt_kek *k, rt_error *err);
    rt_code (*get_kek)(rt_registry *r, fl_arena *a, const char *name, bool deleted, rt_kek *out, rt_error *err);
    /* d->version 0 or 1: the first. For a shared KEK d->encrypted is NULL and the registry makes the key. Fills *out.
     */
    rt_code (*create_dek)(rt_registry *r, fl_arena *a, const rt_dek *d, rt_dek *out, rt_error *err);
    rt_code (*get_dek)(rt_registry *r, fl_arena *a, const char *kek, const char *subject, rt_alg alg,
                       int version /* -1 latest */, bool deleted, rt_dek *out, rt_error *err);
    void (*close)(rt_registry *r);
    /* The version with that GUID, 36 characters (records with the newer framing carry it). id and version may be 0:
     * over HTTP the answer names none. RT_NOT_FOUND; NULL: this registry knows none. */
    rt_code (*schema_by_guid)(rt_registry *r, fl_arena *a, const char *guid, const char *subject_hint, rt_subject *out,
                              rt_error *err);
    /* Is *s, with its references, metadata and rule set, a version of its subject? Fills version, id, guid of *s.
     * RT_NOT_FOUND. NULL: this registry cannot say. */
    rt_code (*find_subject)(rt_registry *r, fl_arena *a, rt_subject *s, rt_error *err);
    /* get_kek and create_kek for the keys of one subject: some registries keep the KEKs of each context apart. NULL:
     * this one does not. */
    rt_code (*get_kek_of)(rt_registry *r, fl_arena *a, const char *name, const char *subject, bool deleted, rt_kek *out,
                          rt_error *err);
    rt_code (*create_kek_of)(rt_registry *r, const rt_kek *k, const char *subject, rt_error *err);
} rt_registry_ops;

/* The embedded registry. url: "mem:" or "file://DIR" (made if absent; RT_IO with a message if another process has it,
 * or if it is of a newer format). params: credentials with which the registry itself unwraps shared KEKs; NULL: a key
 * of its own, kept in the store, stands in for the KMS of every shared KEK (what tests and the demo use). now_ms: the
 * clock, NULL for the system's. own_kms: which shared KEKs use params, the stand-in serves the others; NULL: all do. */
typedef struct rt_registry_options {
    const rt_params *params;
    bool (*own_kms)(void *ctx, const rt_kek *kek);
    void *own_kms_ctx;
    int64_t (*now_ms)(void *ctx);
    void *now_ctx;
} rt_registry_options;
rt_code rt_registry_open(const char *url, const rt_registry_options *opt, rt_registry **out, rt_error *err);
void rt_registry_close(rt_registry *r);
/* The same registry for several threads: one call at a time. Closes `inner` when it is closed. */
rt_registry *rt_registry_locked(rt_registry *inner);

/* The vendor's GUID of a schema version, as 36 characters and a NUL (facts: docs/wire.md). */
rt_code rt_schema_guid(const rt_subject *s, char out[37], rt_error *err);

#endif
