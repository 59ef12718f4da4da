/* import.c: an export into an empty registry. The text is judged as if an enemy had written it: line by line, in the
 * order in which it is written, every member known, numbers and names in bounds, nothing twice, GUIDs calculated
 * again, references found. It makes a store of its own first; the one it is meant for is filled when all was well. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "runtime/canon.h"
#include "runtime/export.h"
#include "runtime/import_parts.h"
#include "runtime/store_same.h"

/* ---- contexts ---- */

static rt_code take_context(importer *im)
{
    static const char *const known[] = {"kind", "name", "lastId", NULL};
    const char *name = NULL;
    int64_t last;
    rt_code code = rt_import_only(im, im->at, known);
    if (code == RT_OK)
        code = rt_import_text(im, im->at, "name", &name);
    if (code == RT_OK)
        code = rt_import_number(im, im->at, "lastId", 0, INT32_MAX, &last);
    if (code == RT_OK && fl_map_get(im->to->contexts, name))
        code = rt_import_wrong(im, "context %s is there twice", name);
    return code == RT_OK ? rt_import_placed(im, rt_store_apply_context(im->to, im->at, im->err)) : code;
}

/* ---- schemas ---- */

static rt_code take_references(importer *im, rt_subject *s)
{
    static const char *const known[] = {"name", "subject", "version", NULL};
    const fl_json *list = fl_json_get(im->at, "references");
    if (!list)
        return RT_OK;
    if (list->kind != FL_JARRAY || !list->count || list->count > 1000)
        return rt_import_wrong(im, "\"references\" must be a list of 1 to 1000");
    s->refs = FL_NEW_N(im->line_a, rt_schema_ref, list->count);
    for (const fl_json *e = list->child; e; e = e->next) {
        rt_schema_ref *ref = &s->refs[s->nrefs++];
        int64_t version;
        rt_code code = rt_import_only(im, e, known);
        if (code == RT_OK)
            code = rt_import_text(im, e, "name", &ref->name);
        if (code == RT_OK)
            code = rt_import_text(im, e, "subject", &ref->subject);
        if (code == RT_OK)
            code = rt_import_number(im, e, "version", 1, INT32_MAX, &version);
        if (code != RT_OK)
            return code;
        ref->version = (int)version;
    }
    return RT_OK;
}

static rt_code take_metadata(importer *im, rt_subject *s)
{
    const fl_json *metadata = fl_json_get(im->at, "metadata"), *rules = fl_json_get(im->at, "ruleSet");
    rt_metadata *m;
    rt_ruleset *r;
    rt_code code = metadata ? rt_canon_metadata(im->line_a, rt_import_node(im, metadata), &m, im->err) : RT_OK;
    if (code == RT_OK && metadata)
        s->metadata = rt_canon_metadata_text(im->line_a, m);
    if (code == RT_OK && rules)
        code = rt_canon_ruleset(im->line_a, rt_import_node(im, rules), &r, im->err);
    if (code == RT_OK && rules)
        s->ruleset = rt_canon_ruleset_text(im->line_a, r);
    return rt_import_placed(im, code);
}

static rt_code take_content(importer *im, rt_subject *s, const char **context)
{
    static const char *const types[] = {"AVRO", "JSON", "PROTOBUF"};
    const char *guid;
    int64_t id;
    size_t type = 0;
    rt_code code = rt_import_text(im, im->at, "context", context);
    if (code == RT_OK)
        code = rt_import_number(im, im->at, "id", 1, INT32_MAX, &id);
    if (code == RT_OK)
        code = rt_import_text(im, im->at, "guid", &guid);
    if (code == RT_OK)
        code = rt_import_text(im, im->at, "schemaType", &s->type);
    if (code == RT_OK)
        code = rt_import_text(im, im->at, "schema", &s->schema);
    if (code != RT_OK)
        return code;
    while (type < 3 && strcmp(types[type], s->type) != 0)
        type++;
    if (type == 3 || !*s->schema || strlen(s->schema) > RT_SCHEMA_MAX)
        return rt_import_wrong(im, "the schema is empty, larger than %zu bytes, or of a type that is not known",
                               RT_SCHEMA_MAX);
    s->id = (int)id;
    code = take_references(im, s);
    if (code == RT_OK)
        code = take_metadata(im, s);
    if (code == RT_OK)
        code = rt_import_placed(im, rt_schema_guid(s, s->guid, im->err));
    if (code == RT_OK && strcmp(s->guid, guid) != 0)
        code = rt_import_wrong(im, "the GUID is not that of this schema with its references, metadata and rules: %s",
                               s->guid);
    return code;
}

static rt_code fits_in(importer *im, const rt_subject *s, const char *context)
{
    if (!fl_map_get(im->to->contexts, context))
        return rt_import_wrong(im, "context %.60s does not come before its schemas", context);
    if (rt_store_content(im->to, context, s->id))
        return rt_import_wrong(im, "id %d of context %s is there twice", s->id, context);
    return RT_OK;
}

/* One subject's version of the schema; the first brings the schema with it. */
static rt_code take_version(importer *im, const fl_json *v, const rt_subject *content, const char *context,
                            const char *ident)
{
    static const char *const known[] = {"subject", "version", "ts", "deleted", NULL};
    rt_subject s = *content;
    int64_t number, ts;
    bool deleted;
    fl_buf b;
    rt_code code = rt_import_only(im, v, known);
    if (code == RT_OK)
        code = rt_import_text(im, v, "subject", &s.subject);
    if (code == RT_OK)
        code = rt_import_number(im, v, "version", 1, INT32_MAX, &number);
    if (code == RT_OK)
        code = rt_import_number(im, v, "ts", 0, INT64_MAX, &ts);
    if (code == RT_OK)
        code = rt_import_flag(im, v, "deleted", &deleted);
    if (code != RT_OK)
        return code;
    if (rt_subject_wrong(s.subject) || rt_subject_normal(im->line_a, s.subject) != s.subject ||
        !*rt_subject_bare(s.subject) || strcmp(rt_subject_context(im->line_a, s.subject), context) != 0)
        return rt_import_wrong(im, "subject \"%.120s\" is none of context %s", s.subject, context);
    if (rt_store_find(im->to, s.subject, (int)number, true))
        return rt_import_wrong(im, "subject %.120s, version %" PRId64 " is there twice", s.subject, number);
    s.version = (int)number;
    if (deleted)
        FL_PUSH(im->a, &im->deleted, (dead){fl_strdup(im->a, s.subject), s.version});
    rt_store_print_version(&b, &s, ident, ts);
    return rt_import_commit(im, &b);
}

static rt_code take_schema(importer *im)
{
    static const char *const known[] = {"kind",       "context",  "id",      "guid",     "schemaType", "schema",
                                        "references", "metadata", "ruleSet", "versions", NULL};
    rt_subject s = {0};
    const char *context = NULL;
    const fl_json *versions = fl_json_get(im->at, "versions");
    rt_code code = rt_import_only(im, im->at, known);
    if (code == RT_OK)
        code = take_content(im, &s, &context);
    if (code == RT_OK)
        code = fits_in(im, &s, context);
    if (code == RT_OK && (!versions || versions->kind != FL_JARRAY || !versions->count))
        code = rt_import_wrong(im, "\"versions\" must be a list: no subject has this schema");
    const char *ident = code == RT_OK ? rt_store_identity(im->line_a, &s) : NULL;
    for (const fl_json *v = code == RT_OK ? versions->child : NULL; v && code == RT_OK; v = v->next) {
        code = take_version(im, v, &s, context, ident);
        ident = NULL;
    }
    if (code == RT_OK)
        FL_PUSH(im->a, &im->schemas, (line_of){rt_store_content(im->to, context, s.id), im->line});
    return code;
}

/* ---- when all schemas are there ---- */

typedef struct missing {
    importer *im;
    rt_code code;
} missing;

static bool has_its_references(const rt_versions *of, const rt_version *v, void *ctx)
{
    missing *m = ctx;
    fl_arena *a = fl_arena_new();
    const rt_subject *s = &v->content->is;
    for (size_t i = 0; i < s->nrefs && m->code == RT_OK; i++) {
        const char *to = rt_store_ref_subject(a, of->subject, s->refs[i].subject);
        if (!rt_store_find(m->im->to, to, s->refs[i].version, true))
            m->code = rt_import_wrong(
                m->im, "subject %.120s, version %d refers to subject %.120s, version %d, which is not there",
                of->subject, v->number, to, s->refs[i].version);
    }
    fl_arena_free(a);
    return m->code == RT_OK;
}

static rt_code end_schemas(importer *im)
{
    missing m = {im, RT_OK};
    fl_buf b;
    for (size_t i = 0; i < im->deleted.n && m.code == RT_OK; i++) {
        rt_store_print_delete(&b, im->deleted.v[i].subject, im->deleted.v[i].version, false);
        m.code = rt_import_commit(im, &b);
    }
    if (m.code == RT_OK)
        rt_store_each(im->to, has_its_references, &m);
    return m.code;
}

/* Are these that stand from `from` on schemas? *n: how many were looked at, all in one call of protoc. */
static rt_code judge_some(importer *im, size_t from, size_t *n)
{
    enum { MOST = 256 };
    fl_arena *a = fl_arena_new();
    const rt_subject **all = FL_NEW_N(a, const rt_subject *, MOST);
    size_t bytes = 0, which;
    for (*n = 0; *n < MOST && from + *n < im->schemas.n && bytes < RT_SCHEMA_MAX; ++*n) {
        const rt_content *c = im->schemas.v[from + *n].content;
        rt_subject *one = FL_NEW(a, rt_subject);
        *one = c->is;
        one->subject = c->users.v[0]->subject;
        all[*n] = one;
        bytes += strlen(one->schema);
    }
    rt_code code = rt_store_are_schemas(im->to, a, all, *n, &which, im->err);
    if (code != RT_OK)
        im->line = im->schemas.v[from + which].line;
    fl_arena_free(a);
    return rt_import_placed(im, code);
}

/* The last step: the only one that costs. */
static rt_code judge_schemas(importer *im)
{
    rt_code code = RT_OK;
    for (size_t i = 0, n; i < im->schemas.n && code == RT_OK; i += n)
        code = judge_some(im, i, &n);
    return code;
}

/* ---- settings ---- */

static rt_code take_scope(importer *im, const char **scope)
{
    rt_code code = rt_import_text(im, im->at, "scope", scope);
    if (code == RT_OK && **scope && (rt_subject_wrong(*scope) || rt_subject_normal(im->line_a, *scope) != *scope))
        code = rt_import_wrong(im, "scope \"%.120s\" is none", *scope);
    return code;
}

/* As a request says it: the level under its other name. */
static const fl_json *as_request(importer *im, const fl_json *config)
{
    fl_buf b;
    fl_jw w;
    fl_buf_init(&b, RT_RECORD_MAX);
    fl_jw_init(&w, &b, false);
    fl_jw_object(&w);
    for (const fl_json *m = config->child; m; m = m->next) {
        fl_jw_key(&w, strcmp(m->key, "compatibilityLevel") ? m->key : "compatibility");
        fl_jw_node(&w, m);
    }
    fl_jw_end_object(&w);
    const fl_json *request = fl_json_parse(im->line_a, b.p, b.len, 0, &(fl_json_error){0});
    fl_buf_free(&b);
    return request;
}

static rt_code take_config(importer *im)
{
    static const char *const known[] = {"kind", "scope", "config", NULL};
    const char *scope;
    const fl_json *config = fl_json_get(im->at, "config"), *request;
    rt_code code = rt_import_only(im, im->at, known);
    if (code == RT_OK)
        code = take_scope(im, &scope);
    if (code != RT_OK)
        return code;
    const rt_scope *there = rt_store_scope(im->to, scope);
    if (there && there->config)
        return rt_import_wrong(im, "the config of scope \"%.120s\" is there twice", scope);
    if (!config || config->kind != FL_JOBJECT || !(request = as_request(im, config)))
        return rt_import_wrong(im, "\"config\" must be an object");
    code = rt_import_placed(im, rt_store_set_config(im->to, im->line_a, scope, request, im->err));
    if (code == RT_OK && strcmp(rt_store_scope(im->to, scope)->config, rt_import_node(im, config)) != 0)
        code = rt_import_wrong(im, "the config holds what none holds, or in another order");
    return code;
}

static rt_code take_mode(importer *im)
{
    static const char *const known[] = {"kind", "scope", "mode", NULL};
    const char *scope = NULL, *mode;
    rt_code code = rt_import_only(im, im->at, known);
    if (code == RT_OK)
        code = take_scope(im, &scope);
    if (code == RT_OK)
        code = rt_import_text(im, im->at, "mode", &mode);
    const rt_scope *there = code == RT_OK ? rt_store_scope(im->to, scope) : NULL;
    if (there && there->mode)
        return rt_import_wrong(im, "the mode of scope \"%.120s\" is there twice", scope);
    return code == RT_OK ? rt_import_placed(im, rt_store_set_mode(im->to, im->line_a, scope, mode, true, im->err))
                         : code;
}

/* ---- lines ---- */

static const struct kind {
    const char *name;
    int stage;
    rt_code (*take)(importer *im);
} kinds[] = {
    {"context", 0, take_context}, {"schema", 0, take_schema}, {"config", 1, take_config},
    {"mode", 1, take_mode},       {"kek", 2, rt_import_kek},  {"dek", 2, rt_import_dek},
};

static rt_code take_line(importer *im)
{
    const char *name = fl_json_str(im->at, "kind");
    rt_code code = RT_OK;
    size_t i = 0, n = sizeof kinds / sizeof *kinds;
    while (i < n && (!name || strcmp(name, kinds[i].name) != 0))
        i++;
    if (i == n)
        return rt_import_wrong(im, "it is of no kind that is known");
    if (kinds[i].stage < im->stage)
        return rt_import_wrong(im, "a %s comes too late: first contexts and schemas, then configs and modes, then keys",
                               name);
    if (im->stage == 0 && kinds[i].stage > 0)
        code = end_schemas(im);
    im->stage = kinds[i].stage;
    return code == RT_OK ? kinds[i].take(im) : code;
}

static rt_code take_head(importer *im)
{
    int64_t version;
    const char *format = fl_json_str(im->at, "format");
    if (!format || strcmp(format, RT_EXPORT_FORMAT) != 0 || !fl_json_int(im->at, "version", &version))
        return rt_import_wrong(im, "it is no export of a registry");
    if (version != RT_EXPORT_VERSION)
        return rt_import_wrong(im, "the export is of version %" PRId64 "; this flec reads version %d", version,
                               RT_EXPORT_VERSION);
    return RT_OK;
}

static rt_code parse_line(importer *im, const char *line, size_t n)
{
    fl_json_error e;
    if (n && line[n - 1] == ',')
        n--;
    if (n > RT_RECORD_MAX)
        return rt_import_wrong(im, "the line is longer than %zu bytes", RT_RECORD_MAX);
    im->at = fl_json_parse(im->line_a, line, n, 0, &e);
    if (!im->at)
        return rt_import_wrong(im, "no JSON: %s (byte %u of the line)", e.message, e.offset);
    return im->at->kind == FL_JOBJECT ? RT_OK : rt_import_wrong(im, "each line is a JSON object");
}

/* "[", the lines, "]": nothing before or behind, and a file that was cut off has no end. */
static rt_code take_lines(importer *im, const char *text, size_t n)
{
    const char *end = text + n;
    bool open = false, closed = false;
    rt_code code = RT_OK;
    for (const char *line = text, *next; line < end && code == RT_OK; line = next) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        next = stop ? stop + 1 : end;
        size_t len = (size_t)((stop ? stop : end) - line);
        len -= len && line[len - 1] == '\r';
        im->line++;
        if (closed || (!open && (len != 1 || *line != '[')))
            return rt_import_wrong(im, "an export is a line with [, one line for each element, and a line with ]");
        closed = open && len == 1 && *line == ']';
        if (open && !closed) {
            im->line_a = fl_arena_new();
            code = parse_line(im, line, len);
            if (code == RT_OK)
                code = im->line == 2 ? take_head(im) : take_line(im);
            fl_arena_free(im->line_a);
        }
        open = true;
    }
    if (code == RT_OK && (!closed || im->line < 3))
        code = rt_import_wrong(im, "the export is not whole: its end is missing");
    if (code == RT_OK && im->stage == 0)
        code = end_schemas(im);
    return code == RT_OK ? judge_schemas(im) : code;
}

/* ---- into the store ---- */

static bool is_empty(const rt_store *st)
{
    return !fl_map_count(st->contexts) && !fl_map_count(st->subjects) && !fl_map_count(st->scopes) &&
           !fl_map_count(st->keks);
}

typedef struct filling {
    rt_store *st;
    rt_error *err;
    rt_code code;
} filling;

static bool fill(const char *record, size_t n, void *ctx)
{
    filling *f = ctx;
    f->code = rt_store_apply(f->st, record, n, f->err);
    return f->code == RT_OK;
}

rt_code rt_store_import(rt_store *st, const char *name, const char *text, size_t n, rt_error *err)
{
    if (!is_empty(st))
        return rt_fail(err, RT_CONFLICT, "registry %s is not empty: an import needs one that nothing was put into yet",
                       st->url);
    importer im = {.to = rt_store_new(st->url, &st->opt), .a = fl_arena_new(), .name = name, .err = err};
    filling f = {st, err, RT_OK};
    rt_code code = take_lines(&im, text, n);
    if (code == RT_OK && st->journal)
        code = st->journal->rewrite(st->journal, im.to, err);
    if (code == RT_OK && !rt_store_records(im.to, fill, &f))
        code = f.code;
    rt_store_free(im.to);
    fl_arena_free(im.a);
    return code;
}
