/* export.h: all that an embedded registry holds, as one JSON text that goes from one to another: contexts with their
 * last ids, schemas with ids, GUIDs, versions and deleted states, configs, modes, KEKs, DEKs as they are wrapped.
 *
 * The text is a JSON array with one element a line, so that it can be read by any tool, compared line by line, and is
 * never parsed as a whole; docs/serve.md describes it. Each line has a kind:
 *
 *     [
 *     {"format":"flec-registry-export","version":1},
 *     {"kind":"context","name":".","lastId":2},
 *     {"kind":"schema","context":".","id":1,"guid":…,"schemaType":…,"schema":…,"versions":[{"subject":…,…}]},
 *     {"kind":"config","scope":"orders-value","config":{…}},
 *     {"kind":"mode","scope":"","mode":"READONLY"},
 *     {"kind":"kek","name":…}, {"kind":"dek","kek":…,"encryptedKeyMaterial":…}
 *     ]
 *
 * There is no secret in it: of data keys it has the wrapped form alone. The key that stands in for the KMS of shared
 * KEKs stays where it is, so what it wrapped cannot be opened by the registry that imports it. */
#ifndef FLEC_RUNTIME_EXPORT_H
#define FLEC_RUNTIME_EXPORT_H

#include "runtime/store.h"

#define RT_EXPORT_FORMAT  "flec-registry-export"
#define RT_EXPORT_VERSION 1
#define RT_EXPORT_MAX     ((size_t)1 << 30)

/* Appends the text. RT_IO: it does not fit. */
rt_code rt_store_export(const rt_store *st, fl_buf *out, rt_error *err);
/* Shared KEKs that have DEKs which the stand-in key wrapped, by name, sorted. The store must have been opened without
 * settings of key services. */
typedef FL_VEC(const char *) rt_kek_names;
void rt_store_stand_ins(rt_store *st, fl_arena *a, rt_kek_names *out);

/* Fills an empty store with an export, all of it or nothing. RT_CONFLICT: it is not empty. RT_BAD_INPUT: the text is
 * none that this version writes, or contradicts itself; the message begins with NAME:LINE. */
rt_code rt_store_import(rt_store *st, const char *name, const char *text, size_t n, rt_error *err);

#endif
