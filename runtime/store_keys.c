/* store_keys.c: KEKs and DEKs of the embedded registry. Creation is not idempotent: a live key of the name is a
 * conflict; a key that differs from a deleted one in nothing but that flag revives it, and the other way round (the
 * vendor's registry: docs/registry.md). */
#include <openssl/rand.h>
#include <string.h>
#include <strings.h>

#include "runtime/canon.h"
#include "runtime/dek.h"
#include "runtime/kek_kms.h"
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

static rt_code commit_kek(rt_store *st, const rt_kek *k, rt_error *err)
{
    fl_buf b;
    fl_jw w;
    fl_buf_init(&b, RT_RECORD_MAX);
    fl_jw_init(&w, &b, false);
    fl_jw_object(&w);
    fl_jw_kstring(&w, "op", "kek");
    fl_jw_kstring(&w, "name", k->name);
    fl_jw_kstring(&w, "kmsType", k->kms_type);
    fl_jw_kstring(&w, "kmsKeyId", k->kms_key_id);
    fl_jw_kstring(&w, "doc", k->doc);
    fl_jw_kstring(&w, "kmsProps", k->props);
    fl_jw_kbool(&w, "shared", k->shared);
    fl_jw_kbool(&w, "deleted", k->deleted);
    fl_jw_kint(&w, "ts", k->ts);
    fl_jw_end_object(&w);
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

static rt_code make_kek(rt_store *st, fl_arena *a, const rt_kek *k, rt_error *err)
{
    rt_pairs props;
    rt_kek want = *k;
    rt_code code = check_kek(k, err);
    if (code == RT_OK)
        code = rt_canon_pairs(a, "kmsProps", k->props, &props, err);
    if (code != RT_OK)
        return code;
    want.kms_type = normal_type(k->kms_type);
    want.props = rt_canon_pairs_text(a, &props);
    want.doc = k->doc ? k->doc : "";
    want.ts = k->ts > 0 ? k->ts : rt_store_now(st);
    const rt_kek_entry *old = fl_map_get(st->keks, k->name);
    if (old)
        code = may_replace(st, old, &want, err);
    else if (fl_map_count(st->keks) >= RT_KEYS_MAX)
        code = rt_fail_as(err, RT_BAD_INPUT, 40972, "the registry %s holds %d KEKs, no more fit", st->url, RT_KEYS_MAX);
    return code == RT_OK ? commit_kek(st, &want, err) : code;
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

static rt_kek_entry *find_kek(const rt_store *st, const char *name, bool deleted)
{
    rt_kek_entry *e = fl_map_get(st->keks, name);
    return e && (deleted || !e->kek.deleted) ? e : NULL;
}

static rt_code no_kek(const rt_store *st, const char *name, rt_error *err)
{
    return rt_fail_as(err, RT_NOT_FOUND, 40470, "KEK %s is not in the registry %s", name, st->url);
}

rt_code rt_store_get_kek(rt_registry *r, fl_arena *a, const char *name, bool deleted, rt_kek *out, rt_error *err)
{
    rt_store *st = (rt_store *)r;
    const rt_kek_entry *e = find_kek(st, name, deleted);
    if (!e)
        return no_kek(st, name, err);
    *out = e->kek;
    out->name = fl_strdup(a, e->kek.name);
    out->kms_type = fl_strdup(a, e->kek.kms_type);
    out->kms_key_id = fl_strdup(a, e->kek.kms_key_id);
    out->doc = fl_strdup(a, e->kek.doc);
    out->props = fl_strdup(a, e->kek.props);
    return RT_OK;
}

/* ---- the registry's own access to shared KEKs ---- */

static fl_secret stand_in_param(void *ctx, const char *kek, const char *name)
{
    const rt_store *st = ctx;
    return strcmp(name, "secret") == 0 ? fl_secret_copy(st->stand_in.bytes, st->stand_in.len) : (fl_secret){0};
}

static bool shared_deks(const rt_store *st);

/* Made when first needed. One that is gone while keys need it is never made anew: those keys would be lost without a
 * word. */
static rt_code stand_in_ready(rt_store *st, rt_error *err)
{
    if (st->stand_in.bytes)
        return RT_OK;
    rt_code code = st->journal ? st->journal->load_secret(st->journal, &st->stand_in, err) : RT_OK;
    if (code != RT_OK || st->stand_in.bytes)
        return code;
    if (shared_deks(st))
        return rt_fail(err, RT_NO_KEY,
                       "registry %s: stand-in.key is missing, and keys of shared KEKs need it; put it back", st->url);
    fl_secret s = fl_secret_new(32);
    if (RAND_priv_bytes(s.bytes, 32) != 1)
        fl_die(FL_COULD_NOT_RUN, "OpenSSL gives no random bytes; no key can be made");
    code = st->journal ? st->journal->save_secret(st->journal, &s, err) : RT_OK;
    if (code == RT_OK)
        st->stand_in = s;
    else
        fl_secret_free(&s);
    return code;
}

static rt_code open_kms(rt_store *st, const rt_kek *kek, rt_kms **out, rt_error *err)
{
    if (st->opt.params)
        return rt_kek_kms_open(kek, st->opt.params, out, err);
    rt_params stand_in = {.get = stand_in_param, .ctx = st};
    rt_code code = stand_in_ready(st, err);
    return code == RT_OK ? rt_kms_open(kek->name, "local-kms", "stand-in", &stand_in, out, err) : code;
}

static rt_code unwrap(rt_store *st, const rt_kek *kek, const char *encrypted, fl_secret *material, rt_error *err)
{
    rt_kms *kms;
    rt_code code = open_kms(st, kek, &kms, err);
    if (code != RT_OK)
        return code;
    code = rt_dek_open(kms, encrypted, material, err);
    kms->free(kms);
    return code;
}

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

static bool any_dek(const char *key, void *value, void *ctx)
{
    const rt_kek_entry *e = value;
    *(bool *)ctx |= e->kek.shared && e->deks.n;
    return !*(bool *)ctx;
}

static bool shared_deks(const rt_store *st)
{
    bool found = false;
    fl_map_each(st->keks, any_dek, &found);
    return found;
}

static rt_code commit_dek(rt_store *st, const rt_dek *d, rt_error *err)
{
    fl_buf b;
    fl_jw w;
    fl_buf_init(&b, RT_RECORD_MAX);
    fl_jw_init(&w, &b, false);
    fl_jw_object(&w);
    fl_jw_kstring(&w, "op", "dek");
    fl_jw_kstring(&w, "kek", d->kek);
    fl_jw_kstring(&w, "subject", d->subject);
    fl_jw_kint(&w, "version", d->version);
    fl_jw_kstring(&w, "algorithm", rt_alg_name(d->alg));
    fl_jw_kstring(&w, "encrypted", d->encrypted);
    fl_jw_kbool(&w, "deleted", d->deleted);
    fl_jw_kint(&w, "ts", d->ts);
    fl_jw_end_object(&w);
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

static rt_code copy_out(rt_store *st, fl_arena *a, const rt_kek *kek, const rt_dek *d, rt_dek *out, rt_error *err)
{
    *out = *d;
    out->kek = fl_strdup(a, d->kek);
    out->subject = fl_strdup(a, d->subject);
    out->encrypted = fl_strdup(a, d->encrypted);
    out->material = (fl_secret){0};
    return kek->shared ? unwrap(st, kek, d->encrypted, &out->material, err) : RT_OK;
}

static bool is_base64(fl_arena *a, const char *s)
{
    size_t n = strlen(s);
    return n && n <= 65536 && fl_b64_decode(fl_alloc(a, FL_B64_ROOM(n)), s, n, FL_B64_STRICT) > 0;
}

/* The wrapped key of a DEK that is new: given, or made here for a shared KEK. */
static rt_code settle_key(rt_store *st, fl_arena *a, const rt_kek *kek, rt_dek *d, rt_error *err)
{
    rt_kms *kms;
    fl_secret proto;
    if (d->encrypted && !is_base64(a, d->encrypted))
        return rt_fail_as(err, RT_BAD_INPUT, 42271, "KEK %s, subject %s: encryptedKeyMaterial is no base64", kek->name,
                          d->subject);
    if (!kek->shared)
        return d->encrypted ? RT_OK
                            : rt_fail_as(err, RT_BAD_INPUT, 42271,
                                         "KEK %s is not shared: a DEK for it needs encryptedKeyMaterial", kek->name);
    rt_code code = open_kms(st, kek, &kms, err);
    if (code != RT_OK)
        return code;
    code = d->encrypted ? rt_dek_open(kms, d->encrypted, &proto, err)
                        : rt_dek_make(kms, d->alg, a, &d->encrypted, &proto, err);
    kms->free(kms);
    if (code == RT_OK)
        fl_secret_free(&proto);
    return code;
}

static rt_code revive(const rt_store *st, const rt_dek *old, rt_dek *d, rt_error *err)
{
    if (old->deleted == d->deleted || (d->encrypted && strcmp(d->encrypted, old->encrypted) != 0))
        return rt_fail_as(err, RT_CONFLICT, 40971,
                          "KEK %s has a DEK of subject %s, %s, version %d already in the registry %s", d->kek,
                          d->subject, rt_alg_name(d->alg), d->version, st->url);
    d->encrypted = old->encrypted;
    return RT_OK;
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

rt_code rt_store_create_dek(rt_registry *r, fl_arena *a, const rt_dek *d, rt_dek *out, rt_error *err)
{
    rt_store *st = (rt_store *)r;
    rt_dek want = *d;
    rt_code code = check_dek(d, err);
    if (code != RT_OK)
        return code;
    const rt_kek_entry *e = find_kek(st, d->kek, false);
    if (!e)
        return no_kek(st, d->kek, err);
    want.version = d->version ? d->version : 1;
    want.ts = d->ts > 0 ? d->ts : rt_store_now(st);
    const rt_dek *old = find_dek(st, a, d->kek, d->subject, d->alg, want.version, true);
    if (old)
        code = revive(st, old, &want, err);
    else if (st->ndeks >= RT_KEYS_MAX)
        code = rt_fail_as(err, RT_BAD_INPUT, 40972, "the registry %s holds %d DEKs, no more fit", st->url, RT_KEYS_MAX);
    else
        code = settle_key(st, a, &e->kek, &want, err);
    if (code == RT_OK)
        code = commit_dek(st, &want, err);
    if (code != RT_OK)
        return code;
    return copy_out(st, a, &e->kek, find_dek(st, a, d->kek, d->subject, d->alg, want.version, true), out, err);
}

rt_code rt_store_get_dek(rt_registry *r, fl_arena *a, const char *kek, const char *subject, rt_alg alg, int version,
                         bool deleted, rt_dek *out, rt_error *err)
{
    rt_store *st = (rt_store *)r;
    if (version < 1 && version != -1)
        return rt_fail_as(err, RT_BAD_INPUT, 42202,
                          "KEK %s: DEK version %d is none: a positive number, or -1 for the latest", kek, version);
    const rt_kek_entry *e = find_kek(st, kek, deleted);
    if (!e)
        return no_kek(st, kek, err);
    const rt_dek *d = find_dek(st, a, kek, subject, alg, version, deleted);
    if (!d)
        return rt_fail_as(err, RT_NOT_FOUND, 40470,
                          "KEK %s has no DEK of subject %s, %s, version %d in the registry %s", kek, subject,
                          rt_alg_name(alg), version, st->url);
    return copy_out(st, a, &e->kek, d, out, err);
}
