/* store_judge.c: schemas as schemas: does a text parse, how is it spelled in the registry, what is it compatible
 * with. */
#include <stdlib.h>
#include <string.h>

#include "runtime/store_proto.h"

enum { REF_DEPTH = 50, REF_MOST = 1000 };

/* ---- references ---- */

typedef struct refs {
    fl_arena *a;
    const rt_store *st;
    FL_VEC(sch_ref) list;
    fl_map *names;
    size_t met;
    rt_error *err;
} refs;

/* Referenced schemas first, each once, so that every name is known where it is used. */
static rt_code collect(refs *r, const rt_subject *s, unsigned depth)
{
    if (depth > REF_DEPTH || r->met > REF_MOST)
        return rt_fail_as(r->err, RT_BAD_INPUT, 42201, "subject %s: more than %d references, or deeper than %d",
                          s->subject, REF_MOST, REF_DEPTH);
    for (size_t i = 0; i < s->nrefs; i++) {
        if (fl_map_get(r->names, s->refs[i].name))
            continue;
        const char *subject = rt_store_ref_subject(r->a, s->subject, s->refs[i].subject);
        const rt_version *to = rt_store_find(r->st, subject, s->refs[i].version, true);
        if (!to)
            return rt_fail_as(r->err, RT_BAD_INPUT, 42201,
                              "subject %s: its reference %s is gone: subject %s, version %d", s->subject,
                              s->refs[i].name, subject, s->refs[i].version);
        rt_subject there = to->content->is;
        there.subject = subject;
        fl_map_put(r->names, s->refs[i].name, (void *)subject);
        r->met++;
        rt_code code = collect(r, &there, depth + 1);
        if (code != RT_OK)
            return code;
        FL_PUSH(r->a, &r->list, (sch_ref){s->refs[i].name, there.schema, strlen(there.schema)});
    }
    return RT_OK;
}

rt_code rt_store_resolve(const rt_store *st, fl_arena *a, const rt_subject *s, const sch_ref **out, size_t *n,
                         rt_error *err)
{
    refs r = {.a = a, .st = st, .names = fl_map_new(), .err = err};
    rt_code code = collect(&r, s, 0);
    fl_map_free(r.names);
    *out = r.list.v;
    *n = r.list.n;
    return code;
}

/* ---- parsing ---- */

static bool format_of(const char *type, sch_format *out)
{
    static const sch_format all[] = {SCH_AVRO, SCH_JSON, SCH_PROTOBUF};
    for (size_t i = 0; i < 3; i++)
        if (!strcmp(type, sch_format_name(all[i]))) {
            *out = all[i];
            return true;
        }
    return false;
}

static rt_code no_schema(const rt_subject *s, const sch_error *e, rt_error *err)
{
    return rt_fail_as(err, RT_BAD_INPUT, 42201, "subject %s: the schema%s%s is no %s schema: %s (byte %u)", s->subject,
                      e->ref ? " it refers to as " : "", e->ref ? e->ref : "", s->type, e->message, e->offset);
}

/* set: descriptors that protoc gave for it, or NULL. */
static rt_code parse(const rt_store *st, fl_arena *a, const rt_subject *s, const sch_proto_set *set, sch_schema **out,
                     rt_error *err)
{
    const sch_ref *list;
    size_t n;
    sch_error e = {0};
    sch_format format;
    if (!format_of(s->type, &format))
        return rt_fail_as(err, RT_BAD_INPUT, 42201, "subject %s: schemaType %s is none of AVRO, JSON, PROTOBUF",
                          s->subject, s->type);
    rt_code code = rt_store_resolve(st, a, s, &list, &n, err);
    if (code != RT_OK)
        return code;
    size_t len = strlen(s->schema);
    if (set)
        *out = sch_proto_from_set(a, set, s->subject, s->schema, len, NULL, list, n, &e);
    else
        *out = sch_parse(format, a, s->subject, s->schema, len, NULL, list, n, &e);
    /* a file of enums alone is a schema, too: others refer to it */
    return *out || e.root ? RT_OK : no_schema(s, &e, err);
}

/* ---- the registry's spelling ---- */

static int by_subject(const void *x, const void *y)
{
    const rt_schema_ref *a = x, *b = y;
    int d = strcmp(a->subject, b->subject);
    d = d ? d : a->version - b->version;
    return d ? d : strcmp(a->name, b->name);
}

/* Each once. */
static void sort_refs(fl_arena *a, rt_subject *s)
{
    rt_schema_ref *list = FL_NEW_N(a, rt_schema_ref, s->nrefs + 1);
    size_t kept = 0;
    for (size_t i = 0; i < s->nrefs; i++)
        list[i] = s->refs[i];
    if (s->nrefs)
        qsort(list, s->nrefs, sizeof *list, by_subject);
    for (size_t i = 0; i < s->nrefs; i++)
        if (!i || by_subject(&list[i], &list[i - 1]) != 0)
            list[kept++] = list[i];
    s->refs = list;
    s->nrefs = kept;
}

static void print_normal(fl_arena *a, fl_jw *w, const rt_subject *s, const fl_json *json)
{
    size_t from = w->out->len;
    const fl_jw before = *w;
    if (!strcmp(s->type, "AVRO") && sch_avro_normal(a, json, w))
        return;
    w->out->len = from;
    *w = before;
    sch_print_sorted(w, a, json);
}

/* Without spaces, which mean nothing: two spellings are one version. */
static void respell(fl_arena *a, rt_subject *s, bool normalize)
{
    fl_buf b;
    fl_jw w;
    size_t n = strlen(s->schema);
    const fl_json *json = fl_json_parse(a, s->schema, n, FL_JSON_ALLOW_NUL, &(fl_json_error){0});
    if (!json)
        return;
    fl_buf_init(&b, 6 * n + 16);
    fl_jw_init(&w, &b, false);
    if (normalize)
        print_normal(a, &w, s, json);
    else
        fl_jw_node(&w, json);
    if (!b.full && strlen(b.p) == b.len)
        s->schema = fl_strndup(a, b.p, b.len);
    fl_buf_free(&b);
}

/* ---- compatibility ---- */

static bool transitive(sch_level l)
{
    return l == SCH_BACKWARD_TRANSITIVE || l == SCH_FORWARD_TRANSITIVE || l == SCH_FULL_TRANSITIVE;
}

/* One call of protoc for all Protobuf texts. */
static rt_code prepare(const rt_store *st, fl_arena *a, const rt_subject *const *all, size_t n, sch_proto_set **set,
                       rt_error *err)
{
    sch_proto_file *files = FL_NEW_N(a, sch_proto_file, n);
    char message[256];
    size_t nfiles = 0;
    for (size_t i = 0; i < n; i++) {
        sch_proto_file *f = &files[nfiles];
        if (strcmp(all[i]->type, "PROTOBUF") != 0)
            continue;
        *f = (sch_proto_file){all[i]->subject, all[i]->schema, strlen(all[i]->schema), NULL, 0};
        rt_code code = rt_store_resolve(st, a, all[i], &f->refs, &f->nrefs, err);
        if (code != RT_OK)
            return code;
        nfiles++;
    }
    *set = nfiles ? sch_proto_prepare(a, files, nfiles, message) : NULL;
    return !nfiles || *set ? RT_OK : rt_fail(err, RT_IO, "Protobuf schemas cannot be read: %s", message);
}

rt_code rt_store_are_schemas(const rt_store *st, fl_arena *a, const rt_subject *const *all, size_t n, size_t *which,
                             rt_error *err)
{
    sch_proto_set *set = NULL;
    sch_schema *parsed;
    *which = 0;
    rt_code code = prepare(st, a, all, n, &set, err);
    for (size_t i = 0; i < n && code == RT_OK; i++) {
        *which = i;
        code = parse(st, a, all[i], strcmp(all[i]->type, "PROTOBUF") ? NULL : set, &parsed, err);
    }
    return code;
}

rt_code rt_store_compatible(const rt_store *st, fl_arena *a, sch_level level, const rt_subject *s,
                            const rt_subject *const *history, size_t n, sch_compatibility *why, bool *ok, rt_error *err)
{
    size_t skipped = transitive(level) || !n ? 0 : n - 1;
    *ok = true;
    if (!n || level == SCH_NONE)
        return RT_OK;
    history += skipped;
    n -= skipped;
    const rt_subject **all = FL_NEW_N(a, const rt_subject *, n + 1);
    sch_schema **parsed = FL_NEW_N(a, sch_schema *, n + 1);
    sch_proto_set *set = NULL;
    all[0] = s;
    memcpy(all + 1, history, n * sizeof *all);
    rt_code code = prepare(st, a, all, n + 1, &set, err);
    for (size_t i = 0; i <= n && code == RT_OK; i++)
        code = parse(st, a, all[i], strcmp(all[i]->type, "PROTOBUF") ? NULL : set, &parsed[i], err);
    if (code != RT_OK)
        return code;
    size_t kept = 1, *at = FL_NEW_N(a, size_t, n + 1);
    for (size_t i = 1; i <= n; i++)
        if (parsed[i]) { /* a Protobuf file without messages has nothing to compare */
            at[kept - 1] = skipped + i - 1;
            parsed[kept++] = parsed[i];
        }
    if (parsed[0] && kept > 1)
        *ok = sch_compatible(a, level, parsed[0], (const sch_schema *const *)parsed + 1, kept - 1, why);
    for (size_t i = 0; i < why->list.n; i++)
        why->list.v[i].version = at[why->list.v[i].version];
    return RT_OK;
}

/* ---- the group of versions ---- */

static const char *group_value(fl_arena *a, const char *metadata, const char *group)
{
    const fl_json *m = metadata ? fl_json_parse(a, metadata, strlen(metadata), 0, &(fl_json_error){0}) : NULL;
    const char *value = m ? fl_json_str(fl_json_get(m, "properties"), group) : NULL;
    return value ? value : "";
}

size_t rt_store_history(const rt_store *st, fl_arena *a, const rt_subject *s, const rt_subject *const **out)
{
    FL_VEC(const rt_subject *) list = {0};
    const rt_versions *v = rt_store_subject(st, s->subject, false);
    rt_settings set;
    rt_store_settings(st, a, s->subject, &set);
    const char *mine = set.group ? group_value(a, s->metadata, set.group) : NULL;
    for (size_t i = 0; v && i < v->list.n; i++) {
        const rt_content *c = v->list.v[i].content;
        if (v->list.v[i].deleted || (mine && strcmp(group_value(a, c->is.metadata, set.group), mine) != 0))
            continue;
        rt_subject *one = FL_NEW(a, rt_subject);
        *one = c->is;
        one->subject = v->subject;
        one->version = v->list.v[i].number;
        FL_PUSH(a, &list, one);
    }
    *out = list.v;
    return list.n;
}

rt_code rt_store_judge(const rt_store *st, fl_arena *a, rt_subject *s, bool normalize, sch_schema **out, rt_error *err)
{
    sch_schema *parsed = NULL;
    rt_code code = RT_OK;
    if (!strcmp(s->type, "PROTOBUF") && rt_store_is_descriptor(a, s->schema))
        code = rt_store_take_descriptor(st, a, s, err);
    if (code == RT_OK && normalize && s->nrefs <= REF_MOST)
        sort_refs(a, s);
    if (code == RT_OK)
        code = parse(st, a, s, NULL, &parsed, err);
    if (code == RT_OK && strcmp(s->type, "PROTOBUF") != 0)
        respell(a, s, normalize);
    else if (code == RT_OK && normalize)
        code = rt_store_normal_proto(st, a, s, false, &s->schema, err);
    if (out)
        *out = parsed;
    return code;
}
