/* keys.c: the DEK registry: KEKs and DEKs. */
#include <string.h>

#include "runtime/rest/call.h"

/* ---- printing ---- */

static void print_kek(rest_call *c, const rt_kek *k)
{
    fl_jw_object(&c->w);
    fl_jw_kstring(&c->w, "name", k->name);
    fl_jw_kstring(&c->w, "kmsType", k->kms_type);
    fl_jw_kstring(&c->w, "kmsKeyId", k->kms_key_id);
    if (strcmp(k->props, "{}") != 0) {
        fl_jw_key(&c->w, "kmsProps");
        fl_jw_raw(&c->w, k->props, strlen(k->props));
    }
    if (*k->doc)
        fl_jw_kstring(&c->w, "doc", k->doc);
    fl_jw_kbool(&c->w, "shared", k->shared);
    fl_jw_kint(&c->w, "ts", k->ts);
    if (k->deleted)
        fl_jw_kbool(&c->w, "deleted", true);
    fl_jw_end_object(&c->w);
}

/* Frees the key after it is printed. */
static void print_dek(rest_call *c, rt_dek *d)
{
    fl_jw_object(&c->w);
    fl_jw_kstring(&c->w, "kekName", d->kek);
    fl_jw_kstring(&c->w, "subject", d->subject);
    fl_jw_kint(&c->w, "version", d->version);
    fl_jw_kstring(&c->w, "algorithm", rt_alg_name(d->alg));
    fl_jw_kstring(&c->w, "encryptedKeyMaterial", d->encrypted);
    if (d->material.len) {
        char text[FL_B64_LEN(256)];
        size_t n = d->material.len <= 256 ? fl_b64_encode(text, d->material.bytes, d->material.len) : 0;
        fl_jw_key(&c->w, "keyMaterial");
        fl_jw_string_n(&c->w, text, n);
        fl_wipe(text, sizeof text);
    }
    fl_jw_kint(&c->w, "ts", d->ts);
    if (d->deleted)
        fl_jw_kbool(&c->w, "deleted", true);
    fl_jw_end_object(&c->w);
    fl_secret_free(&d->material);
}

/* ---- KEKs ---- */

typedef struct naming {
    rest_call *c;
    rest_strings list;
} naming;

static bool has_prefixed_dek(const rest_call *c, const rt_kek_entry *e)
{
    bool asked = false;
    for (size_t p = 0; p < c->nparams; p++) {
        if (strcmp(c->param[p].name, "subjectPrefix") != 0 || !*c->param[p].value)
            continue;
        asked = true;
        for (size_t i = 0; i < e->deks.n; i++)
            if (!strncmp(e->deks.v[i]->subject, c->param[p].value, strlen(c->param[p].value)))
                return true;
    }
    return !asked;
}

static bool add_kek(const char *key, void *value, void *ctx)
{
    naming *n = ctx;
    const rt_kek_entry *e = value;
    if ((!e->kek.deleted || rest_flag(n->c, "deleted")) &&
        rt_access_may(n->c->access, RT_ON_KEK, e->kek.name, RT_MAY_READ) && has_prefixed_dek(n->c, e))
        FL_PUSH(n->c->a, &n->list, e->kek.name);
    return true;
}

rt_code rest_keks(rest_call *c)
{
    naming n = {.c = c};
    fl_map_each(c->st->keks, add_kek, &n);
    rest_sort(&n.list);
    rest_list(c, &n.list);
    return RT_OK;
}

static rt_code answer_kek(rest_call *c, const char *name, bool deleted)
{
    const rt_kek_entry *e = rt_store_find_kek(c->st, name, deleted);
    if (!e)
        return rt_store_no_kek(c->st, name, &c->err);
    print_kek(c, &e->kek);
    return RT_OK;
}

rt_code rest_get_kek(rest_call *c)
{
    return answer_kek(c, c->arg[0], rest_flag(c, "deleted"));
}

/* What the KMS did not do is no fault of the request, and no secret either: the driver's message says what. */
static rt_code denied(rest_call *c, rt_code code)
{
    if (code == RT_OK || c->err.number)
        return code;
    return rt_fail_as(&c->err, RT_NO_KEY, 40370, "%s", c->err.message);
}

rt_code rest_create_kek(rest_call *c)
{
    rt_kek k = {0};
    if (!c->json)
        return rest_no_body(c);
    const struct {
        const char *member, **to;
    } texts[] = {{"name", &k.name}, {"kmsType", &k.kms_type}, {"kmsKeyId", &k.kms_key_id}, {"doc", &k.doc}};
    rt_code code = RT_OK;
    for (size_t i = 0; i < 4 && code == RT_OK; i++)
        code = rest_string(c, texts[i].member, 42271, texts[i].to);
    k.props = rest_raw(c, "kmsProps");
    if (code == RT_OK)
        code = rest_bool(c, "shared", 42271, &k.shared);
    if (code == RT_OK)
        code = rest_bool(c, "deleted", 42271, &k.deleted);
    if (code == RT_OK)
        code = rt_store_canonical_kek(c->a, &k, &k, &c->err);
    if (code == RT_OK && rest_flag(c, "testSharing"))
        code = denied(c, rt_store_try_kek(c->st, &k, &c->err));
    if (code == RT_OK)
        code = c->st->registry.ops->create_kek(&c->st->registry, &k, &c->err);
    return code == RT_OK ? answer_kek(c, k.name, true) : code;
}

static bool is_null(const rest_call *c, const char *member)
{
    const fl_json *v = fl_json_get(c->json, member);
    return v && v->kind == FL_JNULL;
}

/* null takes doc and kmsProps away. */
rt_code rest_update_kek(rest_call *c)
{
    const char *doc;
    if (!c->json)
        return rest_no_body(c);
    const rt_kek_entry *e = rt_store_find_kek(c->st, c->arg[0], false);
    if (!e)
        return rt_store_no_kek(c->st, c->arg[0], &c->err);
    const char *props = is_null(c, "kmsProps") ? "{}" : rest_raw(c, "kmsProps");
    rt_kek trial = e->kek;
    rt_code code = rest_string(c, "doc", 42271, &doc);
    if (code == RT_OK)
        code = rest_bool(c, "shared", 42271, &trial.shared);
    trial.props = props ? props : trial.props;
    if (code == RT_OK)
        code = rt_store_canonical_kek(c->a, &trial, &trial, &c->err);
    if (code == RT_OK && rest_flag(c, "testSharing"))
        code = denied(c, rt_store_try_kek(c->st, &trial, &c->err));
    if (code == RT_OK)
        code = rt_store_update_kek(c->st, c->a, c->arg[0], is_null(c, "doc") ? "" : doc, props, trial.shared, &c->err);
    return code == RT_OK ? answer_kek(c, c->arg[0], false) : code;
}

rt_code rest_delete_kek(rest_call *c)
{
    rt_code code = rt_store_delete_kek(c->st, c->arg[0], rest_flag(c, "permanent"), &c->err);
    if (code == RT_OK)
        rest_nothing(c);
    return code;
}

rt_code rest_undelete_kek(rest_call *c)
{
    rt_code code = rt_store_undelete_kek(c->st, c->arg[0], &c->err);
    if (code == RT_OK)
        rest_nothing(c);
    return code;
}

rt_code rest_test_kek(rest_call *c)
{
    const rt_kek_entry *e = rt_store_find_kek(c->st, c->arg[0], false);
    if (!e)
        return rt_store_no_kek(c->st, c->arg[0], &c->err);
    rt_code code = denied(c, rt_store_try_kek(c->st, &e->kek, &c->err));
    if (code == RT_OK)
        rest_nothing(c);
    return code;
}

/* ---- DEKs ---- */

static rt_code read_alg(rest_call *c, const char *name, rt_alg *out)
{
    *out = RT_AES256_GCM;
    if (name && *name && !rt_alg_parse(name, out))
        return rt_fail_as(&c->err, RT_BAD_INPUT, 42271, "algorithm %s is none of AES128_GCM, AES256_GCM, AES256_SIV",
                          name);
    return RT_OK;
}

/* The subject of a DEK as it stands in the path. Aliases count where the config says so. */
static rt_code dek_subject(rest_call *c, const char *name, const char **out)
{
    rt_code code = rest_scope(c, name, out);
    if (code != RT_OK)
        return rt_fail_as(&c->err, RT_BAD_INPUT, 42271, "the subject of a DEK is empty or holds a control character");
    const rt_scope *s = rt_store_scope(c->st, *out);
    const fl_json *config =
        s && s->config ? fl_json_parse(c->a, s->config, strlen(s->config), 0, &(fl_json_error){0}) : NULL;
    if (config && fl_json_bool(config, "aliasForDeks", false))
        *out = rt_store_unalias(c->st, c->a, *out);
    return RT_OK;
}

rt_code rest_deks(rest_call *c)
{
    bool deleted = rest_flag(c, "deleted");
    rest_strings all = {0}, once = {0};
    const rt_kek_entry *e = rt_store_find_kek(c->st, c->arg[0], deleted);
    if (!e)
        return rt_store_no_kek(c->st, c->arg[0], &c->err);
    for (size_t i = 0; i < e->deks.n; i++)
        if (deleted || !e->deks.v[i]->deleted)
            FL_PUSH(c->a, &all, e->deks.v[i]->subject);
    rest_sort(&all);
    for (size_t i = 0; i < all.n; i++)
        if (!i || strcmp(all.v[i - 1], all.v[i]) != 0)
            FL_PUSH(c->a, &once, all.v[i]);
    rest_list(c, &once);
    return RT_OK;
}

rt_code rest_dek_versions(rest_call *c)
{
    bool deleted = rest_flag(c, "deleted");
    const char *subject;
    rt_alg alg;
    rt_numbers list = {0};
    rt_code code = dek_subject(c, c->arg[1], &subject);
    if (code == RT_OK)
        code = read_alg(c, rest_text(c, "algorithm"), &alg);
    if (code != RT_OK)
        return code;
    const rt_kek_entry *e = rt_store_find_kek(c->st, c->arg[0], deleted);
    if (!e)
        return rt_store_no_kek(c->st, c->arg[0], &c->err);
    rt_store_dek_versions(c->st, c->a, c->arg[0], subject, alg, deleted, &list);
    if (!list.n)
        return rt_fail_as(&c->err, RT_NOT_FOUND, 40470, "KEK %s has no DEK of subject %s, %s", c->arg[0], subject,
                          rt_alg_name(alg));
    rest_page page = rest_paging(c, list.n);
    fl_jw_array(&c->w);
    for (size_t i = page.from; i < page.to; i++)
        fl_jw_int(&c->w, list.v[i]);
    fl_jw_end_array(&c->w);
    return RT_OK;
}

/* KEK, subject, algorithm and version that path and query name. */
typedef struct named {
    const char *kek, *subject;
    rt_alg alg;
    int version; /* none in the path: `otherwise` */
} named;

static rt_code read_named(rest_call *c, int otherwise, named *out)
{
    *out = (named){.kek = c->arg[0], .version = otherwise};
    rt_code code = dek_subject(c, c->arg[1], &out->subject);
    if (code == RT_OK)
        code = read_alg(c, rest_text(c, "algorithm"), &out->alg);
    if (code == RT_OK && c->arg[2])
        code = rest_version(c, c->arg[2], &out->version);
    return code;
}

rt_code rest_get_dek(rest_call *c)
{
    named n;
    rt_dek d;
    rt_code code = read_named(c, 1, &n);
    if (code == RT_OK)
        code = c->st->registry.ops->get_dek(&c->st->registry, c->a, n.kek, n.subject, n.alg, n.version,
                                            rest_flag(c, "deleted"), &d, &c->err);
    if (code == RT_OK)
        print_dek(c, &d);
    return code;
}

static rt_code read_version(rest_call *c, rt_dek *d)
{
    const fl_json *v = fl_json_get(c->json, "version");
    int64_t n = 1;
    if (v && v->kind != FL_JNULL && (!fl_json_to_int(v, &n) || n < 1 || n > INT32_MAX))
        return rt_fail_as(&c->err, RT_BAD_INPUT, 42202, "a DEK's version is a positive number");
    d->version = (int)n;
    return RT_OK;
}

rt_code rest_create_dek(rest_call *c)
{
    rt_dek d = {.kek = c->arg[0]}, made;
    const char *alg, *subject;
    if (!c->json)
        return rest_no_body(c);
    rt_code code = rest_string(c, "subject", 42271, &subject);
    if (code == RT_OK)
        code = dek_subject(c, c->arg[1] ? c->arg[1] : subject ? subject : "", &d.subject);
    if (code == RT_OK)
        code = rest_string(c, "algorithm", 42271, &alg);
    if (code == RT_OK)
        code = read_alg(c, alg, &d.alg);
    if (code == RT_OK)
        code = read_version(c, &d);
    if (code == RT_OK)
        code = rest_string(c, "encryptedKeyMaterial", 42271, &d.encrypted);
    if (code == RT_OK)
        code = rest_bool(c, "deleted", 42271, &d.deleted);
    if (code != RT_OK)
        return code;
    if (d.encrypted && !*d.encrypted)
        d.encrypted = NULL;
    if (rest_flag(c, "rewrap"))
        code = rt_store_rewrap_dek(c->st, c->a, &d, &made, &c->err);
    else
        code = rt_store_create_dek(&c->st->registry, c->a, &d, &made, &c->err);
    if (code == RT_OK)
        print_dek(c, &made);
    else if (!c->err.number)
        code = rt_fail_as(&c->err, RT_NO_KEY, 50070, "%s", c->err.message);
    return code;
}

rt_code rest_delete_dek(rest_call *c)
{
    named n;
    rt_code code = read_named(c, 0, &n);
    if (code == RT_OK)
        code = rt_store_delete_dek(c->st, n.kek, n.subject, n.alg, n.version, rest_flag(c, "permanent"), &c->err);
    if (code == RT_OK)
        rest_nothing(c);
    return code;
}

rt_code rest_undelete_dek(rest_call *c)
{
    named n;
    rt_code code = read_named(c, 0, &n);
    if (code == RT_OK)
        code = rt_store_undelete_dek(c->st, n.kek, n.subject, n.alg, n.version, &c->err);
    if (code == RT_OK)
        rest_nothing(c);
    return code;
}
