/* import.c: an export into an empty registry. The text is judged as if an enemy had written it: line by line, in the
 * order in which it is written, every member known, numbers and names in bounds, nothing twice, GUIDs calculated
 * again, references found. It makes a store of its own first; the one it is meant for is filled when all was well. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "runtime/canon.h"
#include "runtime/export.h"
#include "runtime/store_same.h"

typedef struct dead { /* versions that are there and deleted: marked when all are there */
    const char *subject;
    int version;
} dead;

typedef struct line_of { /* where a schema stands, which is parsed when all are there */
    const rt_content *content;
    size_t line;
} line_of;

typedef struct importer {
    rt_store *to;
    fl_arena *a, *line_a; /* of the import; of the line */
    const char *name;     /* of the file */
    size_t line;
    const fl_json *at;
    int stage; /* of the line before: kinds come in order */
    FL_VEC(dead) deleted;
    FL_VEC(line_of) schemas;
    rt_error *err;
} importer;

static rt_code wrong(importer *im, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static rt_code wrong(importer *im, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return rt_fail(im->err, RT_BAD_INPUT, "%s:%zu: %s", im->name, im->line, text);
}

/* What a function of the store said, with its place. */
static rt_code placed(importer *im, rt_code code)
{
    rt_error e = *im->err;
    return code == RT_OK ? RT_OK : wrong(im, "%s", e.message);
}

/* ---- members ---- */

/* Nothing that is not known is dropped without a word. */
static rt_code only(importer *im, const fl_json *object, const char *const *known)
{
    for (const fl_json *m = object->child; m; m = m->next) {
        size_t i = 0;
        while (known[i] && strcmp(known[i], m->key) != 0)
            i++;
        if (!known[i])
            return wrong(im, "the member \"%.60s\" is not known", m->key);
    }
    return RT_OK;
}

static rt_code need_text(importer *im, const fl_json *object, const char *member, const char **out)
{
    *out = fl_json_str(object, member);
    return *out ? RT_OK : wrong(im, "the text \"%s\" is missing", member);
}

static rt_code need_number(importer *im, const fl_json *object, const char *member, int64_t least, int64_t most,
                           int64_t *out)
{
    if (fl_json_int(object, member, out) && *out >= least && *out <= most)
        return RT_OK;
    return wrong(im, "\"%s\" must be a number from %" PRId64 " to %" PRId64, member, least, most);
}

static rt_code flag(importer *im, const fl_json *object, const char *member, bool *out)
{
    const fl_json *v = fl_json_get(object, member);
    *out = v && v->kind == FL_JTRUE;
    return !v || v->kind == FL_JTRUE || v->kind == FL_JFALSE ? RT_OK
                                                             : wrong(im, "\"%s\" must be true or false", member);
}

static const char *node_text(importer *im, const fl_json *v)
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

static rt_code commit(importer *im, fl_buf *record)
{
    return placed(im, rt_store_commit(im->to, record, im->err));
}

/* ---- contexts ---- */

static rt_code take_context(importer *im)
{
    static const char *const known[] = {"kind", "name", "lastId", NULL};
    const char *name;
    int64_t last;
    rt_code code = only(im, im->at, known);
    if (code == RT_OK)
        code = need_text(im, im->at, "name", &name);
    if (code == RT_OK)
        code = need_number(im, im->at, "lastId", 0, INT32_MAX, &last);
    if (code == RT_OK && fl_map_get(im->to->contexts, name))
        code = wrong(im, "context %s is there twice", name);
    return code == RT_OK ? placed(im, rt_store_apply_context(im->to, im->at, im->err)) : code;
}

/* ---- schemas ---- */

static rt_code take_references(importer *im, rt_subject *s)
{
    static const char *const known[] = {"name", "subject", "version", NULL};
    const fl_json *list = fl_json_get(im->at, "references");
    if (!list)
        return RT_OK;
    if (list->kind != FL_JARRAY || !list->count || list->count > 1000)
        return wrong(im, "\"references\" must be a list of 1 to 1000");
    s->refs = FL_NEW_N(im->line_a, rt_schema_ref, list->count);
    for (const fl_json *e = list->child; e; e = e->next) {
        rt_schema_ref *ref = &s->refs[s->nrefs++];
        int64_t version;
        rt_code code = only(im, e, known);
        if (code == RT_OK)
            code = need_text(im, e, "name", &ref->name);
        if (code == RT_OK)
            code = need_text(im, e, "subject", &ref->subject);
        if (code == RT_OK)
            code = need_number(im, e, "version", 1, INT32_MAX, &version);
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
    rt_code code = metadata ? rt_canon_metadata(im->line_a, node_text(im, metadata), &m, im->err) : RT_OK;
    if (code == RT_OK && metadata)
        s->metadata = rt_canon_metadata_text(im->line_a, m);
    if (code == RT_OK && rules)
        code = rt_canon_ruleset(im->line_a, node_text(im, rules), &r, im->err);
    if (code == RT_OK && rules)
        s->ruleset = rt_canon_ruleset_text(im->line_a, r);
    return placed(im, code);
}

static rt_code take_content(importer *im, rt_subject *s, const char **context)
{
    static const char *const types[] = {"AVRO", "JSON", "PROTOBUF"};
    const char *guid;
    int64_t id;
    size_t type = 0;
    rt_code code = need_text(im, im->at, "context", context);
    if (code == RT_OK)
        code = need_number(im, im->at, "id", 1, INT32_MAX, &id);
    if (code == RT_OK)
        code = need_text(im, im->at, "guid", &guid);
    if (code == RT_OK)
        code = need_text(im, im->at, "schemaType", &s->type);
    if (code == RT_OK)
        code = need_text(im, im->at, "schema", &s->schema);
    if (code != RT_OK)
        return code;
    while (type < 3 && strcmp(types[type], s->type) != 0)
        type++;
    if (type == 3 || !*s->schema || strlen(s->schema) > RT_SCHEMA_MAX)
        return wrong(im, "the schema is empty, larger than %zu bytes, or of a type that is not known", RT_SCHEMA_MAX);
    s->id = (int)id;
    code = take_references(im, s);
    if (code == RT_OK)
        code = take_metadata(im, s);
    if (code == RT_OK)
        code = placed(im, rt_schema_guid(s, s->guid, im->err));
    if (code == RT_OK && strcmp(s->guid, guid) != 0)
        code = wrong(im, "the GUID is not that of this schema with its references, metadata and rules: %s", s->guid);
    return code;
}

static rt_code fits_in(importer *im, const rt_subject *s, const char *context)
{
    if (!fl_map_get(im->to->contexts, context))
        return wrong(im, "context %.60s does not come before its schemas", context);
    if (rt_store_content(im->to, context, s->id))
        return wrong(im, "id %d of context %s is there twice", s->id, context);
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
    rt_code code = only(im, v, known);
    if (code == RT_OK)
        code = need_text(im, v, "subject", &s.subject);
    if (code == RT_OK)
        code = need_number(im, v, "version", 1, INT32_MAX, &number);
    if (code == RT_OK)
        code = need_number(im, v, "ts", 0, INT64_MAX, &ts);
    if (code == RT_OK)
        code = flag(im, v, "deleted", &deleted);
    if (code != RT_OK)
        return code;
    if (rt_subject_wrong(s.subject) || rt_subject_normal(im->line_a, s.subject) != s.subject ||
        !*rt_subject_bare(s.subject) || strcmp(rt_subject_context(im->line_a, s.subject), context) != 0)
        return wrong(im, "subject \"%.120s\" is none of context %s", s.subject, context);
    if (rt_store_find(im->to, s.subject, (int)number, true))
        return wrong(im, "subject %.120s, version %" PRId64 " is there twice", s.subject, number);
    s.version = (int)number;
    if (deleted)
        FL_PUSH(im->a, &im->deleted, (dead){fl_strdup(im->a, s.subject), s.version});
    rt_store_print_version(&b, &s, ident, ts);
    return commit(im, &b);
}

static rt_code take_schema(importer *im)
{
    static const char *const known[] = {"kind",       "context",  "id",      "guid",     "schemaType", "schema",
                                        "references", "metadata", "ruleSet", "versions", NULL};
    rt_subject s = {0};
    const char *context;
    const fl_json *versions = fl_json_get(im->at, "versions");
    rt_code code = only(im, im->at, known);
    if (code == RT_OK)
        code = take_content(im, &s, &context);
    if (code == RT_OK)
        code = fits_in(im, &s, context);
    if (code == RT_OK && (!versions || versions->kind != FL_JARRAY || !versions->count))
        code = wrong(im, "\"versions\" must be a list: no subject has this schema");
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
            m->code =
                wrong(m->im, "subject %.120s, version %d refers to subject %.120s, version %d, which is not there",
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
        m.code = commit(im, &b);
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
    return placed(im, code);
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
    rt_code code = need_text(im, im->at, "scope", scope);
    if (code == RT_OK && **scope && (rt_subject_wrong(*scope) || rt_subject_normal(im->line_a, *scope) != *scope))
        code = wrong(im, "scope \"%.120s\" is none", *scope);
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
    rt_code code = only(im, im->at, known);
    if (code == RT_OK)
        code = take_scope(im, &scope);
    if (code != RT_OK)
        return code;
    const rt_scope *there = rt_store_scope(im->to, scope);
    if (there && there->config)
        return wrong(im, "the config of scope \"%.120s\" is there twice", scope);
    if (!config || config->kind != FL_JOBJECT || !(request = as_request(im, config)))
        return wrong(im, "\"config\" must be an object");
    code = placed(im, rt_store_set_config(im->to, im->line_a, scope, request, im->err));
    if (code == RT_OK && strcmp(rt_store_scope(im->to, scope)->config, node_text(im, config)) != 0)
        code = wrong(im, "the config holds what none holds, or in another order");
    return code;
}

static rt_code take_mode(importer *im)
{
    static const char *const known[] = {"kind", "scope", "mode", NULL};
    const char *scope, *mode;
    rt_code code = only(im, im->at, known);
    if (code == RT_OK)
        code = take_scope(im, &scope);
    if (code == RT_OK)
        code = need_text(im, im->at, "mode", &mode);
    const rt_scope *there = code == RT_OK ? rt_store_scope(im->to, scope) : NULL;
    if (there && there->mode)
        return wrong(im, "the mode of scope \"%.120s\" is there twice", scope);
    return code == RT_OK ? placed(im, rt_store_set_mode(im->to, im->line_a, scope, mode, true, im->err)) : code;
}

/* ---- keys ---- */

static rt_code take_kek(importer *im)
{
    static const char *const known[] = {"kind", "name",   "kmsType", "kmsKeyId", "kmsProps",
                                        "doc",  "shared", "ts",      "deleted",  NULL};
    const fl_json *props = fl_json_get(im->at, "kmsProps");
    rt_kek k = {.doc = fl_json_str(im->at, "doc")};
    rt_code code = only(im, im->at, known);
    if (code == RT_OK)
        code = need_text(im, im->at, "name", &k.name);
    if (code == RT_OK)
        code = need_text(im, im->at, "kmsType", &k.kms_type);
    if (code == RT_OK)
        code = need_text(im, im->at, "kmsKeyId", &k.kms_key_id);
    if (code == RT_OK)
        code = flag(im, im->at, "shared", &k.shared);
    if (code == RT_OK)
        code = flag(im, im->at, "deleted", &k.deleted);
    if (code == RT_OK)
        code = need_number(im, im->at, "ts", 1, INT64_MAX, &k.ts);
    if (code != RT_OK)
        return code;
    if (rt_store_find_kek(im->to, k.name, true))
        return wrong(im, "KEK %.120s is there twice", k.name);
    k.props = props ? node_text(im, props) : NULL;
    return placed(im, rt_store_create_kek(&im->to->registry, &k, im->err));
}

static rt_code read_dek(importer *im, rt_dek *d)
{
    const char *alg;
    int64_t version;
    rt_code code = need_text(im, im->at, "kek", &d->kek);
    if (code == RT_OK)
        code = need_text(im, im->at, "subject", &d->subject);
    if (code == RT_OK)
        code = need_text(im, im->at, "algorithm", &alg);
    if (code == RT_OK)
        code = need_text(im, im->at, "encryptedKeyMaterial", &d->encrypted);
    if (code == RT_OK)
        code = need_number(im, im->at, "version", 1, INT32_MAX, &version);
    if (code == RT_OK)
        code = need_number(im, im->at, "ts", 1, INT64_MAX, &d->ts);
    if (code == RT_OK)
        code = flag(im, im->at, "deleted", &d->deleted);
    if (code == RT_OK && !rt_alg_parse(alg, &d->alg))
        code = wrong(im, "algorithm %.60s is not known", alg);
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

static rt_code take_dek(importer *im)
{
    static const char *const known[] = {"kind", "kek",     "subject", "version", "algorithm", "encryptedKeyMaterial",
                                        "ts",   "deleted", NULL};
    rt_dek d = {0};
    fl_buf b;
    rt_code code = only(im, im->at, known);
    if (code == RT_OK)
        code = read_dek(im, &d);
    if (code != RT_OK)
        return code;
    const rt_kek_entry *e = rt_store_find_kek(im->to, d.kek, true);
    if (!e || (e->kek.deleted && !d.deleted))
        return wrong(im, "KEK %.120s of a DEK does not come before it, or is deleted", d.kek);
    if (rt_subject_wrong(d.subject) || !is_base64(im, d.encrypted))
        return wrong(im, "a DEK's subject or encryptedKeyMaterial is none");
    if (is_there(im, &d) || im->to->ndeks >= RT_KEYS_MAX)
        return wrong(im, "KEK %.120s, the DEK of subject %.120s, %s, version %d is there twice, or one too many", d.kek,
                     d.subject, rt_alg_name(d.alg), d.version);
    rt_store_print_dek(&b, &d);
    return commit(im, &b);
}

/* ---- lines ---- */

static const struct kind {
    const char *name;
    int stage;
    rt_code (*take)(importer *im);
} kinds[] = {
    {"context", 0, take_context}, {"schema", 0, take_schema}, {"config", 1, take_config},
    {"mode", 1, take_mode},       {"kek", 2, take_kek},       {"dek", 2, take_dek},
};

static rt_code take_line(importer *im)
{
    const char *name = fl_json_str(im->at, "kind");
    rt_code code = RT_OK;
    size_t i = 0, n = sizeof kinds / sizeof *kinds;
    while (i < n && (!name || strcmp(name, kinds[i].name) != 0))
        i++;
    if (i == n)
        return wrong(im, "it is of no kind that is known");
    if (kinds[i].stage < im->stage)
        return wrong(im, "a %s comes too late: first contexts and schemas, then configs and modes, then keys", name);
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
        return wrong(im, "it is no export of a registry");
    if (version != RT_EXPORT_VERSION)
        return wrong(im, "the export is of version %" PRId64 "; this flec reads version %d", version,
                     RT_EXPORT_VERSION);
    return RT_OK;
}

static rt_code parse_line(importer *im, const char *line, size_t n)
{
    fl_json_error e;
    if (n && line[n - 1] == ',')
        n--;
    if (n > RT_RECORD_MAX)
        return wrong(im, "the line is longer than %zu bytes", RT_RECORD_MAX);
    im->at = fl_json_parse(im->line_a, line, n, 0, &e);
    if (!im->at)
        return wrong(im, "no JSON: %s (byte %u of the line)", e.message, e.offset);
    return im->at->kind == FL_JOBJECT ? RT_OK : wrong(im, "each line is a JSON object");
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
            return wrong(im, "an export is a line with [, one line for each element, and a line with ]");
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
        code = wrong(im, "the export is not whole: its end is missing");
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
