/* waive.c: which waivers count, what they silence, and which silence nothing. */
#include "compiler/waive/waive.h"

#include <string.h>

#include "compiler/check/check.h"
#include "compiler/waive/thing.h"

/* ---- waivers that are wrong in themselves ---- */

static void unknown_check(const est_waiver *w, fl_diags *diags)
{
    size_t n;
    const chk_row *rows = chk_rows(&n);
    const char **names = FL_NEW_N(diags->arena, const char *, n + 1);
    for (size_t i = 0; i < n; i++)
        names[i] = rows[i].name;
    fl_diag *d = fl_diag_add(diags, "unknown-name", FL_ERROR, w->check.at, "there is no check `%s`", w->check.s);
    const char *near = fl_nearest(w->check.s, names, n);
    if (near)
        fl_diag_help(diags, d, "did you mean `%s`?", near);
    else
        fl_diag_help(diags, d, "docs/checks/README.md lists them; a finding shows the name of its check in brackets");
}

static void never_waived(const est_waiver *w, fl_diags *diags)
{
    fl_diag *d = fl_diag_add(diags, "syntax", FL_ERROR, w->check.at, "`%s` cannot be waived", w->check.s);
    fl_diag_help(diags, d, "`flec explain %s` says what to do about its findings", w->check.s);
}

static void needs_end(const est_estate *e, const est_waiver *w, fl_diags *diags)
{
    char day[11];
    fl_diag *d = fl_diag_add(diags, "expired-waiver", FL_ERROR, w->at,
                             "`%s` guards plaintext or availability, and this waiver of it has no end", w->check.s);
    fl_date_print(e->today + 90, day);
    fl_diag_help(diags, d, "add a last day behind the reason, as `until %s`", day);
}

static void past_its_day(const est_waiver *w, fl_diags *diags)
{
    fl_diag *d = fl_diag_add(diags, "expired-waiver", FL_ERROR, w->until.at, "this waiver of `%s` ended with %s",
                             w->check.s, w->until.s);
    fl_diag_help(diags, d, "mend what it was about and take it out, or decide again and write a later day");
}

/* What is compared with a previous build cannot be judged without one: such a waiver waits. */
static bool waits(const est_estate *e, const est_waiver *w)
{
    return !e->previous && w->check.s &&
           (!strncmp(w->check.s, "evolution-", 10) || !strcmp(w->check.s, "incompatible-schema"));
}

/* A finding speaks of it, so the thing was there: in the previous build, if no longer in the policy. */
static bool is_found(const est_estate *e, const est_waiver *w, const fl_map *found)
{
    const fl_thing thing = waive_thing(w);
    return fl_map_get(found, waive_key(e->arena, w->check.s, &thing));
}

/* Does it count? Else one thing is said of it. */
static bool counts(const est_estate *e, const est_waiver *w, const fl_map *found, unsigned *guesses, fl_diags *diags)
{
    const chk_row *row = w->check.s ? chk_find(w->check.s) : NULL;
    int64_t day;
    if (!w->check.s)
        return false;
    if (!row)
        unknown_check(w, diags);
    else if (row->waiver == CHK_NEVER)
        never_waived(w, diags);
    else if (!waits(e, w) && !is_found(e, w, found) && !waive_thing_exists(e, w, guesses, diags))
        return false;
    else if (row->waiver == CHK_DATED && !w->until.s)
        needs_end(e, w, diags);
    else if (w->until.s && fl_date_parse(w->until.s, &day) && day < e->today)
        past_its_day(w, diags);
    else
        return true;
    return false;
}

/* What the diagnostics are about. A whole topic is named as its value is: without `key`. */
static const char *diag_key(fl_arena *a, const fl_diag *d)
{
    fl_thing thing = d->about;
    if (!strcmp(thing.kind, "topic") && !thing.side)
        thing.side = "value";
    return waive_key(a, d->check, &thing);
}

static fl_map *things_found(const est_estate *e, fl_diags *diags)
{
    fl_map *all = fl_map_new();
    for (size_t i = 0; i < diags->list.n; i++)
        if (diags->list.v[i]->about.kind)
            fl_map_put(all, diag_key(e->arena, diags->list.v[i]), diags->list.v[i]);
    return all;
}

void waive_judge(est_estate *e, fl_diags *diags)
{
    unsigned guesses = 0;
    if (!e->waivers.n)
        return;
    fl_map *found = things_found(e, diags);
    for (size_t i = 0; i < e->waivers.n; i++)
        e->waivers.v[i]->refused = !counts(e, e->waivers.v[i], found, &guesses, diags);
    fl_map_free(found);
}

/* ---- silencing ---- */

/* Check and thing to waiver; of two that say the same the first counts. */
static fl_map *by_key(const est_estate *e)
{
    fl_map *all = fl_map_new();
    for (size_t i = 0; i < e->waivers.n; i++) {
        est_waiver *w = e->waivers.v[i];
        const fl_thing thing = waive_thing(w);
        const char *key = w->refused ? NULL : waive_key(e->arena, w->check.s, &thing);
        if (key && !fl_map_get(all, key))
            fl_map_put(all, key, w);
    }
    return all;
}

static est_waiver *waiver_of(const fl_map *all, const fl_diag *d, fl_arena *a)
{
    const chk_row *row = d->about.kind ? chk_find(d->check) : NULL;
    return row && row->waiver != CHK_NEVER ? fl_map_get(all, diag_key(a, d)) : NULL;
}

void waive_apply(est_estate *e, fl_diags *diags)
{
    size_t kept = 0;
    if (!e->waivers.n)
        return;
    fl_map *all = by_key(e);
    for (size_t i = 0; i < diags->list.n; i++) {
        fl_diag *d = diags->list.v[i];
        est_waiver *w = fl_map_count(all) ? waiver_of(all, d, e->arena) : NULL;
        if (!w) {
            diags->list.v[kept++] = d;
            continue;
        }
        w->used = true;
        if (d->severity == FL_ERROR)
            diags->errors--;
        else
            diags->warnings--;
        FL_PUSH(diags->arena, &diags->waived, (fl_waived){d, w->at, w->reason.s ? w->reason.s : ""});
    }
    diags->list.n = kept;
    fl_map_free(all);
}

/* One waiver may silence several findings, and in several environments: it is one by its place and what it names. */
static const char *identity(fl_arena *a, fl_span at, const char *names)
{
    return fl_printf(a, "%zu %s %u %s", strlen(at.src->name), at.src->name, at.from, names);
}

size_t waive_in_force(const fl_diags *diags)
{
    fl_map *seen = fl_map_new();
    for (size_t i = 0; i < diags->waived.n; i++) {
        const fl_waived *w = &diags->waived.v[i];
        const char *key = waive_key(diags->arena, w->diag->check, &w->diag->about);
        fl_map_put(seen, identity(diags->arena, w->at, key), (void *)w);
    }
    size_t n = fl_map_count(seen);
    fl_map_free(seen);
    return n;
}

/* ---- unused-waiver ---- */

/* Findings by check and thing, whatever the part of it: what an unused waiver meant, probably. */
static const char *whole_key(fl_arena *a, const char *check, const char *kind, const char *name)
{
    return waive_key(a, check, &(fl_thing){.kind = kind, .name = name});
}

static fl_map *by_whole(const fl_diags *diags)
{
    fl_map *all = fl_map_new();
    for (size_t i = 0; i < diags->list.n; i++) {
        fl_diag *d = diags->list.v[i];
        const char *key = d->about.kind ? whole_key(diags->arena, d->check, d->about.kind, d->about.name) : NULL;
        if (key && !fl_map_get(all, key))
            fl_map_put(all, key, d);
    }
    return all;
}

typedef struct silent { /* what is known of waivers that silence nothing */
    fl_diags *diags;
    fl_map *settled; /* by place: used somewhere, or reported */
    fl_map *used;    /* by check and thing */
    fl_map *near;    /* see by_whole; made when it is needed */
} silent;

static fl_diag *report_unused(const silent *x, const est_waiver *w, const char *thing, const char *key)
{
    const est_waiver *twin = fl_map_get(x->used, key);
    const fl_diag *near = fl_map_get(x->near, whole_key(x->diags->arena, w->check.s, w->kind, w->name.s));
    if (twin) {
        fl_diag *d = fl_diag_add(x->diags, "unused-waiver", FL_WARNING, w->at, "`%s` is waived already on %s",
                                 w->check.s, thing);
        fl_diag_relate(x->diags, d, twin->at, "here");
        fl_diag_help(x->diags, d, "take one of the two out");
        return d;
    }
    fl_diag *d = fl_diag_add(x->diags, "unused-waiver", FL_WARNING, w->at, "`%s` finds nothing on %s%s", w->check.s,
                             near && !w->part.s && near->about.part ? "the whole of " : "", thing);
    if (near) {
        fl_diag_relate(x->diags, d, near->span, "it finds this");
        fl_diag_help(x->diags, d, "name what the finding is about: `allow %s on %s …`", w->check.s,
                     waive_thing_text(x->diags->arena, &near->about));
    } else {
        fl_diag_help(x->diags, d, "take the waiver out");
    }
    return d;
}

static void unused(silent *x, const est_waiver *w, const char *environment)
{
    const fl_thing thing = waive_thing(w);
    x->near = x->near ? x->near : by_whole(x->diags);
    fl_diag *d =
        report_unused(x, w, waive_thing_text(x->diags->arena, &thing), waive_key(x->diags->arena, w->check.s, &thing));
    if (environment) {
        d->environments = FL_NEW_N(x->diags->arena, const char *, 2);
        d->environments[0] = environment;
    }
}

static const char *waiver_identity(const est_waiver *w, fl_arena *a)
{
    const fl_thing thing = waive_thing(w);
    return identity(a, w->at, waive_key(a, w->check.s, &thing));
}

static void settle(silent *x, const est_estate *e)
{
    for (size_t k = 0; k < e->waivers.n; k++) {
        const est_waiver *w = e->waivers.v[k];
        if (!w->check.s || !(w->used || w->refused || e->incomplete || waits(e, w)))
            continue;
        const fl_thing thing = waive_thing(w);
        fl_map_put(x->settled, waiver_identity(w, x->diags->arena), (void *)w);
        if (w->used)
            fl_map_put(x->used, waive_key(x->diags->arena, w->check.s, &thing), (void *)w);
    }
}

void waive_unused(const est_estate *const *all, size_t n, fl_diags *diags)
{
    bool complete = n && n >= all[0]->environments.n;
    silent x = {.diags = diags, .settled = fl_map_new(), .used = fl_map_new()};
    for (size_t i = 0; i < n; i++)
        settle(&x, all[i]);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < all[i]->waivers.n; k++) {
            const est_waiver *w = all[i]->waivers.v[k];
            if (w->check.s && (complete || w->in_environment) &&
                !fl_map_put(x.settled, waiver_identity(w, diags->arena), (void *)w))
                unused(&x, w, w->in_environment ? all[i]->environment : NULL);
        }
    fl_map_free(x.settled);
    fl_map_free(x.used);
    fl_map_free(x.near);
}
