/* formats.c: a schema as `format` asks for it, and its tags as `findTags` asks for them. */
#include <string.h>

#include "runtime/rest/call.h"
#include "runtime/store_proto.h"

/* ---- format ---- */

/* What is written out is read: each that it refers to, as rt_store_resolve goes through them, must be the caller's to
 * read. */
static rt_code may_read_refs(rest_call *c, const rt_subject *s, fl_map *names)
{
    rt_code code = RT_OK;
    for (size_t i = 0; i < s->nrefs && code == RT_OK; i++) {
        const char *subject = rt_store_ref_subject(c->a, s->subject, s->refs[i].subject);
        const rt_version *to = rt_store_find(c->st, subject, s->refs[i].version, true);
        if (!to || fl_map_put(names, s->refs[i].name, (void *)subject))
            continue;
        rt_subject there = to->content->is;
        there.subject = subject;
        code = rest_may_read(c, subject);
        if (code == RT_OK)
            code = may_read_refs(c, &there, names);
    }
    return code;
}

static rt_code may_read_all(rest_call *c, const rt_subject *s)
{
    fl_map *names = fl_map_new();
    rt_code code = may_read_refs(c, s, names);
    fl_map_free(names);
    return code;
}

static rt_code inlined(rest_call *c, const rt_subject *s, const char **text)
{
    const sch_ref *refs;
    size_t n;
    fl_buf b;
    rt_code code = rt_store_resolve(c->st, c->a, s, &refs, &n, &c->err);
    if (code == RT_OK)
        code = may_read_all(c, s);
    if (code != RT_OK)
        return code;
    fl_buf_init(&b, 2 * RT_SCHEMA_MAX);
    if (sch_avro_inline(c->a, s->schema, strlen(s->schema), refs, n, &b))
        *text = fl_strndup(c->a, b.p, b.len);
    else
        code = rt_fail_as(&c->err, RT_BAD_INPUT, 42201,
                          "subject %s: the schema cannot be written with what it refers to", s->subject);
    fl_buf_free(&b);
    return code;
}

/* What is not known is as if it was not there, as in the vendor's registry. */
rt_code rest_in_format(rest_call *c, const rt_subject *s, const char **text)
{
    const char *format = rest_text(c, "format");
    bool proto = !strcmp(s->type, "PROTOBUF");
    *text = s->schema;
    if (proto && (c->descriptor || (format && !strcmp(format, "serialized"))))
        return rt_store_serialized(c->st, c->a, s, text, &c->err);
    if (proto && format && !strcmp(format, "ignore_extensions"))
        return rt_store_normal_proto(c->st, c->a, s, true, text, &c->err);
    if (!strcmp(s->type, "AVRO") && format && !strcmp(format, "resolved") && s->nrefs)
        return inlined(c, s, text);
    return RT_OK;
}

/* ---- tags ---- */

/* findTags=TAG, once or several times; "*": any. */
static bool asked_for(const rest_call *c, const char *const *tags, size_t n)
{
    for (size_t i = 0; i < c->nparams; i++) {
        if (strcmp(c->param[i].name, "findTags") != 0)
            continue;
        if (!strcmp(c->param[i].value, "*"))
            return n != 0;
        for (size_t k = 0; k < n; k++)
            if (!strcmp(c->param[i].value, tags[k]))
                return true;
    }
    return false;
}

static void print_entity(rest_call *c, const char *path, const char *type, const char *const *tags, size_t n)
{
    if (!asked_for(c, tags, n))
        return;
    fl_jw_object(&c->w);
    fl_jw_key(&c->w, "schemaEntity");
    fl_jw_object(&c->w);
    fl_jw_kstring(&c->w, "entityPath", path);
    fl_jw_kstring(&c->w, "entityType", type);
    fl_jw_end_object(&c->w);
    fl_jw_key(&c->w, "tags");
    fl_jw_array(&c->w);
    for (size_t i = 0; i < n; i++)
        fl_jw_string(&c->w, tags[i]);
    fl_jw_end_array(&c->w);
    fl_jw_end_object(&c->w);
}

/* Types that carry tags themselves: records, messages. */
static void print_types(rest_call *c, const sch_schema *schema)
{
    for (size_t i = 0; i < schema->nmisplaced; i++) {
        const sch_misplaced *m = &schema->misplaced[i];
        if (!m->foreign && m->type && m->type->kind == SCH_RECORD && m->type->name)
            print_entity(c, m->type->name, "sr_record", m->tags, m->ntags);
    }
}

/* Fields of named records, each once, wherever the record stands. */
static void print_fields(rest_call *c, const sch_type *t, bool *seen)
{
    if (!t || seen[t->id])
        return;
    seen[t->id] = true;
    print_fields(c, t->item, seen);
    for (size_t i = 0; i < t->nbranches; i++)
        print_fields(c, t->branches[i], seen);
    for (size_t i = 0; i < t->nfields; i++) {
        const sch_field *f = &t->fields[i];
        if (f->ntags && t->name && !sch_is_foreign(f))
            print_entity(c, fl_printf(c->a, "%s.%s", t->name, f->name), "sr_field", f->tags, f->ntags);
        print_fields(c, f->type, seen);
    }
}

/* Leaves whose records have no name, of JSON Schema: by their path, as the call for tags takes them. */
static void print_paths(rest_call *c, const sch_schema *schema)
{
    sch_hits hits;
    sch_leaves(schema, c->a, &hits);
    for (size_t i = 0; i < hits.n; i++) {
        const sch_field *f = hits.v[i].field;
        if (f && f->ntags && !f->record->name && !sch_is_foreign(f))
            print_entity(c, hits.v[i].path, "sr_field", f->tags, f->ntags);
    }
}

rt_code rest_print_tags(rest_call *c, const rt_subject *s)
{
    sch_schema *schema = NULL;
    rt_subject copy = *s;
    if (!rest_text(c, "findTags"))
        return RT_OK;
    rt_code code = rt_store_judge(c->st, c->a, &copy, false, &schema, &c->err);
    if (code != RT_OK)
        return code;
    fl_jw_key(&c->w, "schemaTags");
    fl_jw_array(&c->w);
    if (schema) {
        print_types(c, schema);
        print_fields(c, schema->root, FL_NEW_N(c->a, bool, schema->ntypes + 1));
        print_paths(c, schema);
    }
    fl_jw_end_array(&c->w);
    return RT_OK;
}
