/* import_parts.c: of an export that is read, the members of a line, and the lines of keys. */
#include "runtime/import_parts.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

rt_code rt_import_wrong(importer *im, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return rt_fail(im->err, RT_BAD_INPUT, "%s:%zu: %s", im->name, im->line, text);
}

/* What a function of the store said, with its place. */
rt_code rt_import_placed(importer *im, rt_code code)
{
    rt_error e = *im->err;
    return code == RT_OK ? RT_OK : rt_import_wrong(im, "%s", e.message);
}

/* ---- members ---- */

/* Nothing that is not known is dropped without a word. */
rt_code rt_import_only(importer *im, const fl_json *object, const char *const *known)
{
    for (const fl_json *m = object->child; m; m = m->next) {
        size_t i = 0;
        while (known[i] && strcmp(known[i], m->key) != 0)
            i++;
        if (!known[i])
            return rt_import_wrong(im, "the member \"%.60s\" is not known", m->key);
    }
    return RT_OK;
}

rt_code rt_import_text(importer *im, const fl_json *object, const char *member, const char **out)
{
    *out = fl_json_str(object, member);
    return *out ? RT_OK : rt_import_wrong(im, "the text \"%s\" is missing", member);
}

rt_code rt_import_number(importer *im, const fl_json *object, const char *member, int64_t least, int64_t most,
                         int64_t *out)
{
    if (fl_json_int(object, member, out) && *out >= least && *out <= most)
        return RT_OK;
    return rt_import_wrong(im, "\"%s\" must be a number from %" PRId64 " to %" PRId64, member, least, most);
}

rt_code rt_import_flag(importer *im, const fl_json *object, const char *member, bool *out)
{
    const fl_json *v = fl_json_get(object, member);
    *out = v && v->kind == FL_JTRUE;
    return !v || v->kind == FL_JTRUE || v->kind == FL_JFALSE
               ? RT_OK
               : rt_import_wrong(im, "\"%s\" must be true or false", member);
}

const char *rt_import_node(importer *im, const fl_json *v)
{
    fl_buf b;
    fl_jw w;
    fl_buf_init(&b, RT_RECORD_MAX);
    fl_jw_init(&w, &b, false);
    fl_jw_node(&w, v);
    const char *text = fl_strndup(im->line_a, b.p, b.len);
    fl_buf_free(&b);
    return text;
}

rt_code rt_import_commit(importer *im, fl_buf *record)
{
    return rt_import_placed(im, rt_store_commit(im->to, record, im->err));
}

/* ---- keys ---- */

rt_code rt_import_kek(importer *im)
{
    static const char *const known[] = {"kind", "name",   "kmsType", "kmsKeyId", "kmsProps",
                                        "doc",  "shared", "ts",      "deleted",  NULL};
    const fl_json *props = fl_json_get(im->at, "kmsProps");
    rt_kek k = {.doc = fl_json_str(im->at, "doc")};
    rt_code code = rt_import_only(im, im->at, known);
    if (code == RT_OK)
        code = rt_import_text(im, im->at, "name", &k.name);
    if (code == RT_OK)
        code = rt_import_text(im, im->at, "kmsType", &k.kms_type);
    if (code == RT_OK)
        code = rt_import_text(im, im->at, "kmsKeyId", &k.kms_key_id);
    if (code == RT_OK)
        code = rt_import_flag(im, im->at, "shared", &k.shared);
    if (code == RT_OK)
        code = rt_import_flag(im, im->at, "deleted", &k.deleted);
    if (code == RT_OK)
        code = rt_import_number(im, im->at, "ts", 1, INT64_MAX, &k.ts);
    if (code != RT_OK)
        return code;
    if (rt_store_find_kek(im->to, k.name, true))
        return rt_import_wrong(im, "KEK %.120s is there twice", k.name);
    k.props = props ? rt_import_node(im, props) : NULL;
    return rt_import_placed(im, rt_store_create_kek(&im->to->registry, &k, im->err));
}

static rt_code read_dek(importer *im, rt_dek *d)
{
    const char *alg = NULL;
    int64_t version = 0;
    rt_code code = rt_import_text(im, im->at, "kek", &d->kek);
    if (code == RT_OK)
        code = rt_import_text(im, im->at, "subject", &d->subject);
    if (code == RT_OK)
        code = rt_import_text(im, im->at, "algorithm", &alg);
    if (code == RT_OK)
        code = rt_import_text(im, im->at, "encryptedKeyMaterial", &d->encrypted);
    if (code == RT_OK)
        code = rt_import_number(im, im->at, "version", 1, INT32_MAX, &version);
    if (code == RT_OK)
        code = rt_import_number(im, im->at, "ts", 1, INT64_MAX, &d->ts);
    if (code == RT_OK)
        code = rt_import_flag(im, im->at, "deleted", &d->deleted);
    if (code == RT_OK && !rt_alg_parse(alg, &d->alg))
        code = rt_import_wrong(im, "algorithm %.60s is not known", alg);
    d->version = code == RT_OK ? (int)version : 0;
    return code;
}

static bool is_base64(importer *im, const char *s)
{
    size_t n = strlen(s);
    return n && n <= 65536 && fl_b64_decode(fl_alloc(im->line_a, FL_B64_ROOM(n)), s, n, FL_B64_STRICT) > 0;
}

static bool is_there(importer *im, const rt_dek *d)
{
    rt_numbers list = {0};
    bool found = false;
    rt_store_dek_versions(im->to, im->line_a, d->kek, d->subject, d->alg, true, &list);
    for (size_t i = 0; i < list.n; i++)
        found |= list.v[i] == d->version;
    return found;
}

rt_code rt_import_dek(importer *im)
{
    static const char *const known[] = {"kind", "kek",     "subject", "version", "algorithm", "encryptedKeyMaterial",
                                        "ts",   "deleted", NULL};
    rt_dek d = {0};
    fl_buf b;
    rt_code code = rt_import_only(im, im->at, known);
    if (code == RT_OK)
        code = read_dek(im, &d);
    if (code != RT_OK)
        return code;
    const rt_kek_entry *e = rt_store_find_kek(im->to, d.kek, true);
    if (!e || (e->kek.deleted && !d.deleted))
        return rt_import_wrong(im, "KEK %.120s of a DEK does not come before it, or is deleted", d.kek);
    if (rt_subject_wrong(d.subject) || !is_base64(im, d.encrypted))
        return rt_import_wrong(im, "a DEK's subject or encryptedKeyMaterial is none");
    if (is_there(im, &d) || im->to->ndeks >= RT_KEYS_MAX)
        return rt_import_wrong(im,
                               "KEK %.120s, the DEK of subject %.120s, %s, version %d is there twice, or one too many",
                               d.kek, d.subject, rt_alg_name(d.alg), d.version);
    rt_store_print_dek(&b, &d);
    return rt_import_commit(im, &b);
}
