/* json_print.c: a field program of JSON as text: one state a line, and below it the members that lead on. */
#include "runtime/format/json.h"

static const char *const kinds[JSON_NULL] = {"object", "array", "string", "number", "boolean"};

/* The kinds of values that a state takes (null it always takes), and what is sealed. Others are refused. */
static void print_acts(const rt_program *base, const json_state *s, fl_buf *out)
{
    const char *between = "  ";
    for (int k = 0; k < JSON_NULL; k++)
        if (s->act[k] == JSON_COPY) {
            fl_buf_addf(out, "%s%s", between, kinds[k]);
            between = ", ";
        }
    if (s->act[JSON_STRING] != JSON_SEAL)
        return;
    fl_buf_addf(out, "%s%s string :", between, base->opening ? "open" : "seal");
    rt_chain_print(base, &base->chains[s->chain], out);
}

static void print_glob(const json_glob *g, fl_buf *out)
{
    static const char *const stands[] = {[JSON_ANY] = "?", [JSON_STAR] = "*", [JSON_DEEP] = "**"};
    if (!g->state)
        return;
    fl_buf_adds(out, "         .");
    for (size_t i = 0; i < g->n; i++)
        if (g->v[i].kind == JSON_CHAR)
            fl_buf_addc(out, g->v[i].c);
        else
            fl_buf_adds(out, stands[g->v[i].kind]);
    fl_buf_addf(out, " %u\n", g->state);
}

static void print_ways(const json_program *p, const json_state *s, fl_buf *out)
{
    for (uint32_t i = 0; i < s->n; i++) {
        const json_member *m = &p->members[s->first + i];
        if (m->state)
            fl_buf_addf(out, "         .%s %u\n", m->name, m->state);
    }
    for (uint32_t i = 0; i < s->nglobs; i++)
        print_glob(&p->globs[s->glob + i], out);
    if (s->nglobs > 1 && s->several)
        fl_buf_addf(out, "         several of these %u\n", s->several);
    if (s->other)
        fl_buf_addf(out, "         .* %u\n", s->other);
    if (s->items)
        fl_buf_addf(out, "         [] %u\n", s->items);
}

/* Nothing is sealed there or below: nothing leads to it. */
static bool is_idle(const json_program *p, const json_state *s)
{
    bool idle = !s->other && !s->items && !s->nglobs;
    for (int k = 0; k < JSON_KINDS; k++)
        idle &= s->act[k] == JSON_COPY;
    for (uint32_t i = 0; i < s->n; i++)
        idle &= !p->members[s->first + i].state;
    return idle;
}

void rt_json_print(const rt_program *base, fl_buf *out)
{
    const json_program *p = (const json_program *)base;
    fl_buf_addf(out, "start %u\n", p->root);
    for (uint32_t i = 1; i < p->nstates; i++) {
        const json_state *s = &p->states[i];
        if (is_idle(p, s))
            continue;
        fl_buf_addf(out, "%5u  %s", i, base->where[i] && *base->where[i] ? base->where[i] : "(the whole value)");
        print_acts(base, s, out);
        fl_buf_addc(out, '\n');
        print_ways(p, s, out);
    }
}
