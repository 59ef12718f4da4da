/* engine.c: codecs: one side of one topic, records through its rules, and the vendor's framing around them. */
#include "runtime/engine.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/codec.h"
#include "runtime/format/check.h"
#include "runtime/plan.h"

/* ---- opening and closing ---- */

static rt_subject copy_subject(fl_arena *a, const rt_subject *s)
{
    rt_subject c = *s;
    c.subject = fl_strdup(a, s->subject);
    c.type = s->type ? fl_strdup(a, s->type) : NULL;
    c.schema = fl_strdup(a, s->schema);
    c.metadata = s->metadata ? fl_strdup(a, s->metadata) : NULL;
    c.ruleset = s->ruleset ? fl_strdup(a, s->ruleset) : NULL;
    c.message = s->message ? fl_strdup(a, s->message) : NULL;
    c.refs = FL_NEW_N(a, rt_schema_ref, s->nrefs);
    for (size_t i = 0; i < s->nrefs; i++)
        c.refs[i] =
            (rt_schema_ref){fl_strdup(a, s->refs[i].name), fl_strdup(a, s->refs[i].subject), s->refs[i].version};
    return c;
}

/* The registry's, which is that of what is registered; of a schema that none gave, computed here. */
static rt_code own_guid(rt_codec *c, rt_error *err)
{
    char guid[37];
    rt_error why;
    if (c->opt.guid_framing && !*c->subject.guid)
        return rt_fail(err, RT_REFUSED,
                       "subject %s: the registry knows no GUID of its schema: readers would not find it",
                       c->subject.subject);
    if (*c->subject.guid)
        rt_frame_put_guid(c->guid_head, c->subject.guid);
    else if (rt_schema_guid(&c->subject, guid, &why) == RT_OK)
        rt_frame_put_guid(c->guid_head, guid);
    return RT_OK;
}

/* Does the program of a text look at tags inside its type? The root's own, which has no name, it refuses. */
static bool looked_at(const sch_schema *s, const sch_misplaced *m)
{
    sch_kind kind = m->type ? m->type->kind : SCH_RECORD;
    return s->format == SCH_JSON && (kind == SCH_STRING || kind == SCH_ANY || kind == SCH_NULL);
}

/* A tag where hardly a client looks protects nothing, and whoever wrote it believes that it does. */
static rt_code check_misplaced(const rt_codec *c, rt_error *err)
{
    for (size_t i = 0; i < c->schema->nmisplaced; i++) {
        const sch_misplaced *m = &c->schema->misplaced[i];
        for (size_t k = 0; k < c->rules->n && !looked_at(c->schema, m); k++)
            if (rt_rule_meets(&c->rules->v[k], m->tags, m->ntags))
                return rt_fail(err, RT_REFUSED,
                               "subject %s: rule %s meets a tag that %s%.200s%s, where it protects nothing: the "
                               "schema's fields must be tagged themselves",
                               c->subject.subject, c->rules->v[k].name, m->what ? "stands at " : "stands inside a type",
                               m->what    ? m->what
                               : m->field ? ", in field "
                                          : "",
                               !m->what && m->field ? m->field->name : "");
    }
    return RT_OK;
}

static rt_code prepare(rt_codec *c, rt_error *err)
{
    rt_code code = rt_schema_parse(c->a, c->registry, &c->subject, &c->encoding, &c->schema, err);
    if (!code)
        code = rt_rules_read(c->a, &c->subject, &c->opt, &c->rules, err);
    if (!code)
        code = own_guid(c, err);
    if (code)
        return code;
    c->walk = rt_walk_new(c->encoding, c->keys);
    if (c->opt.read_only)
        return rt_reader_open(c, c->subject.id, err);
    code = check_misplaced(c, err);
    if (code)
        return code;
    rt_compile in = {.schema = c->schema, .rules = c->rules, .message = c->subject.message};
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
    rt_frame_put_id(c->head, subject->id);
    c->payload = rt_payload_new(keys);
    fl_buf_init(&c->plain, RT_MAX_RECORD);
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
    rt_readers_free(c);
    rt_walk_free(c->walk);
    rt_payload_free(c->payload);
    fl_buf_wipe(&c->plain);
    fl_arena_free(c->a);
    free(c);
}

/* As fl_buf_clear: for the way that each record takes. */
static inline void empty(fl_buf *b)
{
    b->len = 0;
    b->full = false;
    if (b->cap)
        b->p[0] = '\0';
}

/* ---- writing ---- */

static __attribute__((noinline)) rt_code put_any_frame(rt_codec *c, fl_buf *out, fl_buf *header, rt_error *err)
{
    fl_buf *to = c->opt.guid_framing ? header : out;
    const uint8_t *head = c->opt.guid_framing ? c->guid_head : c->head;
    size_t n = c->opt.guid_framing ? RT_FRAME_GUID : RT_FRAME_ID;
    if (fl_buf_add(to, head, n) && (!c->write->nlead || fl_buf_add(to, c->write->lead, c->write->nlead)))
        return RT_OK;
    return rt_fail(err, RT_BAD_INPUT, "the record is larger than what is allowed");
}

/* What comes before the value: in front of it, or in the header. */
static inline rt_code put_frame(rt_codec *c, fl_buf *out, fl_buf *header, rt_error *err)
{
    if (c->opt.guid_framing || c->write->nlead || out->cap < RT_FRAME_ID)
        return put_any_frame(c, out, header, err);
    memcpy(out->p, c->head, RT_FRAME_ID); /* it is empty */
    out->len = RT_FRAME_ID;
    return RT_OK;
}

static inline rt_code walk(rt_codec *c, const rt_program *p, const char *skip, const uint8_t *in, size_t n, fl_buf *out,
                           rt_error *err)
{
    rt_walk_skip(c->walk, skip);
    rt_code code = rt_walk_run(c->walk, p, in, n, out, err);
    if (code)
        c->failed = rt_walk_failed(c->walk);
    return code;
}

static inline rt_code seal_body(rt_codec *c, const uint8_t *body, size_t n, fl_buf *out, rt_error *err)
{
    if (!c->rules->npayload || !rt_payload_runs(c->rules, false))
        return walk(c, c->write, NULL, body, n, out, err);
    rt_code code;
    if (rt_program_keeps_all(c->write)) {
        code = rt_walk_check(c->walk, c->write, body, n, err);
    } else {
        fl_buf_clear(&c->plain);
        code = walk(c, c->write, NULL, body, n, &c->plain, err);
        body = (const uint8_t *)c->plain.p;
        n = c->plain.len;
    }
    return code ? code : rt_payload_seal(c->payload, c->rules, body, n, out, &c->failed, err);
}

rt_code rt_encrypt_framed(rt_codec *c, const uint8_t *body, size_t n, fl_buf *out, fl_buf *header, rt_error *err)
{
    empty(out);
    if (header)
        fl_buf_clear(header);
    c->failed = NULL;
    c->failed_reading = false;
    if (!c->write)
        return rt_fail(err, RT_REFUSED, "subject %s was opened for reading alone", c->subject.subject);
    if (c->opt.guid_framing && !header)
        return rt_fail(err, RT_REFUSED, "subject %s: a record that names its schema in a header needs one",
                       c->subject.subject);
    rt_keys_tend(c->keys);
    rt_code code = put_frame(c, out, header, err);
    if (!code)
        code = seal_body(c, body, n, out, err);
    if (code)
        fl_buf_clear(out);
    if (code && header)
        fl_buf_clear(header);
    return code;
}

rt_code rt_encrypt(rt_codec *c, const uint8_t *body, size_t n, fl_buf *out, rt_error *err)
{
    return rt_encrypt_framed(c, body, n, out, NULL, err);
}

/* ---- reading ---- */

/* The schema of the record is most often that of the one before, named by its id in front of it. */
static inline rt_code find_reader(rt_codec *c, const rt_wire *w, rt_frame *f, rt_reader **r, rt_error *err)
{
    uint32_t id = 0;
    if (!w->header && w->n >= RT_FRAME_ID && w->p[0] == 0 && c->last) {
        memcpy(&id, w->p + 1, sizeof id);
        id = ntohl(id);
    }
    if (id && id == (uint32_t)c->last->id && c->last->id > 0) {
        *f = (rt_frame){.id = c->last->id, .body = w->p + RT_FRAME_ID, .n = w->n - RT_FRAME_ID};
        *r = c->last;
        return RT_OK;
    }
    rt_code code = rt_frame_read(c->subject.subject, w, f, err);
    return code ? code : rt_reader_find(c, f, r, err);
}

/* Protobuf's message indexes, which say what the value is: behind the GUID in the header, or in front of the body. */
static inline rt_code enter(rt_codec *c, rt_reader *r, rt_frame *f, const rt_program **prog, rt_error *err)
{
    size_t used = 0;
    rt_code code = RT_OK;
    *prog = r->prog;
    if (c->encoding->enter && f->in_header)
        code = c->encoding->enter(r->prog, f->lead, f->nlead, &used, prog, err);
    else if (c->encoding->enter) {
        code = c->encoding->enter(r->prog, f->body, f->n, &used, prog, err);
        f->body += code ? 0 : used;
        f->n -= code ? 0 : used;
    }
    if (!code && f->in_header && used != f->nlead)
        return rt_fail(err, RT_BAD_INPUT, "subject %s: the header that names the schema is longer than it may be",
                       c->subject.subject);
    return code || !(*prog)->message ? code : rt_reader_hold(c, r, (*prog)->message, err);
}

/* A body whose fields no rule meets is opened where it is to be, and looked at there. */
static rt_code open_in_place(rt_codec *c, const rt_reader *r, const rt_program *prog, const char *skip,
                             const rt_frame *f, fl_buf *out, rt_error *err)
{
    size_t before = out->len;
    rt_code code = rt_payload_open(c->payload, r->rules, skip, f->body, f->n, out, &c->failed, err);
    if (!code)
        code = rt_walk_check(c->walk, prog, (const uint8_t *)out->p + before, out->len - before, err);
    if (code && out->len > before)
        fl_wipe(out->p + before, out->len - before);
    return code;
}

static inline rt_code open_body(rt_codec *c, const rt_reader *r, const rt_program *prog, const char *skip,
                                const rt_frame *f, fl_buf *out, rt_error *err)
{
    if (!r->rules->npayload || !rt_payload_runs(r->rules, true))
        return walk(c, prog, skip, f->body, f->n, out, err);
    if (rt_program_keeps_all(prog))
        return open_in_place(c, r, prog, skip, f, out, err);
    fl_buf_clear(&c->plain);
    rt_code code = rt_payload_open(c->payload, r->rules, skip, f->body, f->n, &c->plain, &c->failed, err);
    if (!code)
        code = walk(c, prog, skip, (const uint8_t *)c->plain.p, c->plain.len, out, err);
    return code;
}

rt_code rt_decrypt_framed(rt_codec *c, const rt_wire *w, fl_buf *out, int *schema_id, rt_error *err)
{
    rt_frame f;
    rt_reader *r;
    const rt_program *prog;
    empty(out);
    c->failed = NULL;
    c->failed_reading = true;
    rt_keys_tend(c->keys);
    rt_code code = find_reader(c, w, &f, &r, err);
    if (!code)
        code = enter(c, r, &f, &prog, err);
    if (code)
        return code;
    if (schema_id)
        *schema_id = r->id;
    code = open_body(c, r, prog, w->skip_rule, &f, out, err);
    if (code)
        fl_buf_clear(out);
    return code;
}

rt_code rt_decrypt(rt_codec *c, const uint8_t *wire, size_t n, fl_buf *out, int *schema_id, rt_error *err)
{
    rt_wire w = {.p = wire, .n = n};
    return rt_decrypt_framed(c, &w, out, schema_id, err);
}

bool rt_codec_failure(const rt_codec *c, rt_failure *out)
{
    const rt_rule *r = c->failed;
    if (!r)
        return false;
    *out = (rt_failure){.rule = r->name,
                        .mode = c->failed_reading ? "READ" : "WRITE",
                        .subject = c->subject.subject,
                        .dlq = c->failed_reading ? r->dlq_read : r->dlq_write};
    return true;
}

rt_code rt_codec_redact(rt_codec *c, const uint8_t *body, size_t n, fl_buf *out, rt_error *err)
{
    fl_buf_clear(out);
    if (!c->write || c->rules->npayload)
        return rt_fail(err, RT_REFUSED, "subject %s: all of the value is encrypted", c->subject.subject);
    rt_walk_skip(c->walk, NULL);
    rt_walk_redact(c->walk, RT_REDACTED);
    rt_code code = rt_walk_run(c->walk, c->write, body, n, out, err);
    rt_walk_redact(c->walk, NULL);
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
    const rt_reader *r = rt_reader_known(c, schema_id);
    if (r)
        return r->schema;
    return schema_id == c->subject.id ? c->schema : NULL;
}

void rt_codec_print(const rt_codec *c, fl_buf *out)
{
    const rt_program *p = c->write;
    if (!p && rt_reader_known(c, c->subject.id))
        p = rt_reader_known(c, c->subject.id)->prog;
    if (p)
        rt_program_print(p, out);
}

typedef struct leaf {
    rt_sealed sealed;
    bool recursive;
} leaf;

/* A leaf of JSON that may be anything is sealed where it is a text. */
static bool can_seal(const sch_type *t)
{
    bool yes = t->kind == SCH_STRING || t->kind == SCH_BYTES || t->kind == SCH_ANY;
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
            if (runs && rt_rule_hits_leaf(c->rules, r, c->schema, &hits.v[i], a))
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

/* The plan has one payload rule at most. */
static rt_code check_payload(const rt_codec *c, const rt_plan_side *side, rt_error *err)
{
    bool found = false;
    for (size_t i = 0; i < c->rules->npayload; i++) {
        const rt_rule *r = &c->rules->payload[i];
        if (r->idle || !(c->opt.read_only ? r->read : r->write))
            continue;
        if (!side->payload.kek || found || strcmp(side->payload.rule, r->name) || strcmp(side->payload.kek, r->key.kek))
            return disagree(c, "(the whole body)", r->name, r->key.kek, "is sealed and not in the plan", err);
        found = true;
    }
    if (side->payload.kek && !found)
        return disagree(c, "(the whole body)", side->payload.rule, side->payload.kek, "is in the plan and not sealed",
                        err);
    return RT_OK;
}

rt_code rt_codec_check_plan(rt_codec *c, const rt_plan_side *side, rt_error *err)
{
    rt_code code = check_payload(c, side, err);
    if (code)
        return code;
    fl_arena *a = fl_arena_new();
    leaf *leaves;
    size_t n = sealed_leaves(c, a, &leaves);
    code = c->opt.read_only ? RT_OK : check_rules_reach(c, leaves, n, err);
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
