/* thing.c: what a waiver names: comparing it with what a diagnostic is about, and finding it in the estate. */
#include "compiler/waive/thing.h"

#include <string.h>

#include "compiler/check/previous.h"

fl_thing waive_thing(const est_waiver *w)
{
    bool topic = !strcmp(w->kind, "topic");
    return (fl_thing){w->kind, w->name.s, topic ? w->key ? "key" : "value" : NULL, w->part.s};
}

/* A length before each text, so that no name can look like two. */
const char *waive_key(fl_arena *a, const char *check, const fl_thing *t)
{
    const char *name = t->name ? t->name : "", *side = t->side ? t->side : "", *part = t->part ? t->part : "";
    return fl_printf(a, "%s %s %zu %s %s %d %s", check, t->kind, strlen(name), name, side, t->part != NULL, part);
}

const char *waive_thing_text(fl_arena *a, const fl_thing *t)
{
    bool topic = !strcmp(t->kind, "topic");
    if (!t->name)
        return t->kind;
    return fl_printf(a, "%s %s%s%s%s", t->kind, t->name, t->side && !strcmp(t->side, "key") ? " key" : "",
                     t->part ? topic ? " field " : " property " : "", t->part ? t->part : "");
}

/* ---- does it exist? ---- */

#define MAX_GUESSES 20 /* near misses looked for among all names */

static const char *nearest(const est_waiver *w, const est_text *const *v, size_t n, fl_arena *a)
{
    const char **names = FL_NEW_N(a, const char *, n + 1);
    for (size_t i = 0; i < n; i++)
        names[i] = v[i]->s;
    return fl_nearest(w->name.s, names, n);
}

static void unknown(const est_waiver *w, const char *near, fl_diags *diags)
{
    fl_diag *d = fl_diag_add(diags, "unknown-name", FL_ERROR, w->name.at, "there is no %s `%s`",
                             strcmp(w->kind, "kek") ? w->kind : "KEK", w->name.s);
    if (near)
        fl_diag_help(diags, d, "did you mean `%s`?", near);
}

/* Every thing of an estate begins with its name. */
static bool found(const est_estate *e, const est_waiver *w, const void *thing, const void *all, size_t n,
                  unsigned *guesses, fl_diags *diags)
{
    if (!thing && !e->incomplete)
        unknown(w, (*guesses)++ < MAX_GUESSES ? nearest(w, all, n, diags->arena) : NULL, diags);
    return thing;
}

static void no_field(const est_side *s, const est_waiver *w, fl_diags *diags)
{
    const char *near[1];
    fl_diag *d = fl_diag_add(diags, "no-such-field", FL_ERROR, w->part.at, "the %s of %s has no field %s",
                             est_side_name(s), s->topic->name.s, w->part.s);
    if (sch_nearest(s->schema, diags->arena, w->part.s, near, 1) && *near[0])
        fl_diag_help(diags, d, "the nearest: %s", near[0]);
}

/* The path names one field, and in the spelling that findings have. */
static bool field_exists(const est_side *s, const est_waiver *w, fl_diags *diags)
{
    sch_hits hits = {0};
    char message[160];
    if (!s->schema) {
        if (!est_has_schema(s))
            fl_diag_add(diags, "no-such-field", FL_ERROR, w->part.at, "the %s of %s is %s and has no fields",
                        est_side_name(s), s->topic->name.s, est_format_name(s->format));
        return false; /* else the schema is refused (reported) */
    }
    if (sch_select(s->schema, diags->arena, w->part.s, &hits, message) == SCH_PATH_BAD) {
        fl_diag_add(diags, "syntax", FL_ERROR, w->part.at, "%s", message);
        return false;
    }
    for (size_t i = 0; i < hits.n; i++)
        if (!strcmp(hits.v[i].path, w->part.s))
            return true;
    if (!hits.n) {
        no_field(s, w, diags);
        return false;
    }
    fl_diag *d =
        fl_diag_add(diags, "syntax", FL_ERROR, w->part.at, "a waiver names one field, not what %s matches", w->part.s);
    fl_diag_help(diags, d, "write %s", hits.v[0].path);
    return false;
}

bool waive_thing_exists(const est_estate *e, const est_waiver *w, unsigned *guesses, fl_diags *diags)
{
    if (!strcmp(w->kind, "platform"))
        return true;
    if (!w->name.s) /* a variable that cannot be told (reported) */
        return false;
    if (!strcmp(w->kind, "kek"))
        return found(e, w, est_find_kek(e, w->name.s), e->keks.v, e->keks.n, guesses, diags);
    if (!strcmp(w->kind, "connector"))
        return found(e, w, est_find_connector(e, w->name.s), e->connectors.v, e->connectors.n, guesses, diags);
    const est_topic *t = est_find_topic(e, w->name.s);
    if (!t && !w->part.s && e->previous && prev_find_side(e->previous, w->name.s, w->key))
        return true; /* a topic that is gone */
    return found(e, w, t, e->topics.v, e->topics.n, guesses, diags) &&
           (!w->part.s || field_exists(w->key ? &t->key : &t->value, w, diags));
}
