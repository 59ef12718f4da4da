/* avro_compile.c: compiles an Avro schema and rules into a field program. */
#include <string.h>

#include "runtime/format/avro.h"
#include "runtime/format/effects.h"
#include "runtime/format/walk.h"

/* Records are inlined, so that an instruction knows its whole path, until this many: a schema whose records use each
 * other in fans would grow without end. From then on, and where a record contains itself, they are called. */
#define MAX_INLINED 2000

typedef struct compiler {
    fl_arena *a;
    rt_effects f;
    const rt_compile *in;
    fl_map *fields; /* "record.field" -> sch_field of in->tags, or NULL */
    FL_VEC(avro_op) ops;
    FL_VEC(const char *) where;
    FL_VEC(uint32_t) targets;
    FL_VEC(const sch_type *) called; /* records whose own code is needed, in order of first call */
    uint32_t *code;                  /* by type id: 1 + number in `called`, 0 if not called */
    uint32_t barrier;                /* a jump leads here: do not merge with what is before */
    unsigned inlined, depth;
    size_t nseals;
    rt_error *err;
} compiler;

static rt_code emit_type(compiler *c, const sch_type *t, const char *path, const rt_effect *e);

/* ---- emitting ---- */

static rt_code emit(compiler *c, avro_op op, const char *where)
{
    if (c->ops.n >= RT_MAX_OPS)
        return rt_fail(c->err, RT_REFUSED, "subject %s: its schema needs a program of more than %d instructions",
                       c->in->rules->subject, RT_MAX_OPS);
    FL_PUSH(c->a, &c->ops, op);
    FL_PUSH(c->a, &c->where, where);
    return RT_OK;
}

static uint32_t here(compiler *c)
{
    c->barrier = (uint32_t)c->ops.n;
    return c->barrier;
}

static rt_code emit_skip(compiler *c, size_t n, const char *where)
{
    if (n == 0)
        return RT_OK;
    if (c->ops.n > c->barrier && c->ops.v[c->ops.n - 1].code == AVRO_SKIP && c->ops.v[c->ops.n - 1].n < SIZE_MAX / 4) {
        c->ops.v[c->ops.n - 1].n += n;
        return RT_OK;
    }
    return emit(c, (avro_op){.code = AVRO_SKIP, .n = n}, where);
}

/* ---- what a field's rules do ---- */

static const sch_field *tagged(const compiler *c, const sch_field *f)
{
    if (!c->fields)
        return f;
    const sch_field *latest = fl_map_get(c->fields, fl_printf(c->a, "%s.%s", f->record->name, f->name));
    return latest ? latest : f;
}

typedef struct meeting {
    const rt_rules *rules;
    const sch_field *field;
} meeting;

static bool hits(void *ctx, const rt_rule *r)
{
    const meeting *m = ctx;
    return rt_rule_hits(m->rules, r, m->field);
}

static rt_code find_effect(compiler *c, const sch_field *f, const char *path, rt_effect *e)
{
    meeting m = {c->in->rules, tagged(c, f)};
    return rt_effect_find(&c->f, path, hits, &m, e);
}

static const char *const kinds[] = {"null",   "boolean", "int",  "long",  "float", "double", "bytes",
                                    "string", "record",  "enum", "array", "map",   "union",  "fixed"};

static rt_code emit_not_encryptable(compiler *c, sch_kind kind, const rt_effect *e)
{
    bool fails;
    rt_code code = rt_effect_not_encryptable(&c->f, e, kinds[kind], &fails);
    return code || !fails ? code : emit(c, (avro_op){.code = AVRO_FAIL, .chain = (uint16_t)e->chain}, e->path);
}

/* ---- leaves ---- */

static rt_code emit_value(compiler *c, const sch_type *t, const char *path, int chain)
{
    avro_op op = {.code = AVRO_LENGTH, .chain = (uint16_t)(chain < 0 ? 0 : chain)};
    switch (t->kind) {
    case SCH_NULL:
        return RT_OK;
    case SCH_BOOLEAN:
        return emit_skip(c, 1, path);
    case SCH_FLOAT:
        return emit_skip(c, 4, path);
    case SCH_DOUBLE:
        return emit_skip(c, 8, path);
    case SCH_FIXED:
        return emit_skip(c, t->size, path);
    case SCH_INT:
        op.code = AVRO_INT;
        break;
    case SCH_LONG:
        op.code = AVRO_LONG;
        break;
    case SCH_ENUM:
        op.code = AVRO_ENUM;
        op.n = t->nsymbols;
        break;
    default:
        if (chain >= 0) {
            op.code = t->kind == SCH_STRING ? AVRO_STRING : AVRO_BYTES;
            op.seals = true;
            c->nseals++;
        }
    }
    return emit(c, op, path);
}

static rt_code emit_leaf(compiler *c, const sch_type *t, const char *path, const rt_effect *e)
{
    bool text = t->kind == SCH_STRING || t->kind == SCH_BYTES;
    if (t->kind == SCH_NULL || !e)
        return emit_value(c, t, path, -1);
    rt_code code = rt_effect_check_idle(&c->f, e);
    if (code)
        return code;
    if (e->chain >= 0 && !text)
        code = emit_not_encryptable(c, t->kind, e);
    return code ? code : emit_value(c, t, path, text ? e->chain : -1);
}

/* ---- records, unions, arrays and maps ---- */

static bool holds_record(const sch_type *t)
{
    while (t->kind == SCH_ARRAY || t->kind == SCH_MAP)
        t = t->item;
    if (t->kind == SCH_UNION)
        for (size_t i = 0; i < t->nbranches; i++)
            if (holds_record(t->branches[i]))
                return true;
    return t->kind == SCH_RECORD;
}

static rt_code emit_fields(compiler *c, const sch_type *t, const char *path)
{
    rt_code code = RT_OK;
    for (size_t i = 0; i < t->nfields && !code; i++) {
        const sch_field *f = &t->fields[i];
        const char *name = *path ? fl_printf(c->a, "%s.%s", path, f->name) : f->name;
        rt_effect e;
        code = find_effect(c, f, name, &e);
        if (!code && holds_record(f->type))
            code = rt_effect_on_record(&c->f, &e);
        if (!code)
            code = emit_type(c, f->type, name, &e);
    }
    return code;
}

static rt_code emit_record(compiler *c, const sch_type *t, const char *path)
{
    if (!t->recursive && c->inlined < MAX_INLINED) {
        c->inlined++;
        return emit_fields(c, t, path);
    }
    if (!c->code[t->id]) {
        FL_PUSH(c->a, &c->called, t);
        c->code[t->id] = (uint32_t)c->called.n;
    }
    rt_code code = emit(c, (avro_op){.code = AVRO_CALL, .seals = true, .to = c->code[t->id] - 1}, path);
    here(c);
    return code;
}

static rt_code emit_union(compiler *c, const sch_type *t, const char *path, const rt_effect *e)
{
    uint32_t table = (uint32_t)c->targets.n, first = (uint32_t)c->ops.n + 1;
    rt_code code = emit(c, (avro_op){.code = AVRO_UNION, .n = t->nbranches, .to = table}, path);
    for (size_t i = 0; i < t->nbranches; i++)
        FL_PUSH(c->a, &c->targets, 0);
    for (size_t i = 0; i < t->nbranches && !code; i++) {
        c->targets.v[table + i] = here(c);
        code = emit_type(c, t->branches[i], path, e);
        if (!code && i + 1 < t->nbranches)
            code = emit(c, (avro_op){.code = AVRO_JUMP, .to = UINT32_MAX}, path);
    }
    uint32_t end = here(c);
    for (uint32_t pc = first; pc < end; pc++) /* inner unions have patched their own */
        if (c->ops.v[pc].code == AVRO_JUMP && c->ops.v[pc].to == UINT32_MAX)
            c->ops.v[pc].to = end;
    return code;
}

static bool seals_between(const compiler *c, uint32_t from, uint32_t to)
{
    for (uint32_t pc = from; pc < to; pc++)
        if (c->ops.v[pc].seals)
            return true;
    return false;
}

static rt_code emit_items(compiler *c, const sch_type *t, const char *path, const rt_effect *e)
{
    uint32_t start = here(c);
    const char *item = fl_printf(c->a, "%s%s", path, t->kind == SCH_MAP ? ".*" : "[]");
    rt_code code = emit(c, (avro_op){.code = AVRO_BLOCKS}, item);
    uint32_t body = here(c);
    if (!code && t->kind == SCH_MAP)
        code = emit(c, (avro_op){.code = AVRO_LENGTH}, item);
    if (!code)
        code = emit_type(c, t->item, item, e);
    if (code)
        return code;
    if (c->ops.n == body) {
        c->ops.v[start].code = AVRO_EMPTY;
        return RT_OK;
    }
    code = emit(c, (avro_op){.code = AVRO_NEXT, .to = body}, item);
    c->ops.v[start].to = here(c);
    c->ops.v[start].seals = seals_between(c, body, c->ops.v[start].to);
    return code;
}

static rt_code emit_type(compiler *c, const sch_type *t, const char *path, const rt_effect *e)
{
    if (++c->depth > 4 * SCH_MAX_DEPTH)
        return rt_fail(c->err, RT_REFUSED, "subject %s: its schema nests too deep at %s", c->in->rules->subject, path);
    rt_code code;
    switch (t->kind) {
    case SCH_RECORD:
        code = emit_record(c, t, path);
        break;
    case SCH_UNION:
        code = emit_union(c, t, path, e);
        break;
    case SCH_ARRAY:
    case SCH_MAP:
        code = emit_items(c, t, path, e);
        break;
    default:
        code = emit_leaf(c, t, path, e);
    }
    c->depth--;
    return code;
}

/* ---- shortcuts ---- */

static bool seals_value(const avro_op *op)
{
    return op->code == AVRO_STRING || op->code == AVRO_BYTES;
}

/* Every instruction of a run knows how many follow, so that a jump into its middle is as good. */
static void count_runs(compiler *c)
{
    for (size_t pc = c->ops.n; pc-- > 0;) {
        avro_op *op = &c->ops.v[pc], *next = op + 1;
        bool more = pc + 1 < c->ops.n;
        if (op->code == AVRO_LENGTH)
            op->n = 1 + (more && next->code == AVRO_LENGTH ? next->n : 0);
        else if (seals_value(op))
            op->n = 1 + (more && seals_value(next) ? next->n : 0);
    }
}

/* Arrays and maps of texts, untagged: their items need no code. */
static void mark_plain_blocks(compiler *c)
{
    for (size_t pc = 0; pc + 2 < c->ops.n; pc++) {
        const avro_op *body = &c->ops.v[pc + 1];
        if (c->ops.v[pc].code == AVRO_BLOCKS && body->code == AVRO_LENGTH && body[body->n].code == AVRO_NEXT)
            c->ops.v[pc].n = body->n;
    }
}

static void thread_jumps(compiler *c)
{
    for (size_t i = 0; i < c->targets.n; i++)
        while (c->ops.v[c->targets.v[i]].code == AVRO_JUMP)
            c->targets.v[i] = c->ops.v[c->targets.v[i]].to;
}

/* ---- the whole ---- */

/* Called records may call others; each gets its code once. Calls are patched from numbers to places at the end. */
static rt_code emit_called(compiler *c)
{
    rt_code code = RT_OK;
    uint32_t *at = NULL;
    size_t cap = 0;
    for (size_t i = 0; i < c->called.n && !code; i++) {
        const sch_type *t = c->called.v[i];
        if (i >= cap) {
            uint32_t *more = FL_NEW_N(c->a, uint32_t, cap * 2 + 16);
            if (cap)
                memcpy(more, at, cap * sizeof *at);
            at = more;
            cap = cap * 2 + 16;
        }
        at[i] = here(c);
        code = emit_fields(c, t, t->name ? t->name : "");
        if (!code)
            code = emit(c, (avro_op){.code = AVRO_RETURN}, t->name);
    }
    for (size_t pc = 0; pc < c->ops.n && !code; pc++)
        if (c->ops.v[pc].code == AVRO_CALL)
            c->ops.v[pc].to = at[c->ops.v[pc].to];
    return code;
}

static void index_fields(compiler *c, const sch_type *t, bool *seen)
{
    if (seen[t->id])
        return;
    seen[t->id] = true;
    for (size_t i = 0; i < t->nfields; i++) {
        fl_map_put(c->fields, fl_printf(c->a, "%s.%s", t->name, t->fields[i].name), (void *)&t->fields[i]);
        index_fields(c, t->fields[i].type, seen);
    }
    for (size_t i = 0; i < t->nbranches; i++)
        index_fields(c, t->branches[i], seen);
    if (t->kind == SCH_ARRAY || t->kind == SCH_MAP)
        index_fields(c, t->item, seen);
}

static rt_code compile(compiler *c)
{
    const sch_type *root = c->in->schema->root;
    rt_code code = root->kind == SCH_BYTES ? emit(c, (avro_op){.code = AVRO_BARE}, "") : emit_type(c, root, "", NULL);
    if (!code)
        code = emit(c, (avro_op){.code = AVRO_END}, "");
    if (!code)
        code = emit_called(c);
    return code;
}

/* By instruction, what rt_walk_values asks of each edit. */
static const rt_at *values(compiler *c)
{
    rt_at *at = FL_NEW_N(c->a, rt_at, c->ops.n);
    for (uint32_t pc = 0; pc < c->ops.n; pc++) {
        const avro_op *op = &c->ops.v[pc];
        const rt_chain *chain = &c->f.chains.v[op->chain];
        bool alone = seals_value(op) && chain->n == 1;
        at[pc] = (rt_at){pc, op->code == AVRO_STRING, alone ? chain->rule[0] : RT_NOT_ALONE, alone ? chain : NULL};
    }
    return at;
}

static rt_program *finish(compiler *c)
{
    avro_program *p = FL_NEW(c->a, avro_program);
    count_runs(c);
    mark_plain_blocks(c);
    thread_jumps(c);
    *p = (avro_program){.base = {.encoding = &rt_avro,
                                 .rules = c->in->rules,
                                 .opening = c->in->opening,
                                 .rewrites = c->ops.v[0].code == AVRO_BARE,
                                 .where = c->where.v,
                                 .chains = c->f.chains.v,
                                 .values = c->nseals ? values(c) : NULL},
                        .ops = c->ops.v,
                        .nops = (uint32_t)c->ops.n,
                        .targets = c->targets.v};
    for (uint32_t pc = 0; pc < p->nops && c->nseals == 0; pc++)
        p->ops[pc].seals = false; /* calls were counted as seals until here */
    return &p->base;
}

rt_code rt_avro_compile(fl_arena *a, const rt_compile *in, rt_program **out, rt_error *err)
{
    compiler c = {.a = a, .in = in, .f = {.a = a, .in = in, .err = err}, .err = err};
    c.code = FL_NEW_N(a, uint32_t, in->schema->ntypes + 1);
    if (in->tags && in->tags != in->schema) {
        c.fields = fl_map_new();
        index_fields(&c, in->tags->root, FL_NEW_N(a, bool, in->tags->ntypes + 1));
    }
    rt_code code = compile(&c);
    fl_map_free(c.fields);
    if (!code)
        *out = finish(&c);
    return code;
}

/* ---- as text ---- */

static const char *const names[] = {"skip",  "int",  "long",   "enum", "length", "string", "bytes",  "bare", "fail",
                                    "union", "jump", "blocks", "next", "empty",  "call",   "return", "end"};

static void print_op(const avro_program *p, uint32_t pc, fl_buf *out)
{
    const avro_op *op = &p->ops[pc];
    const char *verb = op->code == AVRO_STRING || op->code == AVRO_BYTES ? (p->base.opening ? "open " : "seal ") : "";
    fl_buf_addf(out, "%5u  %s%s", pc, verb, names[op->code]);
    switch (op->code) {
    case AVRO_SKIP:
    case AVRO_ENUM:
        fl_buf_addf(out, " %zu", op->n);
        break;
    case AVRO_UNION:
        for (size_t i = 0; i < op->n; i++)
            fl_buf_addf(out, " %u", p->targets[op->to + i]);
        break;
    case AVRO_JUMP:
    case AVRO_BLOCKS:
    case AVRO_NEXT:
    case AVRO_CALL:
        fl_buf_addf(out, " %u", op->to);
        break;
    default:
        break;
    }
    if (p->base.where[pc] && *p->base.where[pc] && op->code != AVRO_JUMP && op->code != AVRO_NEXT)
        fl_buf_addf(out, "  %s", p->base.where[pc]);
    if (op->code == AVRO_STRING || op->code == AVRO_BYTES || op->code == AVRO_FAIL) {
        fl_buf_adds(out, " :");
        rt_chain_print(&p->base, &p->base.chains[op->chain], out);
    }
    fl_buf_addc(out, '\n');
}

void rt_avro_print(const rt_program *base, fl_buf *out)
{
    const avro_program *p = (const avro_program *)base;
    for (uint32_t pc = 0; pc < p->nops; pc++)
        print_op(p, pc, out);
}
