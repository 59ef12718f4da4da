/* proto_compile.c: compiles a Protobuf schema and rules into a table of messages. */
#include <stdlib.h>
#include <string.h>

#include "runtime/format/effects.h"
#include "runtime/format/proto.h"
#include "schema/proto.h"

#define MAX_DENSE 256 /* field numbers that are found by one look */

typedef struct compiler {
    fl_arena *a;
    rt_effects f;
    const rt_compile *in;
    fl_map *numbers;                     /* full name -> 1 + number of the message */
    fl_map *latest;                      /* "message.field" -> proto_field of in->tags, or NULL */
    FL_VEC(const proto_message *) found; /* by number */
    FL_VEC(pb_message) messages;
    FL_VEC(const char *) where;
} compiler;

/* ---- messages by number ---- */

static rt_code number_of(compiler *c, const proto_message *m, uint32_t *out)
{
    uintptr_t known = (uintptr_t)fl_map_get(c->numbers, m->full);
    if (!known) {
        if (c->found.n >= SCH_MAX_TYPES)
            return rt_fail(c->f.err, RT_REFUSED, "subject %s: its schema has more than %d messages",
                           c->in->rules->subject, SCH_MAX_TYPES);
        FL_PUSH(c->a, &c->found, m);
        known = c->found.n;
        fl_map_put(c->numbers, m->full, (void *)known);
    }
    *out = (uint32_t)(known - 1);
    return RT_OK;
}

/* Every message of the file may be the whole of a record. Nesting was bounded when the descriptors were read. */
static rt_code number_all(compiler *c, const proto_message *v, size_t n)
{
    uint32_t ignored;
    rt_code code = RT_OK;
    for (size_t i = 0; i < n && !code; i++) {
        if (v[i].map_entry)
            continue;
        code = number_of(c, &v[i], &ignored);
        if (!code)
            code = number_all(c, v[i].messages, v[i].nmessages);
    }
    return code;
}

static void name_fields(compiler *c, const proto_message *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < v[i].nfields; k++)
            fl_map_put(c->latest, fl_printf(c->a, "%s.%s", v[i].full, v[i].fields[k].name), &v[i].fields[k]);
        name_fields(c, v[i].messages, v[i].nmessages);
    }
}

static void name_all(compiler *c, const struct sch_proto *p)
{
    name_fields(c, p->file->messages, p->file->nmessages);
    for (size_t i = 0; i < p->nrefs; i++)
        if (p->refs[i])
            name_fields(c, p->refs[i]->messages, p->refs[i]->nmessages);
}

/* ---- what the rules do to a field ---- */

typedef struct meeting {
    const rt_rules *rules;
    sch_type record;
    sch_field field;
} meeting;

static bool hits(void *ctx, const rt_rule *r)
{
    const meeting *m = ctx;
    return rt_rule_hits(m->rules, r, &m->field);
}

static rt_code find_effect(compiler *c, const proto_message *m, const proto_field *f, const char *path, rt_effect *e)
{
    const proto_field *latest = c->latest ? fl_map_get(c->latest, path) : NULL;
    const proto_tags *tags = latest ? &latest->tags : &f->tags;
    meeting at = {.rules = c->in->rules,
                  .record = {.kind = SCH_RECORD, .name = m->full},
                  .field = {.name = f->name, .tags = tags->v, .ntags = tags->n}};
    at.field.record = &at.record;
    return rt_effect_find(&c->f, path, hits, &at, e);
}

static const struct {
    const char *name;
    uint8_t wire;
} types[] = {
    [PROTO_DOUBLE] = {"double", PB_FIXED64},     [PROTO_FLOAT] = {"float", PB_FIXED32},
    [PROTO_INT64] = {"int64", PB_VARINT},        [PROTO_UINT64] = {"uint64", PB_VARINT},
    [PROTO_INT32] = {"int32", PB_VARINT},        [PROTO_FIX64] = {"fixed64", PB_FIXED64},
    [PROTO_FIX32] = {"fixed32", PB_FIXED32},     [PROTO_BOOL] = {"bool", PB_VARINT},
    [PROTO_STRING] = {"string", PB_BYTES},       [PROTO_GROUP_TYPE] = {"group", PB_START},
    [PROTO_MESSAGE] = {"message", PB_BYTES},     [PROTO_BYTES_TYPE] = {"bytes", PB_BYTES},
    [PROTO_UINT32] = {"uint32", PB_VARINT},      [PROTO_ENUM] = {"enum", PB_VARINT},
    [PROTO_SFIXED32] = {"sfixed32", PB_FIXED32}, [PROTO_SFIXED64] = {"sfixed64", PB_FIXED64},
    [PROTO_SINT32] = {"sint32", PB_VARINT},      [PROTO_SINT64] = {"sint64", PB_VARINT},
};

/* A map whose values are no messages is a value of its own to clients, of a type that no rule can encrypt. */
static const char *not_encryptable(const proto_field *f)
{
    bool map = f->message && f->message->map_entry;
    if (map)
        return "map";
    return f->type == PROTO_STRING || f->type == PROTO_BYTES_TYPE ? NULL : types[f->type].name;
}

static bool holds_messages(const proto_field *f)
{
    const proto_message *m = f->message;
    if (!m || !m->map_entry)
        return m != NULL;
    for (size_t i = 0; i < m->nfields; i++)
        if (m->fields[i].number == 2)
            return m->fields[i].message != NULL;
    return false;
}

static rt_code apply(compiler *c, const proto_field *f, const rt_effect *e, pb_op *op)
{
    bool fails;
    if (holds_messages(f))
        return rt_effect_on_record(&c->f, e);
    rt_code code = rt_effect_check_idle(&c->f, e);
    if (code || e->chain < 0)
        return code;
    op->chain = (uint16_t)e->chain;
    const char *kind = not_encryptable(f);
    if (!kind) {
        op->code = PB_SEAL;
        op->text = f->type == PROTO_STRING;
        return RT_OK;
    }
    code = rt_effect_not_encryptable(&c->f, e, kind, &fails);
    if (!code && fails)
        op->code = PB_FAIL;
    return code;
}

/* ---- fields ---- */

static bool without_presence(const proto_message *m, const proto_field *f)
{
    return m->file->proto3 && f->label == PROTO_OPTIONAL && !f->explicit_optional && f->oneof < 0 && !f->message;
}

static void put_tag(pb_op *op)
{
    uint32_t tag = op->number << 3 | PB_BYTES; /* numbers have 29 bits */
    for (; tag >= 0x80; tag >>= 7)
        op->tag[op->ntag++] = (uint8_t)(tag | 0x80);
    op->tag[op->ntag++] = (uint8_t)tag;
}

static rt_code compile_field(compiler *c, const proto_message *m, const proto_field *f, pb_op *op)
{
    const char *path = fl_printf(c->a, "%s.%s", m->full, f->name);
    rt_effect e = {.chain = -1};
    *op = (pb_op){.number = (uint32_t)f->number,
                  .code = PB_SKIP,
                  .wire = types[f->type].wire,
                  .packed = f->label == PROTO_REPEATED && types[f->type].wire != PB_BYTES && !f->message,
                  .bit = PB_NO_BIT,
                  .pc = (uint32_t)c->where.n};
    put_tag(op);
    FL_PUSH(c->a, &c->where, path);
    if (c->where.n > RT_MAX_OPS)
        return rt_fail(c->f.err, RT_REFUSED, "subject %s: its schema has more than %d fields", c->in->rules->subject,
                       RT_MAX_OPS);
    rt_code code = m->map_entry ? RT_OK : find_effect(c, m, f, path, &e);
    if (!code && !m->map_entry)
        code = apply(c, f, &e, op);
    op->implicit = (op->code == PB_SEAL || op->code == PB_FAIL) && without_presence(m, f);
    if (code || !f->message || op->code == PB_FAIL)
        return code;
    op->code = f->type == PROTO_GROUP_TYPE ? PB_GROUP : PB_MESSAGE;
    return number_of(c, f->message, &op->message);
}

static int by_number(const void *a, const void *b)
{
    const pb_op *x = a, *y = b;
    return (x->number > y->number) - (x->number < y->number);
}

/* Gives bits to what must be known to have occurred, and makes the tables by number. */
static void lay_out(compiler *c, const proto_message *m, pb_message *out)
{
    uint32_t bits = 0;
    for (size_t i = 0; i < out->nops; i++) { /* still in the order of m->fields */
        pb_op *op = &out->ops[i];
        bool once = (op->code == PB_MESSAGE || op->code == PB_GROUP) && m->fields[i].label != PROTO_REPEATED;
        if (op->implicit || once)
            op->bit = (uint16_t)bits++;
        if (op->number < MAX_DENSE && op->number >= out->ndense)
            out->ndense = op->number + 1;
    }
    out->words = (bits + 63) / 64;
    qsort(out->ops, out->nops, sizeof *out->ops, by_number);
    out->dense = FL_NEW_N(c->a, uint16_t, out->ndense);
    out->implicit = FL_NEW_N(c->a, uint32_t, out->nops);
    for (uint32_t i = 0; i < out->nops; i++) {
        if (out->ops[i].number < out->ndense)
            out->dense[out->ops[i].number] = (uint16_t)(i + 1);
        if (out->ops[i].implicit)
            out->implicit[out->nimplicit++] = i;
        if (m->map_entry && out->ops[i].code == PB_MESSAGE)
            out->value = &out->ops[i];
    }
}

static void find_idle(pb_message *m)
{
    for (uint32_t i = 0; i < m->nops; i++) {
        const pb_op *op = &m->ops[i];
        if (op->code != PB_SKIP || op->bit != PB_NO_BIT || op->number >= PB_QUICK >> 3)
            continue;
        m->quick[op->number << 3 | op->wire] = 1 + op->wire;
        if (op->packed)
            m->quick[op->number << 3 | PB_BYTES] = 1 + PB_BYTES;
    }
}

static rt_code compile_message(compiler *c, const proto_message *m)
{
    pb_message out = {.name = m->full, .ops = FL_NEW_N(c->a, pb_op, m->nfields), .nops = (uint32_t)m->nfields};
    if (m->nfields >= PB_NO_BIT)
        return rt_fail(c->f.err, RT_REFUSED, "subject %s: message %s has more than %u fields", c->in->rules->subject,
                       m->full, PB_NO_BIT - 1u);
    for (size_t i = 0; i < m->nfields; i++) {
        rt_code code = compile_field(c, m, &m->fields[i], &out.ops[i]);
        if (code)
            return code;
    }
    lay_out(c, m, &out);
    find_idle(&out);
    FL_PUSH(c->a, &c->messages, out);
    return RT_OK;
}

/* ---- the whole values that a schema knows ---- */

static void put_index(fl_buf *b, uint64_t v)
{
    for (v <<= 1; v >= 0x80; v >>= 7) /* zigzag; indexes are not negative */
        fl_buf_addc(b, (char)(v | 0x80));
    fl_buf_addc(b, (char)v);
}

/* Places of the message and of those around it, outermost first; [0] is one byte 0 (docs/wire.md 1). */
static void write_lead(const proto_message *m, fl_buf *b)
{
    size_t index[PROTO_MAX_NEST], n = 0;
    for (const proto_message *at = m; at && n < PROTO_MAX_NEST; at = at->outer)
        index[n++] = (size_t)(at - (at->outer ? at->outer->messages : at->file->messages));
    if (n == 1 && index[0] == 0) {
        fl_buf_addc(b, 0);
        return;
    }
    put_index(b, n);
    while (n-- > 0)
        put_index(b, index[n]);
}

static void make_roots(compiler *c, pb_table *t, const rt_program *base)
{
    t->nroots = (uint32_t)c->found.n;
    t->roots = FL_NEW_N(c->a, pb_program *, t->nroots);
    for (uint32_t i = 0; i < t->nroots; i++) {
        fl_buf b;
        if (c->found.v[i]->file != c->in->schema->proto->file || c->found.v[i]->map_entry)
            continue;
        pb_program *p = FL_NEW(c->a, pb_program);
        fl_buf_init(&b, 1024);
        write_lead(c->found.v[i], &b);
        *p = (pb_program){.base = *base, .table = t, .root = i < t->n ? i : PB_NO_ROOT};
        p->base.lead = (const uint8_t *)fl_strndup(c->a, b.p, b.len);
        p->base.nlead = b.len;
        p->base.message = c->found.v[i]->full;
        fl_buf_free(&b);
        t->roots[i] = p;
    }
}

static rt_code finish(compiler *c, const proto_message *root, rt_program **out)
{
    const proto_file *file = c->in->schema->proto->file;
    uint32_t number = 0;
    rt_code code = number_of(c, root, &number);
    if (!code)
        code = number_all(c, file->messages, file->nmessages);
    rt_program base = {.encoding = &rt_proto,
                       .rules = c->in->rules,
                       .opening = c->in->opening,
                       .where = c->where.v,
                       .chains = c->f.chains.v};
    pb_table *t = FL_NEW(c->a, pb_table);
    *t = (pb_table){.v = c->messages.v, .n = (uint32_t)c->messages.n};
    make_roots(c, t, &base);
    *out = t->roots[number] ? &t->roots[number]->base : NULL;
    return *out || code ? code
                        : rt_fail(c->f.err, RT_REFUSED, "subject %s: its schema has no message %s of its own",
                                  c->in->rules->subject, root->full);
}

rt_code rt_proto_compile(fl_arena *a, const rt_compile *in, rt_program **out, rt_error *err)
{
    compiler c = {.a = a, .in = in, .f = {.a = a, .in = in, .err = err}, .numbers = fl_map_new()};
    const proto_file *file = in->schema->proto->file;
    if (in->tags && in->tags != in->schema && in->tags->proto) {
        c.latest = fl_map_new();
        name_all(&c, in->tags->proto);
    }
    FL_PUSH(a, &c.where, ""); /* the value itself */
    const proto_message *root = in->schema->proto->root;
    uint32_t number;
    rt_code code = number_of(&c, root, &number);
    if (!code && in->opening && !in->message) /* the record says which */
        code = number_all(&c, file->messages, file->nmessages);
    for (size_t i = 0; i < c.found.n && !code; i++) /* grows: messages that fields lead to */
        code = compile_message(&c, c.found.v[i]);
    if (!code)
        code = finish(&c, root, out);
    fl_map_free(c.numbers);
    fl_map_free(c.latest);
    return code;
}

/* ---- as text ---- */

static void print_op(const pb_program *p, const pb_op *op, fl_buf *out)
{
    static const char *const words[] = {"copy", "seal", "fail", "message", "group"};
    fl_buf_addf(out, "  %-6u %-8s %s", op->number, op->code == PB_SEAL && p->base.opening ? "open" : words[op->code],
                p->base.where[op->pc]);
    if (op->code == PB_MESSAGE || op->code == PB_GROUP)
        fl_buf_addf(out, ": %s", p->table->v[op->message].name);
    if (op->code == PB_SEAL || op->code == PB_FAIL) {
        fl_buf_adds(out, op->text ? " (text): " : ": ");
        rt_chain_print(&p->base, &p->base.chains[op->chain], out);
    }
    fl_buf_addc(out, '\n');
}

void rt_proto_print(const rt_program *prog, fl_buf *out)
{
    const pb_program *p = (const pb_program *)prog;
    fl_buf_addf(out, "value %s\n", p->table->v[p->root].name);
    for (uint32_t i = 0; i < p->table->n; i++) {
        fl_buf_addf(out, "%s\n", p->table->v[i].name);
        for (uint32_t k = 0; k < p->table->v[i].nops; k++)
            print_op(p, &p->table->v[i].ops[k], out);
    }
}
