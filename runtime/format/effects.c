/* effects.c: which rules meet which field, and the refusals of a rule set that cannot be carried out. */
#include "runtime/format/effects.h"

#include <string.h>

static bool runs(const rt_effects *f, const rt_rule *r)
{
    return !r->idle && !r->duplicate && (f->in->opening ? r->read : r->write);
}

static int add_chain(rt_effects *f, const rt_chain *chain)
{
    for (size_t i = 0; i < f->chains.n; i++)
        if (f->chains.v[i].n == chain->n && memcmp(f->chains.v[i].rule, chain->rule, chain->n) == 0)
            return (int)i;
    FL_PUSH(f->a, &f->chains, *chain);
    return (int)f->chains.n - 1;
}

rt_code rt_effect_find(rt_effects *f, const char *path, rt_hits hits, void *ctx, rt_effect *e)
{
    const rt_rules *rs = f->in->rules;
    rt_chain chain = {.n = 0};
    *e = (rt_effect){.path = path, .chain = -1, .all_pass = true};
    for (size_t k = 0; k < rs->n; k++) {
        size_t i = f->in->opening ? rs->n - 1 - k : k;
        const rt_rule *r = &rs->v[i];
        if (!hits(ctx, r))
            continue;
        if (!runs(f, r)) {
            e->idle = r->duplicate ? e->idle : r;
            continue;
        }
        chain.rule[chain.n++] = (uint8_t)i;
        e->all_pass &= f->in->opening ? r->pass_read : r->pass_write;
        if (!e->rule || e->rule->ntags == 0)
            e->rule = r;
    }
    if (chain.n)
        e->chain = add_chain(f, &chain);
    if (f->chains.n > UINT16_MAX)
        return rt_fail(f->err, RT_REFUSED, "subject %s: too many combinations of rules", rs->subject);
    return RT_OK;
}

rt_code rt_effect_refuse(rt_effects *f, const rt_effect *e, const rt_rule *r, const char *why)
{
    return rt_fail(f->err, RT_REFUSED, "subject %s, field %s: rule %s %s", f->in->rules->subject, e->path, r->name,
                   why);
}

rt_code rt_effect_check_idle(rt_effects *f, const rt_effect *e)
{
    if (e->chain >= 0 || !e->idle || f->in->opening)
        return RT_OK;
    const char *why = e->idle->idle ? e->idle->idle : "runs on read alone";
    return rt_effect_refuse(f, e, e->idle, fl_printf(f->a, "%s: the field would be written in clear", why));
}

rt_code rt_effect_not_encryptable(rt_effects *f, const rt_effect *e, const char *kind, bool *fails)
{
    *fails = !f->in->opening && e->all_pass;
    if (f->in->opening || *fails)
        return RT_OK;
    return rt_effect_refuse(
        f, e, e->rule,
        fl_printf(f->a, "would have to encrypt a value of type %s; only string and bytes can be encrypted", kind));
}

rt_code rt_effect_on_record(rt_effects *f, const rt_effect *e)
{
    if (e->chain < 0)
        return RT_OK;
    const rt_chain *chain = &f->chains.v[e->chain];
    for (size_t i = 0; i < chain->n; i++) {
        const rt_rule *r = &f->in->rules->v[chain->rule[i]];
        if (r->ntags)
            return rt_effect_refuse(
                f, e, r,
                "meets a tag on a field that holds records, which clients read differently; tag the fields inside it");
    }
    return RT_OK;
}
