/* store_deks.c: DEKs of the embedded registry: of a KEK, a subject, an algorithm, by version. */
#include <string.h>

#include "runtime/store.h"

/* ---- DEKs ---- */

static char *dek_key(fl_arena *a, const char *kek, const char *subject, rt_alg alg)
{
    return fl_printf(a, "%s\x1f%s\x1f%s", kek, subject, rt_alg_name(alg)); /* no subject holds a control character */
}

static rt_dek *find_dek(const rt_store *st, fl_arena *a, const char *kek, const char *subject, rt_alg alg, int version,
                        bool deleted)
{
    const rt_deks *d = fl_map_get(st->deks, dek_key(a, kek, subject, alg));
    for (size_t i = d ? d->list.n : 0; i-- > 0;) {
        rt_dek *dek = d->list.v[i];
        if ((version == -1 || dek->version == version) && (deleted || !dek->deleted))
            return dek;
    }
    return NULL;
}

void rt_store_print_dek(fl_buf *b, const rt_dek *d)
{
    fl_jw w;
    rt_store_begin_record(b, &w, "dek");
    fl_jw_kstring(&w, "kek", d->kek);
    fl_jw_kstring(&w, "subject", d->subject);
    fl_jw_kint(&w, "version", d->version);
    fl_jw_kstring(&w, "algorithm", rt_alg_name(d->alg));
    fl_jw_kstring(&w, "encrypted", d->encrypted);
    fl_jw_kbool(&w, "deleted", d->deleted);
    fl_jw_kint(&w, "ts", d->ts);
    fl_jw_end_object(&w);
}

static rt_code commit_dek(rt_store *st, const rt_dek *d, rt_error *err)
{
    fl_buf b;
    rt_store_print_dek(&b, d);
    return rt_store_commit(st, &b, err);
}

static void place(rt_store *st, rt_kek_entry *kek, rt_dek *d)
{
    char *key = dek_key(st->arena, d->kek, d->subject, d->alg);
    rt_deks *deks = fl_map_get(st->deks, key);
    if (!deks) {
        deks = FL_NEW(st->arena, rt_deks);
        fl_map_put(st->deks, key, deks);
    }
    FL_PUSH(st->arena, &deks->list, d);
    for (size_t i = deks->list.n - 1; i > 0 && deks->list.v[i - 1]->version > d->version; i--) {
        deks->list.v[i] = deks->list.v[i - 1];
        deks->list.v[i - 1] = d;
    }
    FL_PUSH(st->arena, &kek->deks, d);
    st->ndeks++;
}

rt_code rt_store_apply_dek(rt_store *st, const fl_json *record, rt_error *err)
{
    const char *kek = fl_json_str(record, "kek"), *subject = fl_json_str(record, "subject");
    const char *alg_name = fl_json_str(record, "algorithm"), *encrypted = fl_json_str(record, "encrypted");
    int64_t version, ts;
    rt_alg alg;
    if (!kek || !subject || !alg_name || !rt_alg_parse(alg_name, &alg) || !encrypted ||
        !fl_json_int(record, "version", &version) || version < 1 || version > INT32_MAX ||
        !fl_json_int(record, "ts", &ts))
        return rt_fail(err, RT_IO, "a record of a DEK lacks a member");
    rt_kek_entry *e = fl_map_get(st->keks, kek);
    if (!e)
        return rt_fail(err, RT_IO, "a record of a DEK of an unknown KEK");
    rt_dek *d = find_dek(st, st->arena, kek, subject, alg, (int)version, true);
    if (!d) {
        d = FL_NEW(st->arena, rt_dek);
        *d =
            (rt_dek){.kek = e->kek.name, .subject = fl_strdup(st->arena, subject), .version = (int)version, .alg = alg};
        place(st, e, d);
    }
    d->encrypted = fl_strdup(st->arena, encrypted);
    d->deleted = fl_json_bool(record, "deleted", false);
    d->ts = ts;
    return RT_OK;
}

static void copy_out(fl_arena *a, const rt_dek *d, const fl_secret *material, rt_dek *out)
{
    *out = *d;
    out->kek = fl_strdup(a, d->kek);
    out->subject = fl_strdup(a, d->subject);
    out->encrypted = fl_strdup(a, d->encrypted);
    out->material = *material;
}

static bool is_imported(const rt_store *st, fl_arena *a, const char *subject)
{
    rt_settings set;
    rt_store_settings(st, a, subject, &set);
    return !strcmp(set.mode, "IMPORT");
}

static bool is_base64(fl_arena *a, const char *s)
{
    size_t n = strlen(s);
    return n && n <= 65536 && fl_b64_decode(fl_alloc(a, FL_B64_ROOM(n)), s, n, FL_B64_STRICT) > 0;
}

/* For the answer. In mode IMPORT nobody opens a key: its KMS may be out of reach. */
static rt_code open_dek(rt_store *st, fl_arena *a, const rt_kek *kek, const rt_dek *d, fl_secret *material,
                        rt_error *err)
{
    if (!kek->shared || is_imported(st, a, d->subject))
        return RT_OK;
    return rt_store_open_key(st, kek, d->encrypted, material, err);
}

/* The wrapped key of a DEK that is new: given, or made here for a shared KEK. */
static rt_code settle_key(rt_store *st, fl_arena *a, const rt_kek *kek, rt_dek *d, fl_secret *material, rt_error *err)
{
    if (d->encrypted && !is_base64(a, d->encrypted))
        return rt_fail_as(err, RT_BAD_INPUT, 42271, "KEK %s, subject %s: encryptedKeyMaterial is no base64", kek->name,
                          d->subject);
    if (!kek->shared)
        return d->encrypted ? RT_OK
                            : rt_fail_as(err, RT_BAD_INPUT, 42271,
                                         "KEK %s is not shared: a DEK for it needs encryptedKeyMaterial", kek->name);
    if (!d->encrypted)
        return rt_store_make_key(st, kek, d->alg, a, &d->encrypted, material, err);
    return open_dek(st, a, kek, d, material, err);
}

static rt_code exists(const rt_store *st, const rt_dek *d, rt_error *err)
{
    return rt_fail_as(err, RT_CONFLICT, 40971,
                      "KEK %s has a DEK of subject %s, %s, version %d already in the registry %s", d->kek, d->subject,
                      rt_alg_name(d->alg), d->version, st->url);
}

/* The vendor's `rewrap`. */
static rt_code wrap_anew(rt_store *st, fl_arena *a, const rt_kek *kek, const rt_dek *old, rt_dek *d,
                         fl_secret *material, rt_error *err)
{
    if (!kek->shared)
        return settle_key(st, a, kek, d, material, err);
    if (d->encrypted)
        return exists(st, d, err);
    d->encrypted = old->encrypted;
    return rt_store_rewrap_key(st, kek, a, &d->encrypted, material, err);
}

static rt_code revive(rt_store *st, fl_arena *a, const rt_kek *kek, const rt_dek *old, rt_dek *d, fl_secret *material,
                      rt_error *err)
{
    if (old->deleted == d->deleted || (d->encrypted && strcmp(d->encrypted, old->encrypted) != 0))
        return exists(st, d, err);
    d->encrypted = old->encrypted;
    return open_dek(st, a, kek, d, material, err);
}

static rt_code check_dek(const rt_dek *d, rt_error *err)
{
    const char *wrong = rt_subject_wrong(d->subject);
    if (!d->kek)
        return rt_fail_as(err, RT_BAD_INPUT, 42271, "a DEK names no KEK");
    if (wrong)
        return rt_fail_as(err, RT_BAD_INPUT, 42271, "KEK %s: the subject of a DEK %s", d->kek, wrong);
    if (d->version < 0)
        return rt_fail_as(err, RT_BAD_INPUT, 42202, "KEK %s, subject %s: a DEK of version %d cannot be", d->kek,
                          d->subject, d->version);
    return RT_OK;
}

static rt_code create(rt_store *st, fl_arena *a, const rt_dek *d, bool rewrap, rt_dek *out, rt_error *err)
{
    rt_dek want = *d;
    fl_secret material = {0}; /* what the answer says of the key is there before anything is changed */
    rt_code code = check_dek(d, err);
    if (code != RT_OK)
        return code;
    const rt_kek_entry *e = rt_store_find_kek(st, d->kek, d->deleted);
    if (!e)
        return rt_store_no_kek(st, d->kek, err);
    want.version = d->version ? d->version : 1;
    want.ts = d->ts > 0 ? d->ts : rt_store_now(st);
    const rt_dek *old = find_dek(st, a, d->kek, d->subject, d->alg, want.version, true);
    if (old && rewrap)
        code = wrap_anew(st, a, &e->kek, old, &want, &material, err);
    else if (old)
        code = revive(st, a, &e->kek, old, &want, &material, err);
    else if (st->ndeks >= RT_KEYS_MAX)
        code = rt_fail_as(err, RT_BAD_INPUT, 40972, "the registry %s holds %d DEKs, no more fit", st->url, RT_KEYS_MAX);
    else
        code = settle_key(st, a, &e->kek, &want, &material, err);
    if (code == RT_OK)
        code = commit_dek(st, &want, err);
    if (code == RT_OK)
        copy_out(a, find_dek(st, a, d->kek, d->subject, d->alg, want.version, true), &material, out);
    else
        fl_secret_free(&material);
    return code;
}

rt_code rt_store_create_dek(rt_registry *r, fl_arena *a, const rt_dek *d, rt_dek *out, rt_error *err)
{
    return create((rt_store *)r, a, d, false, out, err);
}

rt_code rt_store_rewrap_dek(rt_store *st, fl_arena *a, const rt_dek *d, rt_dek *out, rt_error *err)
{
    return create(st, a, d, true, out, err);
}

rt_code rt_store_get_dek(rt_registry *r, fl_arena *a, const char *kek, const char *subject, rt_alg alg, int version,
                         bool deleted, rt_dek *out, rt_error *err)
{
    rt_store *st = (rt_store *)r;
    if (version < 1 && version != -1)
        return rt_fail_as(err, RT_BAD_INPUT, 42202,
                          "KEK %s: DEK version %d is none: a positive number, or -1 for the latest", kek, version);
    const rt_kek_entry *e = rt_store_find_kek(st, kek, deleted);
    if (!e)
        return rt_store_no_kek(st, kek, err);
    const rt_dek *d = find_dek(st, a, kek, subject, alg, version, deleted);
    if (!d)
        return rt_fail_as(err, RT_NOT_FOUND, 40470,
                          "KEK %s has no DEK of subject %s, %s, version %d in the registry %s", kek, subject,
                          rt_alg_name(alg), version, st->url);
    fl_secret material = {0};
    rt_code code = e->kek.shared ? rt_store_open_key(st, &e->kek, d->encrypted, &material, err) : RT_OK;
    if (code == RT_OK)
        copy_out(a, d, &material, out);
    return code;
}

void rt_store_dek_versions(const rt_store *st, fl_arena *a, const char *kek, const char *subject, rt_alg alg,
                           bool deleted, rt_numbers *out)
{
    const rt_deks *d = fl_map_get(st->deks, dek_key(a, kek, subject, alg));
    for (size_t i = 0; d && i < d->list.n; i++)
        if (deleted || !d->list.v[i]->deleted)
            FL_PUSH(a, out, d->list.v[i]->version);
}

/* ---- deleting ---- */

rt_code rt_store_commit_drop(rt_store *st, const char *kek, const rt_dek *d, rt_error *err)
{
    fl_buf b;
    fl_jw w;
    rt_store_begin_record(&b, &w, "drop");
    fl_jw_kstring(&w, "kek", kek);
    if (d) {
        fl_jw_kstring(&w, "subject", d->subject);
        fl_jw_kstring(&w, "algorithm", rt_alg_name(d->alg));
        fl_jw_kint(&w, "version", d->version);
    }
    fl_jw_end_object(&w);
    return rt_store_commit(st, &b, err);
}

static rt_code no_dek(const rt_store *st, const char *kek, const char *subject, rt_alg alg, rt_error *err)
{
    return rt_fail_as(err, RT_NOT_FOUND, 40470, "KEK %s has no such DEK of subject %s, %s in the registry %s", kek,
                      subject, rt_alg_name(alg), st->url);
}

/* What is meant by a version: one, -1 the latest, 0 all; in numbers, since the list changes meanwhile. */
static rt_code meant(const rt_store *st, fl_arena *a, const char *kek, const char *subject, rt_alg alg, int version,
                     rt_numbers *out, rt_error *err)
{
    if (!rt_store_find_kek(st, kek, true))
        return rt_store_no_kek(st, kek, err);
    const rt_deks *d = fl_map_get(st->deks, dek_key(a, kek, subject, alg));
    for (size_t i = d ? d->list.n : 0; i-- > 0 && (version != -1 || !out->n);)
        if (version <= 0 || d->list.v[i]->version == version)
            FL_PUSH(a, out, d->list.v[i]->version);
    return out->n ? RT_OK : no_dek(st, kek, subject, alg, err);
}

static rt_code delete_one(rt_store *st, const rt_dek *d, bool permanent, rt_error *err)
{
    rt_dek want = *d;
    if (permanent)
        return rt_store_commit_drop(st, want.kek, &want, err);
    want.deleted = true;
    return d->deleted ? RT_OK : commit_dek(st, &want, err);
}

rt_code rt_store_delete_dek(rt_store *st, const char *kek, const char *subject, rt_alg alg, int version, bool permanent,
                            rt_error *err)
{
    fl_arena *a = fl_arena_new();
    rt_numbers numbers = {0};
    rt_code code = meant(st, a, kek, subject, alg, version, &numbers, err);
    for (size_t i = 0; i < numbers.n && code == RT_OK && permanent; i++)
        if (!find_dek(st, a, kek, subject, alg, numbers.v[i], true)->deleted)
            code = rt_fail_as(err, RT_NOT_FOUND, 40471,
                              "KEK %s, subject %s, %s, version %d was not soft deleted before: do that first", kek,
                              subject, rt_alg_name(alg), numbers.v[i]);
    rt_store_gather(st);
    for (size_t i = 0; i < numbers.n && code == RT_OK; i++)
        code = delete_one(st, find_dek(st, a, kek, subject, alg, numbers.v[i], true), permanent, err);
    code = rt_store_commit_gathered(st, code, err);
    fl_arena_free(a);
    return code;
}

rt_code rt_store_undelete_dek(rt_store *st, const char *kek, const char *subject, rt_alg alg, int version,
                              rt_error *err)
{
    fl_arena *a = fl_arena_new();
    rt_numbers numbers = {0};
    rt_code code = meant(st, a, kek, subject, alg, version, &numbers, err);
    if (code == RT_OK && !rt_store_find_kek(st, kek, false))
        code = rt_fail_as(err, RT_NOT_FOUND, 40472, "KEK %s is deleted: undelete it first", kek);
    rt_store_gather(st);
    for (size_t i = 0; i < numbers.n && code == RT_OK; i++) {
        rt_dek want = *find_dek(st, a, kek, subject, alg, numbers.v[i], true);
        if (!want.deleted)
            continue;
        want.deleted = false;
        code = commit_dek(st, &want, err);
    }
    code = rt_store_commit_gathered(st, code, err);
    fl_arena_free(a);
    return code;
}

static void take_out(rt_dek **v, size_t *n, const rt_dek *d)
{
    size_t kept = 0;
    for (size_t i = 0; i < *n; i++)
        if (v[i] != d)
            v[kept++] = v[i];
    *n = kept;
}

static rt_code drop_dek(rt_store *st, rt_kek_entry *e, const fl_json *record, rt_error *err)
{
    const char *subject = fl_json_str(record, "subject"), *name = fl_json_str(record, "algorithm");
    int64_t version;
    rt_alg alg;
    rt_dek *d = NULL;
    if (name && rt_alg_parse(name, &alg) && fl_json_int(record, "version", &version))
        d = find_dek(st, st->arena, e->kek.name, subject, alg, (int)version, true);
    if (!d)
        return rt_fail(err, RT_IO, "a record of a deletion names no DEK that is there");
    rt_deks *of = fl_map_get(st->deks, dek_key(st->arena, e->kek.name, subject, alg));
    take_out(of->list.v, &of->list.n, d);
    take_out(e->deks.v, &e->deks.n, d);
    st->ndeks--;
    return RT_OK;
}

rt_code rt_store_apply_drop(rt_store *st, const fl_json *record, rt_error *err)
{
    const char *kek = fl_json_str(record, "kek");
    rt_kek_entry *e = kek ? rt_store_find_kek(st, kek, true) : NULL;
    if (!e || (!fl_json_str(record, "subject") && e->deks.n))
        return rt_fail(err, RT_IO, "a record of a deletion names no KEK that may go");
    if (fl_json_str(record, "subject"))
        return drop_dek(st, e, record, err);
    fl_map_del(st->keks, kek);
    return RT_OK;
}
