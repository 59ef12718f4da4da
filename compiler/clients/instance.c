/* instance.c: walks a measured case's value beside its schema. */
#include "compiler/clients/instance.h"

#include <stdio.h>
#include <string.h>

#define TAG "PII" /* of all cases */

typedef struct scan {
    fl_arena *a;
    const fl_json *kase;
    const sch_schema *s;
    const cl_shape *shape;
    const sch_schema *handed; /* what Java gets, or NULL: the same */
    cl_instance *out;
    FL_VEC(sch_step) steps;
    fl_buf path, plain, indexed; /* as cases write it; `$.a.b`; `$.a[0].b` */
    const sch_field *field;      /* innermost, with the name under which the client looks it up */
    const char *name;
    const char *plain_name, *indexed_name;
} scan;

/* ---- the tag ---- */

static bool list_has(const fl_json *list, const char *s)
{
    for (const fl_json *c = list ? list->child : NULL; c; c = c->next)
        if (c->kind == FL_JSTRING && !strcmp(c->str, s))
            return true;
    return false;
}

static bool is_tagged(const char **tags, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(tags[i], TAG))
            return true;
    return false;
}

static void by_key(const scan *w, const fl_json *keys, bool *plain, bool *indexed, bool *bracket)
{
    for (const fl_json *k = keys ? keys->child : NULL; k; k = k->next) {
        bool a = list_has(k, TAG) && sch_key_matches(k->key, w->plain_name);
        bool b = list_has(k, TAG) && sch_key_matches(k->key, w->indexed_name);
        if (strchr(k->key, '[')) {
            *bracket |= a || b;
        } else {
            *plain |= a;
            *indexed |= b;
        }
    }
}

static bool in_referred(const scan *w)
{
    const fl_json *refs = fl_json_get(w->kase, "refs");
    bool plain = false, indexed = false, bracket = false;
    for (const fl_json *r = refs ? refs->child : NULL; r; r = r->next)
        by_key(w, fl_json_get(fl_json_get(r, "metadata"), "tags"), &plain, &indexed, &bracket);
    return plain;
}

static bool at_target(const scan *w, const sch_type *leaf)
{
    for (size_t i = 0; i < w->s->nmisplaced; i++) {
        const sch_misplaced *m = &w->s->misplaced[i];
        bool there =
            leaf->node && !leaf->foreign && !m->foreign && m->offset >= leaf->node->from && m->offset < leaf->node->to;
        if (there && is_tagged(m->tags, m->ntags) && fl_json_get(w->field->node, "$ref"))
            return true;
    }
    return false;
}

static void inline_ways(const scan *w, const sch_type *leaf, cl_set *tag)
{
    const sch_field *f = w->field;
    if (f->node && at_target(w, leaf))
        cl_add(tag, CL_TAG_INLINE_TARGET);
    if (!is_tagged(f->tags, f->ntags))
        return;
    if (f->record->foreign)
        cl_add(tag, strstr(w->s->text, "confluent:tags") ? CL_TAG_INLINE_REFERRED_TOO : CL_TAG_INLINE_REFERRED);
    else if (f->node && fl_json_get(f->node, "$ref"))
        cl_add(tag, CL_TAG_INLINE_REF);
    else
        cl_add(tag, CL_TAG_INLINE);
}

static cl_set tag_ways(const scan *w, const sch_type *leaf)
{
    cl_set tag = {{0, 0}};
    bool plain = false, indexed = false, bracket = false;
    if (!w->field)
        return tag;
    by_key(w, fl_json_get(w->kase, "metadata_tags"), &plain, &indexed, &bracket);
    if (plain && indexed)
        cl_add(&tag, CL_TAG_META);
    else if (plain)
        cl_add(&tag, CL_TAG_META_NO_INDEX);
    if (bracket)
        cl_add(&tag, CL_TAG_META_BRACKET);
    inline_ways(w, leaf, &tag);
    if (cl_empty(&tag) && in_referred(w))
        cl_add(&tag, CL_TAG_META_REFERRED);
    return tag;
}

/* ---- leaves ---- */

static void at_leaf(scan *w, const sch_type *t)
{
    cl_leaf l = {.path = fl_strdup(w->a, w->path.p + (*w->path.p == '.')), .tag = tag_ways(w, t)};
    l.expected = list_has(fl_json_get(w->kase, "to_be_encrypted"), l.path);
    if (cl_empty(&l.tag) && !l.expected)
        return;
    if (cl_empty(&l.tag))
        cl_add(&l.tag, CL_TAG_UNSEEN);
    cl_way_constructs(w->shape, w->steps.v, w->steps.n, t, &l.way);
    FL_PUSH(w->a, &w->out->leaves, l);
}

/* ---- the value ---- */

static bool has_field(const sch_type *t, const char *name)
{
    for (size_t i = 0; i < t->nfields; i++)
        if (!strcmp(t->fields[i].name, name))
            return true;
    return false;
}

static bool fits(const sch_type *t, const fl_json *v)
{
    switch (t->kind) {
    case SCH_RECORD:
        for (const fl_json *m = v->child; m && v->kind == FL_JOBJECT; m = m->next)
            if (!has_field(t, m->key))
                return false;
        return v->kind == FL_JOBJECT;
    case SCH_MAP:
        return v->kind == FL_JOBJECT;
    case SCH_ARRAY:
        return v->kind == FL_JARRAY;
    case SCH_STRING:
    case SCH_ENUM:
        return v->kind == FL_JSTRING;
    case SCH_BYTES:
        return v->kind == FL_JOBJECT && fl_json_get(v, "$hex");
    default:
        return false;
    }
}

static const sch_type *branch(const sch_type *t, const fl_json *v)
{
    for (size_t i = 0; i < t->nbranches; i++)
        if (fits(t->branches[i], v))
            return t->branches[i];
    return cl_open(t);
}

/* The constructs of a slot that a value stands in. */
static void note_slot(scan *w, const sch_step *step, const fl_json *v)
{
    cl_set s = {{0, 0}};
    cl_slot(w->s, step->in, step->field, step->to, &s);
    cl_keep(&s, CL_RECORD, CL_RECORD);
    if (v->kind == FL_JNULL) {
        s = (cl_set){{0, 0}};
        if (step->in && step->in->kind == SCH_MAP && w->s->format == SCH_AVRO)
            cl_add(&s, CL_AVRO_MAP_NULLS);
        if (step->in && step->in->kind == SCH_ARRAY && w->s->format == SCH_JSON)
            cl_add(&s, CL_JSON_ARRAY_NULLS);
    }
    cl_join(&w->out->record, &s);
}

static void scan_value(scan *w, const sch_type *type, const sch_type *handed, const fl_json *v);

/* One step down, and back. */
static void down(scan *w, sch_step step, const sch_type *handed, const fl_json *v)
{
    FL_PUSH(w->a, &w->steps, step);
    note_slot(w, &step, v);
    scan_value(w, step.to, handed, v);
    w->steps.n--;
}

static void cut(fl_buf *b, size_t len)
{
    b->len = len;
    b->p[len] = '\0';
}

/* A field that the value lacks. In Protobuf, one without presence is written as if it were empty. */
static void absent(scan *w, const sch_step *step)
{
    const sch_field *f = step->field;
    cl_set s = {{0, 0}};
    cl_slot(w->s, step->in, f, step->to, &s);
    cl_keep(&s, CL_VALUE, CL_VALUE);
    if (w->s->format == SCH_JSON || !w->steps.n) /* of Protobuf those of the root message count */
        cl_join(&w->out->record, &s);
    if (w->s->format != SCH_PROTOBUF || f->optional || f->oneof || !sch_is_encryptable(step->to))
        return;
    FL_PUSH(w->a, &w->steps, *step);
    at_leaf(w, step->to);
    w->steps.n--;
}

static void enter_field(scan *w, const sch_type *record, const sch_field *f, const sch_type *handed, const fl_json *v)
{
    scan before = *w;
    size_t path = w->path.len, plain = w->plain.len, indexed = w->indexed.len;
    const sch_type *to = NULL;
    fl_buf_addf(&w->path, ".%s", f->name);
    fl_buf_addf(&w->plain, ".%s", f->name);
    fl_buf_addf(&w->indexed, ".%s", f->name);
    w->field = f;
    w->plain_name = w->s->format == SCH_JSON ? fl_strdup(w->a, w->plain.p)
                                             : fl_printf(w->a, "%s.%s", (handed ? handed : record)->name, f->name);
    w->indexed_name = w->s->format == SCH_JSON ? fl_strdup(w->a, w->indexed.p) : w->plain_name;
    for (size_t i = 0; handed && i < handed->nfields; i++)
        if (!strcmp(handed->fields[i].name, f->name))
            to = handed->fields[i].type;
    sch_step step = {record, f, f->type};
    if (v)
        down(w, step, to, v);
    else
        absent(w, &step);
    cut(&w->path, path);
    cut(&w->plain, plain);
    cut(&w->indexed, indexed);
    w->field = before.field;
    w->plain_name = before.plain_name;
    w->indexed_name = before.indexed_name;
}

/* A member that is no property of its object, but meant to be encrypted: `additionalProperties` beside `properties`,
 * which has no path in a policy. */
static void other_member(scan *w, const fl_json *m)
{
    cl_leaf l = {.path = fl_printf(w->a, "%s%s%s", w->path.p + (*w->path.p == '.'), w->path.len ? "." : "", m->key),
                 .expected = true};
    if (!list_has(fl_json_get(w->kase, "to_be_encrypted"), l.path))
        return;
    cl_add(&l.tag, CL_TAG_META);
    cl_add(&l.way, CL_JSON_STRING);
    cl_add(&l.way, CL_JSON_UNWALKED);
    FL_PUSH(w->a, &w->out->leaves, l);
}

static void scan_record(scan *w, const sch_type *t, const sch_type *handed, const fl_json *v)
{
    for (size_t i = 0; i < t->nfields; i++)
        enter_field(w, t, &t->fields[i], handed, fl_json_get(v, t->fields[i].name));
    for (const fl_json *m = v->child; m; m = m->next)
        if (!has_field(t, m->key))
            other_member(w, m);
}

static void scan_elements(scan *w, const sch_type *t, const sch_type *handed, const fl_json *v)
{
    size_t i = 0, path = w->path.len, indexed = w->indexed.len;
    for (const fl_json *c = v->child; c; c = c->next, i++) {
        fl_buf_addf(&w->path, t->kind == SCH_MAP ? ".%s" : "[%s]",
                    t->kind == SCH_MAP ? c->key : fl_printf(w->a, "%zu", i));
        if (t->kind == SCH_ARRAY)
            fl_buf_addf(&w->indexed, "[%zu]", i);
        down(w, (sch_step){t, NULL, t->item}, handed ? handed->item : NULL, c);
        cut(&w->path, path);
        cut(&w->indexed, indexed);
    }
}

static void scan_value(scan *w, const sch_type *type, const sch_type *handed, const fl_json *v)
{
    const sch_type *t = type->kind == SCH_UNION ? branch(type, v) : type;
    if (v->kind == FL_JNULL)
        return;
    if (handed && handed->kind == SCH_UNION)
        handed = branch(handed, v);
    if (handed && type->kind == SCH_UNION && t->kind == SCH_RECORD && strcmp(handed->name, t->name) != 0)
        cl_add(&w->out->record, CL_AVRO_HANDED_UNION);
    if (t->kind == SCH_RECORD)
        scan_record(w, t, handed, v);
    else if (t->kind == SCH_ARRAY || t->kind == SCH_MAP)
        scan_elements(w, t, handed, v);
    else
        at_leaf(w, t);
}

/* ---- the schema ---- */

/* A schema stands in a case as a JSON object, or (Protobuf) as a text. */
static sch_ref text_of(const char *text, const fl_json *node, const char *name)
{
    if (node->kind == FL_JSTRING)
        return (sch_ref){name, node->str, node->len};
    return (sch_ref){name, text + node->from, node->to - node->from};
}

static sch_schema *parse(fl_arena *a, const char *text, const fl_json *kase, const fl_json *node, const char *message,
                         char error[512])
{
    const char *format = fl_json_str(kase, "format");
    sch_format f = !strcmp(format, "AVRO") ? SCH_AVRO : !strcmp(format, "JSON") ? SCH_JSON : SCH_PROTOBUF;
    const fl_json *list = fl_json_get(kase, "refs");
    sch_ref *refs = FL_NEW_N(a, sch_ref, (list ? list->count : 0) + 1);
    size_t n = 0;
    sch_error err = {0};
    for (const fl_json *r = list ? list->child : NULL; r; r = r->next)
        refs[n++] = text_of(text, fl_json_get(r, "schema"), fl_json_str(r, "name"));
    sch_ref own = text_of(text, node, NULL);
    const char *copy = fl_strndup(a, own.text, own.len);
    sch_schema *s = sch_parse(f, a, "case", copy, own.len, message, refs, n, &err);
    if (!s)
        snprintf(error, 512, "%s: at %u: %s", fl_json_str(kase, "name"), err.offset, err.message);
    return s;
}

/* A Protobuf import whose subject has another name. */
static void note_imports(const scan *w)
{
    const fl_json *refs = fl_json_get(w->kase, "refs");
    for (const fl_json *r = refs ? refs->child : NULL; r && w->s->format == SCH_PROTOBUF; r = r->next)
        if (strcmp(fl_json_str(r, "name"), fl_json_str(r, "subject")) != 0)
            cl_add(&w->out->record, CL_PROTO_IMPORT_SUBJECT);
}

bool cl_instance_of(fl_arena *a, const char *text, const fl_json *kase, bool java, cl_instance *out, char message[512])
{
    const fl_json *handed = java ? fl_json_get(kase, "java_schema") : NULL;
    scan w = {.a = a, .kase = kase, .out = out};
    *out = (cl_instance){0};
    w.s = parse(a, text, kase, fl_json_get(kase, "schema"), fl_json_str(kase, "message"), message);
    if (w.s && handed)
        w.handed = parse(a, text, kase, handed, fl_json_str(kase, "java_message"), message);
    if (!w.s || (handed && !w.handed))
        return false;
    w.shape = cl_shape_of(a, w.s);
    fl_buf_init(&w.path, 1 << 16);
    fl_buf_init(&w.plain, 1 << 16);
    fl_buf_init(&w.indexed, 1 << 16);
    fl_buf_addc(&w.plain, '$');
    fl_buf_addc(&w.indexed, '$');
    fl_buf_reserve(&w.path, 1);
    cut(&w.path, 0);
    note_imports(&w);
    note_slot(&w, &(sch_step){NULL, NULL, w.s->root}, fl_json_get(kase, "value"));
    scan_value(&w, w.s->root, w.handed ? w.handed->root : NULL, fl_json_get(kase, "value"));
    fl_buf_free(&w.path);
    fl_buf_free(&w.plain);
    fl_buf_free(&w.indexed);
    return true;
}
