/* engine.c: codecs: one side of one topic, its schemas by id, and the vendor's framing around what the field programs
 * make. */
#include "runtime/engine.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/format/format.h"
#include "runtime/plan.h"

#define HEAD          5    /* 00, schema id int32 big-endian */
#define MAX_READERS   1000 /* schema ids of one subject that one codec reads */
#define MAX_REFS      1000 /* schemas that one schema refers to, in all */
#define MAX_REF_DEPTH 32

typedef struct reader { /* a schema id as records carry it */
    int id;
    fl_arena *a;
    sch_schema *schema;
    rt_program *prog;
} reader;

struct rt_codec {
    fl_arena *a;
    rt_registry *registry;
    rt_keys *keys; /* not owned */
    rt_codec_options opt;
    rt_subject subject;
    uint8_t head[HEAD]; /* of what it writes */
    sch_schema *schema;
    rt_rules *rules;
    rt_program *write; /* NULL if read_only */
    const rt_encoding *encoding;
    rt_walk *walk;
    reader *readers; /* sorted by id */
    size_t nreaders, last;
};

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

/* encoding: what records of the codec are in; NULL there: what s says. */
static rt_code parse_schema(fl_arena *a, rt_registry *registry, const rt_subject *s, const rt_encoding **encoding,
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
    *out = sch_parse(is->format, a, s->subject, s->schema, strlen(s->schema), NULL, r.list.v, r.list.n, &e);
    if (*out)
        return RT_OK;
    return rt_fail(err, RT_BAD_INPUT, "subject %s: the schema%s%s is no %s schema: %s (byte %u)", s->subject,
                   e.ref ? " it refers to as " : "", e.ref ? e.ref : "",
                   is->format == SCH_AVRO ? "Avro" : sch_format_name(is->format), e.message, e.offset);
}

/* ---- opening and closing ---- */

static rt_subject copy_subject(fl_arena *a, const rt_subject *s)
{
    rt_subject c = *s;
    c.subject = fl_strdup(a, s->subject);
    c.type = s->type ? fl_strdup(a, s->type) : NULL;
    c.schema = fl_strdup(a, s->schema);
    c.metadata = s->metadata ? fl_strdup(a, s->metadata) : NULL;
    c.ruleset = s->ruleset ? fl_strdup(a, s->ruleset) : NULL;
    c.refs = FL_NEW_N(a, rt_schema_ref, s->nrefs);
    for (size_t i = 0; i < s->nrefs; i++)
        c.refs[i] =
            (rt_schema_ref){fl_strdup(a, s->refs[i].name), fl_strdup(a, s->refs[i].subject), s->refs[i].version};
    return c;
}

static rt_code open_reader(rt_codec *c, int id, size_t at, rt_error *err);

static rt_code prepare(rt_codec *c, rt_error *err)
{
    rt_code code = parse_schema(c->a, c->registry, &c->subject, &c->encoding, &c->schema, err);
    if (!code)
        code = rt_rules_read(c->a, &c->subject, &c->opt, &c->rules, err);
    if (code)
        return code;
    c->walk = rt_walk_new(c->encoding, c->keys);
    if (c->opt.read_only)
        return open_reader(c, c->subject.id, 0, err);
    rt_compile in = {.schema = c->schema, .rules = c->rules};
    return rt_program_compile(c->a, &in, &c->write, err);
}

rt_code rt_codec_open(rt_registry *registry, rt_keys *keys, const rt_subject *subject, const rt_codec_options *opt,
                      rt_codec **out, rt_error *err)
{
    *out = NULL;
    if (subject->id < 1)
        return rt_fail(err, RT_NOT_FOUND, "subject %s is not registered: it has no schema id", subject->subject);
    rt_codec *c = fl_xcalloc(1, sizeof *c);
    c->a = fl_arena_new();
    c->registry = registry;
    c->keys = keys;
    if (opt)
        c->opt = *opt;
    c->subject = copy_subject(c->a, subject);
    for (int i = 0; i < 4; i++)
        c->head[1 + i] = (uint8_t)((unsigned)subject->id >> (24 - 8 * i));
    rt_code code = prepare(c, err);
    if (code)
        rt_codec_close(c);
    else
        *out = c;
    return code;
}

void rt_codec_close(rt_codec *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->nreaders; i++)
        fl_arena_free(c->readers[i].a);
    free(c->readers);
    rt_walk_free(c->walk);
    fl_arena_free(c->a);
    free(c);
}

/* ---- readers, by schema id ---- */

/* Where id stands, or would stand. */
static size_t reader_place(const rt_codec *c, int id, bool *found)
{
    size_t lo = 0, hi = c->nreaders;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (c->readers[mid].id < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    *found = lo < c->nreaders && c->readers[lo].id == id;
    return lo;
}

static rt_code fill_reader(rt_codec *c, reader *r, rt_error *err)
{
    rt_subject s = c->subject;
    rt_compile in = {.rules = c->rules, .tags = c->schema, .opening = true};
    rt_code code = RT_OK;
    if (r->id != c->subject.id)
        code = c->registry->ops->schema_by_id(c->registry, r->a, r->id, c->subject.subject, &s, err);
    if (!code)
        code = parse_schema(r->a, c->registry, &s, &c->encoding, &r->schema, err);
    if (!code && c->opt.read_writer_rules && r->id != c->subject.id) {
        rt_rules *own;
        s.subject = c->subject.subject; /* the DEKs are those of the topic's subject */
        code = rt_rules_read(r->a, &s, &c->opt, &own, err);
        in.rules = own;
        in.tags = NULL;
    }
    in.schema = r->schema;
    return code ? code : rt_program_compile(r->a, &in, &r->prog, err);
}

static rt_code open_reader(rt_codec *c, int id, size_t at, rt_error *err)
{
    if (c->nreaders == MAX_READERS)
        return rt_fail(err, RT_REFUSED, "subject %s: records with more than %d schema ids", c->subject.subject,
                       MAX_READERS);
    reader r = {.id = id, .a = fl_arena_new()};
    rt_code code = fill_reader(c, &r, err);
    if (code) {
        fl_arena_free(r.a);
        return code;
    }
    c->readers = fl_xrealloc(c->readers, (c->nreaders + 1) * sizeof *c->readers);
    memmove(&c->readers[at + 1], &c->readers[at], (c->nreaders - at) * sizeof *c->readers);
    c->readers[at] = r;
    c->nreaders++;
    return RT_OK;
}

static rt_code find_reader(rt_codec *c, int id, const reader **out, rt_error *err)
{
    rt_code code = RT_OK;
    if (c->last >= c->nreaders || c->readers[c->last].id != id) {
        bool found;
        size_t at = reader_place(c, id, &found);
        if (!found)
            code = open_reader(c, id, at, err);
        if (code)
            return code;
        c->last = at;
    }
    *out = &c->readers[c->last];
    return RT_OK;
}

/* ---- records ---- */

rt_code rt_encrypt(rt_codec *c, const uint8_t *body, size_t n, fl_buf *out, rt_error *err)
{
    fl_buf_clear(out);
    if (!c->write)
        return rt_fail(err, RT_REFUSED, "subject %s was opened for reading alone", c->subject.subject);
    if (!fl_buf_reserve(out, HEAD))
        return rt_fail(err, RT_BAD_INPUT, "the record is larger than what is allowed");
    memcpy(out->p, c->head, HEAD);
    out->len = HEAD;
    rt_code code = rt_walk_run(c->walk, c->write, body, n, out, err);
    if (code)
        fl_buf_clear(out);
    return code;
}

static rt_code read_head(const rt_codec *c, const uint8_t *wire, size_t n, int *id, rt_error *err)
{
    if (n < HEAD)
        return rt_fail(err, RT_BAD_INPUT,
                       "subject %s: a record of %zu bytes is too short for the byte 0 and a schema id",
                       c->subject.subject, n);
    if (wire[0] == 1)
        return rt_fail(err, RT_REFUSED,
                       "subject %s: the record names its schema by GUID, which this version of flec does not read",
                       c->subject.subject);
    if (wire[0] != 0)
        return rt_fail(err, RT_BAD_INPUT,
                       "subject %s: the record does not begin with the byte 0 and a schema id: no serializer of a "
                       "registry wrote it",
                       c->subject.subject);
    uint32_t v = 0;
    for (int i = 1; i < HEAD; i++)
        v = v << 8 | wire[i];
    if (v == 0 || v > INT32_MAX)
        return rt_fail(err, RT_BAD_INPUT, "subject %s: the record carries no real schema id", c->subject.subject);
    *id = (int)v;
    return RT_OK;
}

rt_code rt_decrypt(rt_codec *c, const uint8_t *wire, size_t n, fl_buf *out, int *schema_id, rt_error *err)
{
    int id = 0;
    const reader *r;
    fl_buf_clear(out);
    rt_code code = read_head(c, wire, n, &id, err);
    if (!code)
        code = find_reader(c, id, &r, err);
    if (code)
        return code;
    if (schema_id)
        *schema_id = id;
    code = rt_walk_run(c->walk, r->prog, wire + HEAD, n - HEAD, out, err);
    if (code)
        fl_buf_clear(out);
    return code;
}

/* ---- what a codec knows ---- */

const sch_schema *rt_codec_schema(rt_codec *c)
{
    return c->schema;
}

const sch_schema *rt_codec_schema_for(rt_codec *c, int schema_id)
{
    bool found;
    size_t at = reader_place(c, schema_id, &found);
    if (found)
        return c->readers[at].schema;
    return schema_id == c->subject.id ? c->schema : NULL;
}

void rt_codec_print(const rt_codec *c, fl_buf *out)
{
    const rt_program *p = c->write ? c->write : c->nreaders ? c->readers[0].prog : NULL;
    if (p)
        rt_program_print(p, out);
}

typedef struct leaf {
    rt_sealed sealed;
    bool recursive;
} leaf;

static bool can_seal(const sch_type *t)
{
    bool yes = t->kind == SCH_STRING || t->kind == SCH_BYTES;
    for (size_t i = 0; t->kind == SCH_UNION && i < t->nbranches; i++)
        yes |= can_seal(t->branches[i]);
    return yes;
}

static size_t sealed_leaves(const rt_codec *c, fl_arena *a, leaf **out)
{
    FL_VEC(leaf) list = {0};
    sch_hits hits = {0};
    sch_leaves(c->schema, a, &hits);
    for (size_t i = 0; i < hits.n; i++)
        for (size_t k = 0; k < c->rules->n && hits.v[i].field && can_seal(hits.v[i].type); k++) {
            const rt_rule *r = &c->rules->v[k];
            bool runs = !r->idle && !r->duplicate && (c->opt.read_only ? r->read : r->write);
            if (runs && rt_rule_hits(c->rules, r, hits.v[i].field))
                FL_PUSH(a, &list, (leaf){{hits.v[i].path, r->name, r->key.kek}, hits.v[i].recursive});
        }
    *out = list.v;
    return list.n;
}

size_t rt_codec_sealed(const rt_codec *c, fl_arena *a, rt_sealed **out)
{
    leaf *leaves;
    size_t n = sealed_leaves(c, a, &leaves);
    *out = FL_NEW_N(a, rt_sealed, n);
    for (size_t i = 0; i < n; i++)
        (*out)[i] = leaves[i].sealed;
    return n;
}

/* ---- the plan's word against the program's ---- */

static bool planned(const rt_plan_side *side, const rt_sealed *s)
{
    for (size_t i = 0; i < side->nencrypted; i++)
        if (!strcmp(side->encrypted[i].path, s->path) && !strcmp(side->encrypted[i].rule, s->rule) &&
            !strcmp(side->encrypted[i].kek, s->kek))
            return true;
    return false;
}

static bool sealed(const leaf *leaves, size_t n, const struct rt_plan_leaf *l)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(leaves[i].sealed.path, l->path) && !strcmp(leaves[i].sealed.rule, l->rule) &&
            !strcmp(leaves[i].sealed.kek, l->kek))
            return true;
    return false;
}

static rt_code disagree(const rt_codec *c, const char *path, const char *rule, const char *kek, const char *how,
                        rt_error *err)
{
    return rt_fail(err, RT_REFUSED,
                   "subject %s: the plan and its rule set disagree: field %s, rule %s, KEK %s %s; build the plan again",
                   c->subject.subject, path, rule, kek, how);
}

/* A rule that no leaf carries would let records pass in clear without a word. */
static rt_code check_rules_reach(const rt_codec *c, const leaf *leaves, size_t n, rt_error *err)
{
    for (size_t k = 0; k < c->rules->n; k++) {
        const rt_rule *r = &c->rules->v[k];
        bool reaches = r->idle || r->duplicate;
        for (size_t i = 0; i < n && !reaches; i++)
            reaches = strcmp(leaves[i].sealed.rule, r->name) == 0;
        if (!reaches)
            return rt_fail(err, RT_REFUSED, "subject %s: rule %s reaches no field: no field carries its tags",
                           c->subject.subject, r->name);
    }
    return RT_OK;
}

rt_code rt_codec_check_plan(rt_codec *c, const rt_plan_side *side, rt_error *err)
{
    fl_arena *a = fl_arena_new();
    leaf *leaves;
    size_t n = sealed_leaves(c, a, &leaves);
    rt_code code = c->opt.read_only ? RT_OK : check_rules_reach(c, leaves, n, err);
    for (size_t i = 0; i < n && !code; i++)
        if (!leaves[i].recursive && !planned(side, &leaves[i].sealed))
            code = disagree(c, leaves[i].sealed.path, leaves[i].sealed.rule, leaves[i].sealed.kek,
                            "is sealed and not in the plan", err);
    for (size_t i = 0; i < side->nencrypted && !code; i++) {
        const struct rt_plan_leaf *l = &side->encrypted[i];
        if (!sealed(leaves, n, l))
            code = disagree(c, l->path, l->rule, l->kek, "is in the plan and not sealed", err);
    }
    fl_arena_free(a);
    return code;
}
