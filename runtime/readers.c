/* readers.c: the schemas with which records of a codec were written, by id or by GUID, with what they refer to. */
#include <stdlib.h>
#include <string.h>

#include "runtime/codec.h"

#define MAX_READERS   1000 /* schemas of one subject that one codec reads */
#define MAX_REFS      1000 /* schemas that one schema refers to, in all */
#define MAX_REF_DEPTH 32

/* ---- schemas and what they refer to ---- */

typedef struct refs {
    fl_arena *a;
    rt_registry *registry;
    FL_VEC(sch_ref) list;
    size_t fetched;
    rt_error *err;
} refs;

static bool have_ref(const refs *r, const char *name)
{
    for (size_t i = 0; i < r->list.n; i++)
        if (strcmp(r->list.v[i].name, name) == 0)
            return true;
    return false;
}

/* Referenced schemas first, each once, so that every name is known where it is used. */
static rt_code collect(refs *r, const rt_subject *s, unsigned depth)
{
    if (depth > MAX_REF_DEPTH)
        return rt_fail(r->err, RT_REFUSED, "subject %s: its references nest deeper than %d", s->subject, MAX_REF_DEPTH);
    for (size_t i = 0; i < s->nrefs; i++) {
        rt_subject to;
        if (have_ref(r, s->refs[i].name))
            continue;
        if (r->fetched++ >= MAX_REFS)
            return rt_fail(r->err, RT_REFUSED, "subject %s: more than %d references", s->subject, MAX_REFS);
        rt_code code =
            r->registry->ops->subject_version(r->registry, r->a, s->refs[i].subject, s->refs[i].version, &to, r->err);
        if (!code)
            code = collect(r, &to, depth + 1);
        if (code)
            return code;
        if (!have_ref(r, s->refs[i].name))
            FL_PUSH(r->a, &r->list, (sch_ref){s->refs[i].name, to.schema, strlen(to.schema)});
    }
    return RT_OK;
}

/* Subjects without a type are Avro's. */
static const rt_encoding *encoding_of(const rt_subject *s)
{
    for (int f = SCH_AVRO; f <= SCH_PROTOBUF; f++)
        if (!s->type || !*s->type ? f == SCH_AVRO : strcmp(s->type, sch_format_name((sch_format)f)) == 0)
            return rt_encoding_of((sch_format)f);
    return NULL;
}

rt_code rt_schema_parse(fl_arena *a, rt_registry *registry, const rt_subject *s, const rt_encoding **encoding,
                        sch_schema **out, rt_error *err)
{
    refs r = {.a = a, .registry = registry, .err = err};
    sch_error e;
    const rt_encoding *is = encoding_of(s);
    if (!is)
        return rt_fail(err, RT_REFUSED, "subject %s: schemas of type %s are beyond this version of flec", s->subject,
                       s->type);
    if (*encoding && *encoding != is)
        return rt_fail(err, RT_REFUSED, "subject %s: a schema of type %s among those of type %s", s->subject,
                       sch_format_name(is->format), sch_format_name((*encoding)->format));
    *encoding = is;
    rt_code code = collect(&r, s, 0);
    if (code)
        return code;
    *out = sch_parse(is->format, a, s->subject, s->schema, strlen(s->schema), s->message, r.list.v, r.list.n, &e);
    if (*out)
        return RT_OK;
    return rt_fail(err, RT_BAD_INPUT, "subject %s: the schema%s%s is no %s schema: %s (byte %u)", s->subject,
                   e.ref ? " it refers to as " : "", e.ref ? e.ref : "",
                   is->format == SCH_AVRO ? "Avro" : sch_format_name(is->format), e.message, e.offset);
}

/* ---- readers ---- */

void rt_readers_free(rt_codec *c)
{
    for (size_t i = 0; i < c->nreaders; i++) {
        fl_arena_free(c->readers[i]->a);
        free(c->readers[i]->roots);
        free(c->readers[i]);
    }
    free(c->readers);
}

/* Where id stands, or would stand. */
static size_t place_of(const rt_codec *c, int id, bool *found)
{
    size_t lo = 0, hi = c->nreaders;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (c->readers[mid]->id < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    *found = lo < c->nreaders && c->readers[lo]->id == id;
    return lo;
}

const rt_reader *rt_reader_known(const rt_codec *c, int id)
{
    bool found;
    size_t at = place_of(c, id, &found);
    return found ? c->readers[at] : NULL;
}

/* The registry answers for what it was asked: a schema under a GUID that is not its own would be another schema. */
static rt_code by_guid(rt_codec *c, rt_reader *r, rt_subject *s, rt_error *err)
{
    char guid[37], own[37];
    const rt_registry_ops *ops = c->registry->ops;
    rt_frame_guid_text(r->guid, guid);
    if (!ops->schema_by_guid)
        return rt_fail(err, RT_REFUSED,
                       "subject %s: the record names its schema by GUID, by which this registry knows none",
                       c->subject.subject);
    rt_code code = ops->schema_by_guid(c->registry, r->a, guid, c->subject.subject, s, err);
    if (!code)
        code = rt_schema_guid(s, own, err);
    if (!code && strcmp(own, guid) != 0)
        return rt_fail(err, RT_REFUSED, "subject %s: the registry gave schema %s for GUID %s", c->subject.subject, own,
                       guid);
    return code;
}

/* The tree of another message of the reader's schema, from descriptors that are read once: a record names the message
 * before anything of it is authentic, so it must not cost a run of protoc. */
static rt_code other_root(rt_codec *c, rt_reader *r, const char *message, sch_schema **out, rt_error *err)
{
    const sch_schema *s = r->roots[0];
    sch_proto_file file = {.name = s->name, .text = s->text, .len = s->len, .refs = s->refs, .nrefs = s->nrefs};
    char why[256];
    sch_error e;
    if (!r->set)
        r->set = sch_proto_prepare(r->a, &file, 1, why);
    if (!r->set)
        return rt_fail(err, RT_IO, "subject %s: %s", c->subject.subject, why);
    *out = sch_proto_from_set(r->a, r->set, s->name, s->text, s->len, message, s->refs, s->nrefs, &e);
    return *out ? RT_OK : rt_fail(err, RT_BAD_INPUT, "subject %s: %s", c->subject.subject, e.message);
}

rt_code rt_reader_hold(rt_codec *c, rt_reader *r, const char *message, rt_error *err)
{
    sch_schema *schema = NULL;
    const char *want = c->subject.message;
    if (strcmp(r->schema->root->name, message) == 0)
        return RT_OK;
    if (want)
        return rt_fail(err, RT_BAD_INPUT, "subject %s: the record holds a message %.200s, and not %.200s",
                       c->subject.subject, message, want);
    for (size_t i = 0; i < r->nroots && !schema; i++)
        if (strcmp(r->roots[i]->root->name, message) == 0)
            schema = r->roots[i];
    if (!schema) {
        rt_code code = other_root(c, r, message, &schema, err);
        if (code)
            return code;
        r->roots = fl_xrealloc(r->roots, (r->nroots + 1) * sizeof *r->roots);
        r->roots[r->nroots++] = schema;
    }
    r->schema = schema;
    return RT_OK;
}

static rt_code fetch(rt_codec *c, rt_reader *r, rt_subject *s, rt_error *err)
{
    if (r->id < 0)
        return by_guid(c, r, s, err);
    return c->registry->ops->schema_by_id(c->registry, r->a, r->id, c->subject.subject, s, err);
}

static rt_code fill(rt_codec *c, rt_reader *r, rt_error *err)
{
    rt_subject s = c->subject;
    rt_compile in = {.tags = c->schema, .opening = true, .message = c->subject.message};
    bool own = r->id == c->subject.id;
    rt_code code = own ? RT_OK : fetch(c, r, &s, err);
    s.message = c->subject.message;
    r->subject = s;
    if (!code)
        code = rt_schema_parse(r->a, c->registry, &s, &c->encoding, &r->schema, err);
    if (!code && c->encoding->enter) {
        r->roots = fl_xcalloc(1, sizeof *r->roots);
        r->roots[r->nroots++] = r->schema;
    }
    r->rules = c->rules;
    if (!code && c->opt.read_writer_rules && !own) {
        s.subject = c->subject.subject; /* the DEKs are those of the topic's subject */
        code = rt_rules_read(r->a, &s, &c->opt, &r->rules, err);
        in.tags = NULL;
    }
    in.rules = r->rules;
    in.schema = r->schema;
    return code ? code : rt_program_compile(r->a, &in, &r->prog, err);
}

static rt_code add(rt_codec *c, rt_reader *r, rt_error *err)
{
    if (c->nreaders == MAX_READERS)
        return rt_fail(err, RT_REFUSED, "subject %s: records with more than %d schemas", c->subject.subject,
                       MAX_READERS);
    rt_code code = fill(c, r, err);
    if (code)
        return code;
    bool found;
    size_t at = place_of(c, r->id, &found);
    c->readers = fl_xrealloc(c->readers, (c->nreaders + 1) * sizeof *c->readers);
    memmove(&c->readers[at + 1], &c->readers[at], (c->nreaders - at) * sizeof *c->readers);
    c->readers[at] = c->last = r;
    c->nreaders++;
    c->nguids += r->id < 0;
    return RT_OK;
}

static rt_code open_reader(rt_codec *c, int id, const uint8_t *guid, rt_error *err)
{
    rt_reader *r = fl_xcalloc(1, sizeof *r);
    r->id = id;
    r->a = fl_arena_new();
    if (guid)
        memcpy(r->guid, guid, sizeof r->guid);
    rt_code code = add(c, r, err);
    if (code) {
        fl_arena_free(r->a);
        free(r->roots);
        free(r);
    }
    return code;
}

rt_code rt_reader_open(rt_codec *c, int id, rt_error *err)
{
    return open_reader(c, id, NULL, err);
}

static rt_code find_by_id(rt_codec *c, int id, rt_error *err)
{
    bool found;
    if (c->last && c->last->id == id)
        return RT_OK;
    size_t at = place_of(c, id, &found);
    if (!found)
        return open_reader(c, id, NULL, err);
    c->last = c->readers[at];
    return RT_OK;
}

/* Those by GUID stand in front, and are few. */
static rt_code find_by_guid(rt_codec *c, const uint8_t guid[16], rt_error *err)
{
    if (c->guid_head[0] && memcmp(guid, c->guid_head + 1, 16) == 0)
        return find_by_id(c, c->subject.id, err);
    if (c->last && c->last->id < 0 && memcmp(c->last->guid, guid, 16) == 0)
        return RT_OK;
    for (size_t i = 0; i < c->nguids; i++)
        if (memcmp(c->readers[i]->guid, guid, 16) == 0) {
            c->last = c->readers[i];
            return RT_OK;
        }
    return open_reader(c, -1 - (int)c->nguids, guid, err);
}

rt_code rt_reader_find(rt_codec *c, const rt_frame *f, rt_reader **out, rt_error *err)
{
    rt_code code = f->id ? find_by_id(c, f->id, err) : find_by_guid(c, f->guid, err);
    *out = c->last;
    return code;
}
