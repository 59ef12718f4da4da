/* registry_answers.c: JSON answers of a registry. */
#include "runtime/registry_answers.h"

#include <string.h>

enum { MAX_REFS = 1000, MAX_KEY = 512 };

static rt_code odd(rt_error *err, const char *what)
{
    return rt_fail(err, RT_IO, "the registry's answer %s: it is not used", what);
}

static const char *raw(fl_arena *a, const fl_json *node)
{
    fl_buf b;
    fl_jw w;
    if (!node || node->kind == FL_JNULL)
        return NULL;
    fl_buf_init(&b, FL_JSON_MAX_BYTES);
    fl_jw_init(&w, &b, false);
    fl_jw_node(&w, node);
    const char *text = fl_strndup(a, b.p, b.len);
    fl_buf_wipe(&b);
    return text;
}

static int whole(const fl_json *j, const char *member)
{
    int64_t v = 0;
    return fl_json_int(j, member, &v) && v > 0 && v <= INT32_MAX ? (int)v : 0;
}

/* A number that was asked for, or any; it need not be there. */
static bool number(const fl_json *j, const char *member, int *out)
{
    const fl_json *m = fl_json_get(j, member);
    if (!m || m->kind == FL_JNULL)
        return true;
    int found = whole(j, member);
    if (!found || (*out && found != *out))
        return false;
    *out = found;
    return true;
}

/* ms; 0: none that can be. Ages are counted from it. */
static int64_t time_of(const fl_json *j)
{
    int64_t ts = 0;
    return fl_json_int(j, "ts", &ts) && ts > 0 ? ts : 0;
}

static bool object_or_none(const fl_json *j, const char *member)
{
    const fl_json *m = fl_json_get(j, member);
    return !m || m->kind == FL_JNULL || m->kind == FL_JOBJECT;
}

static bool references(fl_arena *a, const fl_json *list, rt_subject *out)
{
    if (!list || list->kind == FL_JNULL)
        return true;
    if (list->kind != FL_JARRAY || list->count > MAX_REFS)
        return false;
    out->refs = FL_NEW_N(a, rt_schema_ref, list->count);
    for (const fl_json *e = list->child; e; e = e->next) {
        rt_schema_ref r = {fl_json_str(e, "name"), fl_json_str(e, "subject"), whole(e, "version")};
        if (!r.name || !r.subject || !r.version)
            return false;
        out->refs[out->nrefs++] = r;
    }
    return true;
}

rt_code rt_answer_subject(fl_arena *a, const fl_json *j, rt_subject *out, rt_error *err)
{
    const char *type = fl_json_str(j, "schemaType"), *guid = fl_json_str(j, "guid"),
               *subject = fl_json_str(j, "subject");
    out->schema = fl_json_str(j, "schema");
    out->type = type ? type : "AVRO";
    out->subject = out->subject ? out->subject : subject;
    if (!out->schema)
        return odd(err, "has no schema");
    if (!number(j, "version", &out->version) || !number(j, "id", &out->id))
        return odd(err, "is another version than was asked for");
    out->refs = NULL;
    out->nrefs = 0;
    if (!references(a, fl_json_get(j, "references"), out))
        return odd(err, "has references that are none");
    if (!object_or_none(j, "metadata") || !object_or_none(j, "ruleSet"))
        return odd(err, "has metadata or rules that are no objects");
    out->metadata = raw(a, fl_json_get(j, "metadata"));
    out->ruleset = raw(a, fl_json_get(j, "ruleSet"));
    out->guid[0] = 0; /* one that is not the content's own is worth nothing */
    char own[37];
    if (guid && rt_schema_guid(out, own, NULL) == RT_OK && strcmp(own, guid) == 0)
        memcpy(out->guid, own, sizeof out->guid);
    return RT_OK;
}

rt_code rt_answer_kek(fl_arena *a, const fl_json *j, const char *name, rt_kek *out, rt_error *err)
{
    const char *is = fl_json_str(j, "name"), *doc = fl_json_str(j, "doc");
    *out = (rt_kek){.name = name, .kms_type = fl_json_str(j, "kmsType"), .kms_key_id = fl_json_str(j, "kmsKeyId")};
    if (!is || strcmp(is, name) != 0)
        return odd(err, "is another KEK than was asked for");
    if (!out->kms_type || !out->kms_key_id || !object_or_none(j, "kmsProps"))
        return odd(err, "is a KEK without type, key id or readable properties");
    const char *props = raw(a, fl_json_get(j, "kmsProps"));
    out->props = props ? props : "{}";
    out->doc = doc ? doc : "";
    out->shared = fl_json_bool(j, "shared", false);
    out->deleted = fl_json_bool(j, "deleted", false);
    out->ts = time_of(j);
    return RT_OK;
}

/* keyMaterial, wiped where it lay. */
static bool material(const fl_json *j, fl_secret *out)
{
    const fl_json *m = fl_json_get(j, "keyMaterial");
    *out = (fl_secret){0};
    if (!m || m->kind == FL_JNULL)
        return true;
    if (m->kind != FL_JSTRING || m->len > FL_B64_LEN(MAX_KEY))
        return false;
    uint8_t bytes[FL_B64_ROOM(FL_B64_LEN(MAX_KEY))];
    ptrdiff_t n = fl_b64_decode(bytes, m->str, m->len, FL_B64_STRICT);
    if (n > 0)
        *out = fl_secret_copy(bytes, (size_t)n);
    fl_wipe(bytes, sizeof bytes);
    fl_wipe((char *)m->str, m->len);
    return n > 0;
}

rt_code rt_answer_dek(fl_arena *a, const fl_json *j, rt_dek *out, rt_error *err)
{
    const char *kek = fl_json_str(j, "kekName"), *subject = fl_json_str(j, "subject"),
               *alg = fl_json_str(j, "algorithm");
    rt_alg is;
    out->encrypted = fl_json_str(j, "encryptedKeyMaterial");
    out->deleted = fl_json_bool(j, "deleted", false);
    out->ts = time_of(j);
    if (!material(j, &out->material))
        return odd(err, "is a DEK whose keyMaterial is no base64");
    bool right = kek && subject && !strcmp(kek, out->kek) && !strcmp(subject, out->subject) && alg &&
                 rt_alg_parse(alg, &is) && is == out->alg && number(j, "version", &out->version) && out->version;
    if (right)
        return RT_OK;
    fl_secret_free(&out->material);
    return odd(err, "is another DEK than was asked for");
}

bool rt_answer_use(const fl_json *list, const char *hint, const char **subject, int *version)
{
    *subject = NULL;
    for (const fl_json *e = list && list->kind == FL_JARRAY ? list->child : NULL; e; e = e->next) {
        const char *s = fl_json_str(e, "subject");
        int v = whole(e, "version");
        bool wanted = s && v && hint && strcmp(s, hint) == 0;
        if (s && v && (!*subject || wanted)) {
            *subject = s;
            *version = v;
        }
        if (wanted)
            break;
    }
    return *subject != NULL;
}
