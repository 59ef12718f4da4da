/* store_keks.c: KEKs of the embedded registry. Creation is not idempotent: a live key of the name is a conflict; a key
 * that differs from a deleted one in nothing but that flag revives it, and the other way round (the vendor's registry:
 * docs/registry.md). */
#include <string.h>
#include <strings.h>

#include "runtime/canon.h"
#include "runtime/store.h"

/* ---- KEKs ---- */

/* "AWS", "aws-kms-2" and the like are stored as the type they mean. */
static const char *normal_type(const char *type)
{
    static const struct {
        const char *prefix, *type;
    } known[] = {{"aws", "aws-kms"}, {"azure", "azure-kms"}, {"gcp", "gcp-kms"}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (!strncasecmp(type, known[i].prefix, strlen(known[i].prefix)))
            return known[i].type;
    return type;
}

static bool starts(const char *s, const char *prefix)
{
    return !strncmp(s, prefix, strlen(prefix));
}

/* NULL, or how a key id of this type begins. */
static const char *key_id_wrong(const char *type, const char *id)
{
    if (!strcmp(type, "aws-kms"))
        return starts(id, "arn:aws:kms:") ? NULL : "arn:aws:kms:";
    if (!strcmp(type, "azure-kms"))
        return starts(id, "https://") ? NULL : "https://";
    if (!strcmp(type, "gcp-kms"))
        return starts(id, "projects/") ? NULL : "projects/";
    if (!strcmp(type, "hcvault"))
        return starts(id, "http://") || starts(id, "https://") ? NULL : "https:// or http://";
    return NULL;
}

static rt_code check_kek(const rt_kek *k, rt_error *err)
{
    const char *wrong = rt_name_wrong(k->name);
    size_t bad;
    if (wrong)
        return rt_fail_as(err, RT_BAD_INPUT, 42271, "the name of KEK \"%s\" %s", k->name ? k->name : "", wrong);
    if (!k->kms_type || !*k->kms_type)
        return rt_fail_as(err, RT_BAD_INPUT, 42271, "KEK %s has no kmsType", k->name);
    if (!k->kms_key_id || !*k->kms_key_id)
        return rt_fail_as(err, RT_BAD_INPUT, 42271, "KEK %s has no kmsKeyId", k->name);
    if (strlen(k->kms_type) > 256 || strlen(k->kms_key_id) > 4096 || (k->doc && strlen(k->doc) > 65536))
        return rt_fail_as(err, RT_BAD_INPUT, 42271, "KEK %s: a member is too long", k->name);
    const char *texts[] = {k->kms_type, k->kms_key_id, k->doc ? k->doc : ""};
    for (size_t i = 0; i < 3; i++)
        if (!fl_utf8_ok(texts[i], strlen(texts[i]), &bad))
            return rt_fail_as(err, RT_BAD_INPUT, 42271, "KEK %s: a member is not UTF-8", k->name);
    const char *prefix = key_id_wrong(normal_type(k->kms_type), k->kms_key_id);
    if (prefix)
        return rt_fail_as(err, RT_BAD_INPUT, 42271, "KEK %s: the kmsKeyId of %s begins with %s", k->name,
                          normal_type(k->kms_type), prefix);
    return RT_OK;
}

static bool equivalent(const rt_kek *a, const rt_kek *b)
{
    return !strcmp(a->kms_type, b->kms_type) && !strcmp(a->kms_key_id, b->kms_key_id) && !strcmp(a->doc, b->doc) &&
           !strcmp(a->props, b->props) && a->shared == b->shared;
}

void rt_store_print_kek(fl_buf *b, const rt_kek *k)
{
    fl_jw w;
    rt_store_begin_record(b, &w, "kek");
    fl_jw_kstring(&w, "name", k->name);
    fl_jw_kstring(&w, "kmsType", k->kms_type);
    fl_jw_kstring(&w, "kmsKeyId", k->kms_key_id);
    fl_jw_kstring(&w, "doc", k->doc);
    fl_jw_kstring(&w, "kmsProps", k->props);
    fl_jw_kbool(&w, "shared", k->shared);
    fl_jw_kbool(&w, "deleted", k->deleted);
    fl_jw_kint(&w, "ts", k->ts);
    fl_jw_end_object(&w);
}

rt_code rt_store_commit_kek(rt_store *st, const rt_kek *k, rt_error *err)
{
    fl_buf b;
    rt_store_print_kek(&b, k);
    return rt_store_commit(st, &b, err);
}

static rt_code may_replace(rt_store *st, const rt_kek_entry *old, const rt_kek *k, rt_error *err)
{
    if (old->kek.deleted == k->deleted || !equivalent(&old->kek, k))
        return rt_fail_as(err, RT_CONFLICT, 40971, "KEK %s is in the registry %s already", k->name, st->url);
    for (size_t i = 0; k->deleted && i < old->deks.n; i++)
        if (!old->deks.v[i]->deleted)
            return rt_fail_as(err, RT_CONFLICT, 42272, "KEK %s has a DEK of subject %s that is not deleted", k->name,
                              old->deks.v[i]->subject);
    return RT_OK;
}

rt_code rt_store_canonical_kek(fl_arena *a, const rt_kek *k, rt_kek *out, rt_error *err)
{
    rt_pairs props;
    rt_code code = check_kek(k, err);
    if (code == RT_OK)
        code = rt_canon_pairs(a, "kmsProps", k->props, &props, err);
    if (code != RT_OK)
        return code;
    *out = *k;
    out->kms_type = normal_type(k->kms_type);
    out->props = rt_canon_pairs_text(a, &props);
    out->doc = k->doc ? k->doc : "";
    return RT_OK;
}

static rt_code make_kek(rt_store *st, fl_arena *a, const rt_kek *k, rt_error *err)
{
    rt_kek want;
    rt_code code = rt_store_canonical_kek(a, k, &want, err);
    if (code != RT_OK)
        return code;
    want.ts = k->ts > 0 ? k->ts : rt_store_now(st);
    const rt_kek_entry *old = fl_map_get(st->keks, k->name);
    if (old)
        code = may_replace(st, old, &want, err);
    else if (fl_map_count(st->keks) >= RT_KEYS_MAX)
        code = rt_fail_as(err, RT_BAD_INPUT, 40972, "the registry %s holds %d KEKs, no more fit", st->url, RT_KEYS_MAX);
    return code == RT_OK ? rt_store_commit_kek(st, &want, err) : code;
}

rt_code rt_store_create_kek(rt_registry *r, const rt_kek *k, rt_error *err)
{
    fl_arena *a = fl_arena_new();
    rt_code code = make_kek((rt_store *)r, a, k, err);
    fl_arena_free(a);
    return code;
}

rt_code rt_store_apply_kek(rt_store *st, const fl_json *record, rt_error *err)
{
    const char *name = fl_json_str(record, "name"), *type = fl_json_str(record, "kmsType"),
               *id = fl_json_str(record, "kmsKeyId");
    const char *doc = fl_json_str(record, "doc"), *props = fl_json_str(record, "kmsProps");
    int64_t ts;
    if (!name || !type || !id || !doc || !props || !fl_json_int(record, "ts", &ts))
        return rt_fail(err, RT_IO, "a record of a KEK lacks a member");
    rt_kek_entry *e = fl_map_get(st->keks, name);
    if (!e) {
        e = FL_NEW(st->arena, rt_kek_entry);
        fl_map_put(st->keks, name, e);
    }
    e->kek = (rt_kek){.name = fl_strdup(st->arena, name),
                      .kms_type = fl_strdup(st->arena, type),
                      .kms_key_id = fl_strdup(st->arena, id),
                      .doc = fl_strdup(st->arena, doc),
                      .props = fl_strdup(st->arena, props),
                      .shared = fl_json_bool(record, "shared", false),
                      .deleted = fl_json_bool(record, "deleted", false),
                      .ts = ts};
    return RT_OK;
}

rt_kek_entry *rt_store_find_kek(const rt_store *st, const char *name, bool deleted)
{
    rt_kek_entry *e = fl_map_get(st->keks, name);
    return e && (deleted || !e->kek.deleted) ? e : NULL;
}

rt_code rt_store_no_kek(const rt_store *st, const char *name, rt_error *err)
{
    return rt_fail_as(err, RT_NOT_FOUND, 40470, "KEK %s is not in the registry %s", name, st->url);
}

rt_code rt_store_get_kek(rt_registry *r, fl_arena *a, const char *name, bool deleted, rt_kek *out, rt_error *err)
{
    rt_store *st = (rt_store *)r;
    const rt_kek_entry *e = rt_store_find_kek(st, name, deleted);
    if (!e)
        return rt_store_no_kek(st, name, err);
    *out = e->kek;
    out->name = fl_strdup(a, e->kek.name);
    out->kms_type = fl_strdup(a, e->kek.kms_type);
    out->kms_key_id = fl_strdup(a, e->kek.kms_key_id);
    out->doc = fl_strdup(a, e->kek.doc);
    out->props = fl_strdup(a, e->kek.props);
    return RT_OK;
}

/* ---- changing and deleting ---- */

rt_code rt_store_update_kek(rt_store *st, fl_arena *a, const char *name, const char *doc, const char *props, int shared,
                            rt_error *err)
{
    rt_pairs pairs;
    const rt_kek_entry *e = rt_store_find_kek(st, name, false);
    if (!e)
        return rt_store_no_kek(st, name, err);
    rt_kek want = e->kek;
    want.doc = doc ? doc : want.doc;
    want.shared = shared < 0 ? want.shared : shared;
    rt_code code = props ? rt_canon_pairs(a, "kmsProps", props, &pairs, err) : RT_OK;
    if (code == RT_OK && props)
        want.props = rt_canon_pairs_text(a, &pairs);
    if (code == RT_OK)
        code = check_kek(&want, err);
    if (code != RT_OK || equivalent(&want, &e->kek))
        return code;
    want.ts = rt_store_now(st);
    return rt_store_commit_kek(st, &want, err);
}

static const rt_dek *standing(const rt_kek_entry *e, bool deleted)
{
    for (size_t i = 0; i < e->deks.n; i++)
        if (deleted || !e->deks.v[i]->deleted)
            return e->deks.v[i];
    return NULL;
}

rt_code rt_store_delete_kek(rt_store *st, const char *name, bool permanent, rt_error *err)
{
    const rt_kek_entry *e = rt_store_find_kek(st, name, true);
    if (!e)
        return rt_store_no_kek(st, name, err);
    if (permanent && !e->kek.deleted)
        return rt_fail_as(err, RT_NOT_FOUND, 40471, "KEK %s was not soft deleted before: do that first", name);
    const rt_dek *d = standing(e, permanent);
    if (d)
        return rt_fail_as(err, RT_REFUSED, 42272, "KEK %s has a DEK of subject %s: delete that first", name,
                          d->subject);
    if (permanent)
        return rt_store_commit_drop(st, name, NULL, err);
    rt_kek want = e->kek;
    want.deleted = true;
    return e->kek.deleted ? RT_OK : rt_store_commit_kek(st, &want, err);
}

rt_code rt_store_undelete_kek(rt_store *st, const char *name, rt_error *err)
{
    const rt_kek_entry *e = rt_store_find_kek(st, name, true);
    if (!e)
        return rt_store_no_kek(st, name, err);
    rt_kek want = e->kek;
    want.deleted = false;
    return e->kek.deleted ? rt_store_commit_kek(st, &want, err) : RT_OK;
}
