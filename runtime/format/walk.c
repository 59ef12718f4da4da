/* walk.c: a run of a field program over one record: its edits, its failures, and rules whose failures pass. */
#include "runtime/format/walk.h"

#include <stdlib.h>

rt_walk *rt_walk_new(const rt_encoding *encoding, rt_keys *keys)
{
    rt_walk *w = fl_xcalloc(1, sizeof *w);
    w->encoding = encoding;
    w->keys = keys;
    w->own = fl_xcalloc(1, encoding->state);
    fl_buf_init(&w->text, RT_MAX_RECORD);
    for (int i = 0; i < 2; i++) {
        fl_buf_init(&w->between[i], RT_MAX_RECORD);
        fl_buf_init(&w->scratch[i], RT_MAX_RECORD);
    }
    return w;
}

void rt_walk_free(rt_walk *w)
{
    if (!w)
        return;
    fl_buf_wipe(&w->text);
    for (int i = 0; i < 2; i++) {
        fl_buf_wipe(&w->between[i]);
        fl_buf_wipe(&w->scratch[i]);
    }
    if (w->encoding->drop)
        w->encoding->drop(w->own);
    free(w->own);
    free(w);
}

/* ---- failing ---- */

static const char *place(const rt_walk *w, uint32_t pc)
{
    return w->prog->where[pc] && *w->prog->where[pc] ? w->prog->where[pc] : "(the whole value)";
}

bool rt_walk_malformed(rt_walk *w, uint32_t pc, const char *why)
{
    w->code = rt_fail(w->err, RT_BAD_INPUT, "subject %s, field %s, byte %zu of the record: %s", w->prog->rules->subject,
                      place(w, pc), (size_t)(w->p - w->in), why);
    return false;
}

bool rt_walk_too_big(rt_walk *w, uint32_t pc)
{
    return rt_walk_malformed(w, pc, "the record grows beyond the largest size allowed");
}

bool rt_walk_rule_failed(rt_walk *w, uint32_t pc, size_t rule, rt_code code, const char *why)
{
    const rt_rule *r = &w->prog->rules->v[rule];
    bool named = strncmp(why, "KEK ", 4) == 0; /* what the keys say names it already */
    w->failed = (int)rule;
    w->code = rt_fail(w->err, code, "subject %s, field %s, rule %s%s%s: %s", w->prog->rules->subject, place(w, pc),
                      r->name, named ? "" : ", KEK ", named ? "" : r->key.kek, why);
    return false;
}

bool rt_walk_fail(rt_walk *w, uint32_t pc, const rt_chain *chain, rt_code code, const char *why)
{
    for (size_t i = 0; i < chain->n; i++)
        if (!(w->off >> chain->rule[i] & 1))
            return rt_walk_rule_failed(w, pc, chain->rule[i], code, why);
    return true;
}

/* ---- edits ---- */

/* Copies everything up to here that is not out yet. */
static inline bool flush(rt_walk *w, const uint8_t *to, uint32_t pc)
{
    if (to > w->copied && !rt_walk_put(w, w->copied, (size_t)(to - w->copied), pc))
        return false;
    w->copied = to;
    return true;
}

bool rt_walk_work_off(rt_walk *w)
{
    bool together = w->prog->values && !w->off && !w->redact;
    for (unsigned i = 0, some = 0; i < w->nedits; i++) {
        const rt_edit *e = &w->edits[i];
        if (together && !rt_walk_values(w, e, w->nedits - i, &some))
            return false;
        if (some) {
            i += some - 1;
            continue;
        }
        if (!flush(w, e->from, e->pc))
            return false;
        w->copied = e->to;
        if (!w->encoding->replace(w, e))
            return false;
    }
    w->nedits = 0;
    return true;
}

/* ---- the run ---- */

static bool passes(const rt_walk *w)
{
    const rt_rule *r = w->failed < 0 ? NULL : &w->prog->rules->v[w->failed];
    return r && (w->prog->opening ? r->pass_read : r->pass_write);
}

static bool attempt(rt_walk *w, const uint8_t *in, size_t n)
{
    w->in = w->p = w->copied = in;
    w->end = in + n;
    w->nedits = 0;
    w->failed = -1;
    w->code = RT_OK;
    return w->encoding->run(w) && rt_walk_work_off(w) && flush(w, w->end, 0);
}

/* Undoes what a failed attempt wrote: nothing of an opened field stays behind the end. */
static void take_back(fl_buf *out, size_t before)
{
    if (out->cap && out->len > before)
        fl_wipe(out->p + before, out->len - before);
    out->len = before;
    out->full = false;
}

void rt_walk_skip(rt_walk *w, const char *rule)
{
    w->skip = rule;
}

void rt_walk_redact(rt_walk *w, const char *text)
{
    w->redact = text;
}

const rt_rule *rt_walk_failed(const rt_walk *w)
{
    return w->failed < 0 ? NULL : &w->prog->rules->v[w->failed];
}

/* As the bits of rules that failed and pass. */
static uint64_t skipped(const rt_rules *rs, const char *name)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < rs->n; i++)
        if (strcmp(rs->v[i].name, name) == 0)
            bits |= 1ull << i;
    return bits;
}

rt_code rt_walk_run(rt_walk *w, const rt_program *p, const uint8_t *in, size_t n, fl_buf *out, rt_error *err)
{
    static const uint8_t nothing[1];
    size_t before = out->len;
    in = n ? in : nothing; /* NULL is how a walk says that it failed */
    w->prog = p;
    w->out = out;
    w->err = err;
    w->off = w->skip ? skipped(p->rules, w->skip) : 0;
    w->failed = -1;
    w->record++;
    w->epoch = rt_keys_epoch(w->keys);
    if (n > RT_MAX_RECORD)
        return rt_fail(err, RT_BAD_INPUT, "subject %s: a record of %zu bytes is larger than the %u that are allowed",
                       p->rules->subject, n, RT_MAX_RECORD);
    while (!attempt(w, in, n)) {
        take_back(out, before);
        if (!passes(w))
            return w->code;
        w->off |= 1ull << w->failed; /* again without that rule: each round switches one off, so it ends */
    }
    if (out->cap)
        out->p[out->len] = '\0';
    return RT_OK;
}
