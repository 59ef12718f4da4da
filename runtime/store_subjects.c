/* store_subjects.c: schema versions: what a registration makes of a schema, its identity, lookups. */
#include <string.h>

#include "runtime/canon.h"
#include "runtime/store.h"

/* ---- registering ---- */

static rt_code wrong_schema(const rt_subject *s, rt_error *err)
{
    const char *wrong = rt_subject_wrong(s->subject);
    size_t bad, n = s->schema ? strlen(s->schema) : 0;
    if (wrong)
        return rt_fail_as(err, RT_BAD_INPUT, 42208, "subject \"%s\" %s", s->subject ? s->subject : "", wrong);
    if (!n)
        return rt_fail_as(err, RT_BAD_INPUT, 42201, "subject %s: the schema is empty", s->subject);
    if (n > RT_SCHEMA_MAX)
        return rt_fail_as(err, RT_BAD_INPUT, 42209, "subject %s: the schema is longer than %zu bytes", s->subject,
                          RT_SCHEMA_MAX);
    if (!fl_utf8_ok(s->schema, n, &bad))
        return rt_fail_as(err, RT_BAD_INPUT, 42201, "subject %s: the schema is not UTF-8 at byte %zu", s->subject, bad);
    if (s->nrefs > 1000)
        return rt_fail_as(err, RT_BAD_INPUT, 42201, "subject %s: more than 1000 references", s->subject);
    return RT_OK;
}

static const rt_content *version_of(const rt_store *st, const char *subject, int version)
{
    const rt_versions *v = fl_map_get(st->subjects, subject);
    if (!v)
        return NULL;
    size_t n = version == -1 ? v->list.n : (size_t)version;
    return version < -1 || n < 1 || n > v->list.n ? NULL : v->list.v[n - 1];
}

static int latest_number(const rt_store *st, const char *subject)
{
    const rt_versions *v = fl_map_get(st->subjects, subject);
    return v ? (int)v->list.n : 0;
}

/* Real versions in place of -1; refuses what does not exist. */
static rt_code resolve_refs(const rt_store *st, fl_arena *a, rt_subject *s, rt_error *err)
{
    rt_schema_ref *refs = s->nrefs ? FL_NEW_N(a, rt_schema_ref, s->nrefs) : NULL;
    for (size_t i = 0; i < s->nrefs; i++) {
        refs[i] = s->refs[i];
        if (!refs[i].name || !refs[i].subject || !*refs[i].name)
            return rt_fail_as(err, RT_BAD_INPUT, 42201, "subject %s: a reference without name or subject", s->subject);
        if (!version_of(st, refs[i].subject, refs[i].version))
            return rt_fail_as(err, RT_BAD_INPUT, 42201,
                              "subject %s: its reference %s is not registered: subject %s, version %d", s->subject,
                              refs[i].name, refs[i].subject, refs[i].version);
        if (refs[i].version == -1)
            refs[i].version = latest_number(st, refs[i].subject);
    }
    s->refs = refs;
    return RT_OK;
}

/* Metadata and rules in the registry's form. A member that is not given is the latest version's, as in the vendor's
 * registry. */
static rt_code settle(const rt_store *st, fl_arena *a, rt_subject *s, rt_error *err)
{
    const rt_content *before = version_of(st, s->subject, -1);
    rt_metadata *m;
    rt_ruleset *r;
    if (!s->metadata && before)
        s->metadata = before->is.metadata;
    if (!s->ruleset && before)
        s->ruleset = before->is.ruleset;
    rt_code code = s->metadata ? rt_canon_metadata(a, s->metadata, &m, err) : RT_OK;
    if (code == RT_OK && s->metadata)
        s->metadata = rt_canon_metadata_text(a, m);
    if (code == RT_OK && s->ruleset)
        code = rt_canon_ruleset(a, s->ruleset, &r, err);
    if (code == RT_OK && s->ruleset)
        s->ruleset = rt_canon_ruleset_text(a, r);
    return code;
}

static void add_part(fl_buf *b, const char *s)
{
    fl_buf_addf(b, s ? "%zu:" : "-:", s ? strlen(s) : 0);
    fl_buf_adds(b, s ? s : "");
}

/* Everything that makes two versions the same, each part with its length. */
static char *identity(fl_arena *a, const rt_subject *s)
{
    fl_buf b;
    char *hex = fl_alloc(a, 65);
    fl_buf_init(&b, (size_t)1 << 30);
    add_part(&b, s->type);
    add_part(&b, s->schema);
    for (size_t i = 0; i < s->nrefs; i++) {
        add_part(&b, s->refs[i].name);
        add_part(&b, s->refs[i].subject);
        fl_buf_addf(&b, "%d,", s->refs[i].version);
    }
    add_part(&b, s->metadata);
    add_part(&b, s->ruleset);
    fl_sha256_hex(hex, b.p, b.len);
    fl_buf_free(&b);
    return hex;
}

static int number_in(const rt_store *st, const char *subject, const rt_content *c)
{
    const rt_versions *v = fl_map_get(st->subjects, subject);
    for (size_t i = 0; v && i < v->list.n; i++)
        if (v->list.v[i] == c)
            return (int)i + 1;
    return 0;
}

static void print_content(fl_jw *w, const rt_subject *s, const char *ident)
{
    fl_jw_kstring(w, "identity", ident);
    fl_jw_kstring(w, "guid", s->guid);
    fl_jw_kstring(w, "type", s->type);
    fl_jw_kstring(w, "schema", s->schema);
    fl_jw_key(w, "references");
    fl_jw_array(w);
    for (size_t i = 0; i < s->nrefs; i++) {
        fl_jw_object(w);
        fl_jw_kstring(w, "name", s->refs[i].name);
        fl_jw_kstring(w, "subject", s->refs[i].subject);
        fl_jw_kint(w, "version", s->refs[i].version);
        fl_jw_end_object(w);
    }
    fl_jw_end_array(w);
    if (s->metadata)
        fl_jw_kstring(w, "metadata", s->metadata);
    if (s->ruleset)
        fl_jw_kstring(w, "ruleSet", s->ruleset);
}

static rt_code commit_version(rt_store *st, const rt_subject *s, const char *ident, bool fresh, rt_error *err)
{
    fl_buf b;
    fl_jw w;
    fl_buf_init(&b, RT_RECORD_MAX);
    fl_jw_init(&w, &b, false);
    fl_jw_object(&w);
    fl_jw_kstring(&w, "op", "version");
    fl_jw_kstring(&w, "subject", s->subject);
    fl_jw_kint(&w, "version", s->version);
    fl_jw_kint(&w, "id", s->id);
    if (fresh)
        print_content(&w, s, ident);
    fl_jw_end_object(&w);
    return rt_store_commit(st, &b, err);
}

rt_code rt_store_register(rt_registry *r, fl_arena *a, rt_subject *s, rt_error *err)
{
    rt_store *st = (rt_store *)r;
    rt_subject want = *s;
    if (!want.type)
        want.type = "AVRO";
    rt_code code = wrong_schema(&want, err);
    if (code == RT_OK)
        code = resolve_refs(st, a, &want, err);
    if (code == RT_OK)
        code = settle(st, a, &want, err);
    if (code == RT_OK)
        code = rt_schema_guid(&want, want.guid, err);
    if (code != RT_OK)
        return code;
    char *ident = identity(a, &want);
    const rt_content *known = fl_map_get(st->by_identity, ident);
    want.id = known ? known->id : (int)st->ids.n + 1;
    want.version = known ? number_in(st, want.subject, known) : 0;
    if (!want.version) {
        want.version = latest_number(st, want.subject) + 1;
        code = commit_version(st, &want, ident, !known, err);
    }
    if (code == RT_OK) {
        want.metadata = rt_store_copy(a, want.metadata);
        want.ruleset = rt_store_copy(a, want.ruleset);
        *s = want;
    }
    return code;
}

/* ---- applying ---- */

static rt_code no_record(const char *what, rt_error *err)
{
    return rt_fail(err, RT_IO, "a record of a schema version %s", what);
}

static bool read_refs(fl_arena *a, const fl_json *list, rt_subject *s)
{
    if (!list || list->kind != FL_JARRAY)
        return false;
    s->refs = list->count ? FL_NEW_N(a, rt_schema_ref, list->count) : NULL;
    for (const fl_json *e = list->child; e && s->refs; e = e->next) {
        rt_schema_ref *ref = &s->refs[s->nrefs++];
        int64_t version;
        const char *name = fl_json_str(e, "name"), *subject = fl_json_str(e, "subject");
        if (!name || !subject || !fl_json_int(e, "version", &version) || version < 1 || version > INT32_MAX)
            return false;
        *ref = (rt_schema_ref){fl_strdup(a, name), fl_strdup(a, subject), (int)version};
    }
    return true;
}

static rt_content *read_content(rt_store *st, const fl_json *record)
{
    const char *guid = fl_json_str(record, "guid"), *ident = fl_json_str(record, "identity");
    const char *type = fl_json_str(record, "type"), *schema = fl_json_str(record, "schema");
    rt_content *c = FL_NEW(st->arena, rt_content);
    if (!guid || strlen(guid) != 36 || !ident || !type || !schema ||
        !read_refs(st->arena, fl_json_get(record, "references"), &c->is))
        return NULL;
    memcpy(c->is.guid, guid, 37);
    c->identity = fl_strdup(st->arena, ident);
    c->is.type = fl_strdup(st->arena, type);
    c->is.schema = fl_strdup(st->arena, schema);
    c->is.metadata = rt_store_copy(st->arena, fl_json_str(record, "metadata"));
    c->is.ruleset = rt_store_copy(st->arena, fl_json_str(record, "ruleSet"));
    return c;
}

static rt_versions *versions_of(rt_store *st, const char *subject)
{
    rt_versions *v = fl_map_get(st->subjects, subject);
    if (v)
        return v;
    v = FL_NEW(st->arena, rt_versions);
    v->subject = fl_strdup(st->arena, subject);
    fl_map_put(st->subjects, subject, v);
    return v;
}

rt_code rt_store_apply_version(rt_store *st, const fl_json *record, rt_error *err)
{
    const char *subject = fl_json_str(record, "subject");
    int64_t version, id;
    if (!subject || !fl_json_int(record, "version", &version) || !fl_json_int(record, "id", &id))
        return no_record("lacks a member", err);
    if (id < 1 || (uint64_t)id > st->ids.n + 1 || version != latest_number(st, subject) + 1)
        return no_record("is out of order", err);
    rt_versions *v = versions_of(st, subject);
    if ((uint64_t)id > st->ids.n) {
        rt_content *c = read_content(st, record);
        if (!c)
            return no_record("lacks a member", err);
        c->id = (int)id;
        c->is.id = (int)id;
        c->is.subject = v->subject;
        c->is.version = (int)version;
        FL_PUSH(st->arena, &st->ids, c);
        fl_map_put(st->by_identity, c->identity, c);
    }
    FL_PUSH(st->arena, &v->list, st->ids.v[id - 1]);
    return RT_OK;
}

/* ---- lookups ---- */

static void copy_out(fl_arena *a, const rt_content *c, const char *subject, int version, rt_subject *out)
{
    *out = c->is;
    out->subject = fl_strdup(a, subject);
    out->version = version;
    out->type = fl_strdup(a, c->is.type);
    out->schema = fl_strdup(a, c->is.schema);
    out->metadata = rt_store_copy(a, c->is.metadata);
    out->ruleset = rt_store_copy(a, c->is.ruleset);
    out->refs = c->is.nrefs ? FL_NEW_N(a, rt_schema_ref, c->is.nrefs) : NULL;
    for (size_t i = 0; i < c->is.nrefs; i++)
        out->refs[i] = (rt_schema_ref){fl_strdup(a, c->is.refs[i].name), fl_strdup(a, c->is.refs[i].subject),
                                       c->is.refs[i].version};
}

rt_code rt_store_version(rt_registry *r, fl_arena *a, const char *subject, int version, rt_subject *out, rt_error *err)
{
    rt_store *st = (rt_store *)r;
    if (version < 1 && version != -1)
        return rt_fail_as(err, RT_BAD_INPUT, 42202,
                          "subject %s: version %d is none: a positive number, or -1 for the latest", subject, version);
    if (!latest_number(st, subject))
        return rt_fail_as(err, RT_NOT_FOUND, 40401, "subject %s is not in the registry %s", subject, st->url);
    const rt_content *c = version_of(st, subject, version);
    if (!c)
        return rt_fail_as(err, RT_NOT_FOUND, 40402, "subject %s has no version %d in the registry %s", subject, version,
                          st->url);
    copy_out(a, c, subject, version == -1 ? latest_number(st, subject) : version, out);
    return RT_OK;
}

rt_code rt_store_by_id(rt_registry *r, fl_arena *a, int id, const char *hint, rt_subject *out, rt_error *err)
{
    rt_store *st = (rt_store *)r;
    if (id < 1 || (size_t)id > st->ids.n)
        return rt_fail_as(err, RT_NOT_FOUND, 40403, "schema id %d is not in the registry %s", id, st->url);
    const rt_content *c = st->ids.v[id - 1];
    int hinted = hint ? number_in(st, hint, c) : 0;
    copy_out(a, c, hinted ? hint : c->is.subject, hinted ? hinted : c->is.version, out);
    return RT_OK;
}
