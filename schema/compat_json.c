/* compat_json.c: does an updated JSON Schema take all that its original took? After the vendor's
 * io.confluent.kafka.schemaregistry.json.diff (SchemaDiff and CombinedSchemaDiff), with its names for what is wrong.
 * Like it, this judges a change by kind, not by mathematics: a change that it cannot prove harmless is refused. */
#include "schema/compat_json.h"

#include <stdlib.h>
#include <string.h>

static sch_place place(const jv *v, const char *keyword)
{
    if (!v || v->in->name)
        return (sch_place){0}; /* in a reference's text */
    const fl_json *part = keyword ? fl_json_get(v->node, keyword) : NULL;
    return sch_place_of(part ? part : v->node);
}

bool jv_wrong(jv_comparison *x, const char *type, const jv *original, const jv *update, const sch_trail *at,
              const char *keyword, bool loud, const char *fmt, ...)
{
    if (!loud)
        return false;
    va_list ap;
    va_start(ap, fmt);
    const char *message = fl_vprintf(x->c->arena, fmt, ap);
    va_end(ap);
    sch_trail here = {at, keyword, 0};
    sch_compare_report(x->c, type, sch_trail_text(keyword ? &here : at, x->c->arena, "#/"), place(update, keyword),
                       place(original, keyword), "%s", message);
    return false;
}

/* ---- combinations ---- */

typedef struct matching {
    size_t n, m;
    const unsigned char *fits; /* n rows of m */
    size_t *of;                /* by column: the row it is matched with, or n */
    unsigned char *tried;      /* columns of this round */
} matching;

static bool augment(jv_comparison *x, matching *g, size_t row)
{
    for (size_t i = 0; i < g->m && sch_compare_step(x->c); i++) {
        if (!g->fits[row * g->m + i] || g->tried[i])
            continue;
        g->tried[i] = 1;
        if (g->of[i] == g->n || augment(x, g, g->of[i])) {
            g->of[i] = row;
            return true;
        }
    }
    return false;
}

/* The size of a greatest matching of rows with columns that fit, and a row that has none in *left. */
static size_t match(jv_comparison *x, matching *g, size_t *left)
{
    size_t size = 0;
    g->of = FL_NEW_N(x->c->arena, size_t, g->m + 1);
    g->tried = FL_NEW_N(x->c->arena, unsigned char, g->m + 1);
    for (size_t i = 0; i < g->m; i++)
        g->of[i] = g->n;
    for (size_t row = 0; row < g->n && sch_compare_spend(x->c, g->m); row++) {
        memset(g->tried, 0, g->m);
        if (augment(x, g, row))
            size++;
        else
            *left = row;
    }
    return size;
}

static uint64_t view_hash(jv_comparison *x, jv *v)
{
    if (!v->hash)
        v->hash = jv_hash(x, v->node) * 31 + v->kind * 2 + v->integer + 1;
    return v->hash;
}

typedef struct member {
    jv *v;
    uint64_t hash;
    size_t at; /* its place in the list without those that are there twice */
} member;

/* The members of a combination, each content once. */
static member *members(jv_comparison *x, const jv *v, size_t *n)
{
    member *list = FL_NEW_N(x->c->arena, member, v->sub.n + 1);
    *n = 0;
    for (size_t i = 0; i < v->sub.n; i++) {
        jv *sub = (jv *)v->sub.v[i];
        uint64_t h = view_hash(x, sub);
        size_t k = 0;
        if (!sch_compare_spend(x->c, *n / 16 + 1))
            break;
        while (k < *n &&
               (list[k].hash != h || list[k].v->kind != sub->kind || !jv_equal(x, list[k].v->node, sub->node)))
            k++;
        if (k == *n)
            list[(*n)++] = (member){sub, h, k};
    }
    return list;
}

/* May the combination's word change? anyOf takes what any of them took; the others only what is one schema. */
static const char *criterion_name(const jv *v)
{
    static const char *const names[] = {"allOf", "anyOf", "oneOf"};
    return names[v->criterion];
}

static bool criteria_fit(const jv *original, const jv *update)
{
    if (original->criterion == update->criterion || update->criterion == JV_ANY_OF)
        return true;
    return original->sub.n == 1 && (update->criterion == JV_ONE || update->sub.n == 1);
}

static bool sizes_fit(jv_comparison *x, jv *original, jv *update, size_t n, size_t m, const sch_trail *at, bool loud)
{
    if (update->criterion == JV_ALL && n < m)
        return jv_wrong(x, "PRODUCT_TYPE_EXTENDED", original, update, at, NULL, loud,
                        "the `allOf` has %zu members now and had %zu: what was written need not fulfil the new ones", m,
                        n);
    if (update->criterion != JV_ALL && n > m)
        return jv_wrong(x, "SUM_TYPE_NARROWED", original, update, at, NULL, loud,
                        "the `%s` has %zu members now and had %zu: what fulfilled the others is not taken any more",
                        criterion_name(update), m, n);
    return true;
}

static bool combinations_fit(jv_comparison *x, jv *original, jv *update, const sch_trail *at, bool loud)
{
    if (!criteria_fit(original, update))
        return jv_wrong(x, "COMBINED_TYPE_CHANGED", original, update, at, NULL, loud,
                        "`%s` became `%s`, which does not take all that the first took", criterion_name(original),
                        criterion_name(update));
    matching g = {0};
    member *mine = members(x, original, &g.n), *theirs = members(x, update, &g.m);
    bool ok = sizes_fit(x, original, update, g.n, g.m, at, loud);
    if (!sch_compare_spend(x->c, g.n * g.m))
        return false;
    unsigned char *fits = FL_NEW_N(x->c->arena, unsigned char, g.n *g.m + 1);
    for (size_t i = 0; i < g.n; i++)
        for (size_t k = 0; k < g.m; k++)
            fits[i * g.m + k] = jv_fits(x, mine[i].v, theirs[k].v, NULL, false);
    g.fits = fits;
    size_t left = 0;
    if (match(x, &g, &left) < (g.n < g.m ? g.n : g.m))
        ok = jv_wrong(x, "COMBINED_TYPE_SUBSCHEMAS_CHANGED", original, update, at, NULL, loud,
                      "no member of the new `%s` takes what member %zu of the old `%s`, %s, took",
                      criterion_name(update), left, criterion_name(original), jv_kind_name(mine[left].v));
    return ok;
}

/* One schema against a combination that has become of it. */
static bool fits_some(jv_comparison *x, jv *original, const jv *update)
{
    if (update->criterion == JV_ALL && update->sub.n != 1)
        return false;
    for (size_t i = 0; i < update->sub.n; i++)
        if (jv_fits(x, original, (jv *)update->sub.v[i], NULL, false))
            return true;
    return false;
}

/* A combination that has become one schema: what fulfilled all members fulfilled each. */
static bool some_fits(jv_comparison *x, const jv *original, jv *update)
{
    if (original->criterion != JV_ALL && original->sub.n != 1)
        return false;
    for (size_t i = 0; i < original->sub.n; i++)
        if (jv_fits(x, (jv *)original->sub.v[i], update, NULL, false))
            return true;
    return false;
}

/* ---- all ---- */

static bool not_fits(jv_comparison *x, jv *original, jv *update, const sch_trail *at, bool loud)
{
    jv *old = jv_of(x, original, fl_json_get(original->node, "not"));
    jv *new = jv_of(x, update, fl_json_get(update->node, "not"));
    return jv_fits(x, new, old, NULL, false) ||
           jv_wrong(x, "NOT_TYPE_EXTENDED", original, update, at, "not", loud, "the `not` refuses more than it did");
}

static bool same_kind_fits(jv_comparison *x, jv *original, jv *update, const sch_trail *at, bool loud)
{
    switch (original->kind) {
    case JV_STRING:
        return jv_strings_fit(x, original, update, at, loud);
    case JV_NUMBER:
        return jv_numbers_fit(x, original, update, at, loud);
    case JV_OBJECT:
        return jv_objects_fit(x, original, update, at, loud);
    case JV_ARRAY:
        return jv_arrays_fit(x, original, update, at, loud);
    case JV_ENUM:
    case JV_CONST:
        return jv_enums_fit(x, original, update, at, loud);
    case JV_NOT:
        return not_fits(x, original, update, at, loud);
    case JV_COMBINED:
        return combinations_fit(x, original, update, at, loud);
    default:
        return true;
    }
}

static bool fits_now(jv_comparison *x, jv *original, jv *update, const sch_trail *at, bool loud)
{
    if (original->kind != JV_COMBINED && update->kind == JV_COMBINED && fits_some(x, original, update))
        return true;
    if (original->kind == JV_COMBINED && update->kind != JV_COMBINED && some_fits(x, original, update))
        return true;
    if (original->kind == update->kind)
        return same_kind_fits(x, original, update, at, loud);
    return original->kind == JV_FALSE || update->kind == JV_ANY ||
           jv_wrong(x, "TYPE_CHANGED", original, update, at, NULL, loud, "the type was %s and is %s",
                    jv_kind_name(original), jv_kind_name(update));
}

bool jv_fits(jv_comparison *x, jv *original, jv *update, const sch_trail *at, bool loud)
{
    if (!update)
        return true;
    if (!original)
        return jv_wrong(x, "SCHEMA_ADDED", NULL, update, at, NULL, loud,
                        "there is a schema where everything was taken");
    if (!sch_compare_step(x->c))
        return false;
    sch_pair *p = sch_pair_at(&x->pairs, x->c->arena, original, update);
    if (p->state == SCH_PAIR_OPEN || p->state == SCH_PAIR_FITS)
        return true;
    if (p->state == SCH_PAIR_TOLD || (p->state == SCH_PAIR_QUIET && !loud))
        return false;
    if (x->depth == SCH_COMPAT_DEPTH) {
        sch_compare_undecided(x->c);
        return false;
    }
    p->state = SCH_PAIR_OPEN;
    x->depth++;
    bool ok = fits_now(x, original, update, at, loud);
    x->depth--;
    sch_pair_at(&x->pairs, x->c->arena, original, update)->state = ok     ? SCH_PAIR_FITS
                                                                   : loud ? SCH_PAIR_TOLD
                                                                          : SCH_PAIR_QUIET;
    return ok;
}

void sch_json_compare(sch_compare *c)
{
    jv_comparison x = {.c = c};
    jv *original = jv_root(&x, &x.sides[0], c->writer);
    jv *update = jv_root(&x, &x.sides[1], c->reader);
    jv_fits(&x, original, update, NULL, true);
}
