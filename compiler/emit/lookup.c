/* lookup.c: what steps of tests name: topics, KEKs, connectors, principals, and paths into a topic's sides. */
#include <string.h>

#include "compiler/emit/lower.h"

#define MAX_GUESSES 100

/* ---- names ---- */

static void unknown(lowering *l, fl_span at, const char *kind, const char *name, const char **known, size_t n)
{
    fl_diag *d = fl_diag_add(l->diags, "unknown-name", FL_ERROR, at, "there is no %s %s", kind, name);
    const char *near = fl_nearest(name, known, n);
    l->guesses++;
    if (near)
        fl_diag_help(l->diags, d, "did you mean `%s`?", near);
}

/* None once many were looked for: a search goes through all names there are. */
#define KNOWN_NAMES(l, out, n, vec)                                                                                    \
    for (size_t i_ = 0; (l)->guesses < MAX_GUESSES && i_ < (vec).n; i_++)                                              \
    (out)[(n)++] = (vec).v[i_]->name.s

static const char **room(lowering *l, size_t n)
{
    return FL_NEW_N(l->arena, const char *, l->guesses < MAX_GUESSES ? n + 1 : 1);
}

const char *lower_slot(lowering *l, const lang_stmt *s, const char *slot)
{
    const lang_value *v = lang_get1(s, slot);
    return v ? lower_text(l, &v->name) : NULL;
}

const est_topic *lower_topic(lowering *l, const lang_stmt *s)
{
    const char *name = lower_slot(l, s, "topic");
    const est_topic *t = name ? est_find_topic(l->e, name) : NULL;
    if (t || !name)
        return t;
    const char **names = room(l, l->e->topics.n);
    size_t n = 0;
    KNOWN_NAMES(l, names, n, l->e->topics);
    unknown(l, lang_get1(s, "topic")->span, "topic", name, names, n);
    return NULL;
}

void lower_kek(lowering *l, const lang_value *v)
{
    const char *name = lower_text(l, &v->name);
    if (!name || est_find_kek(l->e, name))
        return;
    const char **names = room(l, l->e->keks.n);
    size_t n = 0;
    KNOWN_NAMES(l, names, n, l->e->keks);
    unknown(l, v->span, "KEK", name, names, n);
}

const est_connector *lower_connector(lowering *l, const lang_stmt *s)
{
    const char *name = lower_slot(l, s, "connector");
    const est_connector *c = name ? est_find_connector(l->e, name) : NULL;
    if (c || !name)
        return c;
    const char **names = room(l, l->e->connectors.n);
    size_t n = 0;
    KNOWN_NAMES(l, names, n, l->e->connectors);
    unknown(l, lang_get1(s, "connector")->span, "connector", name, names, n);
    return NULL;
}

/* ---- paths ---- */

bool lower_is_key(const lang_stmt *s)
{
    const lang_value *side = lang_get1(s, "side");
    return side && !strcmp(side->name.text, "key");
}

void lower_path(lowering *l, const lang_stmt *s, const lang_value *path)
{
    char message[160];
    const char *near[3];
    sch_hits hits;
    const est_side *side = !l->topic ? NULL : lower_is_key(s) ? &l->topic->key : &l->topic->value;
    if (!side)
        return;
    if (!est_has_schema(side)) {
        fl_diag_add(l->diags, "no-such-field", FL_ERROR, path->span, "the %s of %s is %s and has no fields",
                    est_side_name(side), l->topic->name.s, emit_format(side->format));
        return;
    }
    if (!side->schema)
        return; /* reported where the schema is read */
    if (sch_select(side->schema, l->arena, path->name.text, &hits, message) == SCH_PATH_BAD) {
        fl_diag_add(l->diags, "syntax", FL_ERROR, path->span, "%s", message);
        return;
    }
    if (hits.n)
        return;
    fl_diag *d = fl_diag_add(l->diags, "no-such-field", FL_ERROR, path->span, "the %s of %s has no field %s",
                             est_side_name(side), l->topic->name.s, path->name.text);
    size_t n = sch_nearest(side->schema, l->arena, path->name.text, near, 3);
    if (n)
        fl_diag_help(l->diags, d, "the nearest: %s%s%s%s%s", near[0], n > 1 ? ", " : "", n > 1 ? near[1] : "",
                     n > 2 ? ", " : "", n > 2 ? near[2] : "");
}

/* A body that is encrypted whole has no fields on the wire; one that is not has nothing but fields to look at. */
void lower_whole(lowering *l, const lang_stmt *s)
{
    const est_side *side = !l->topic ? NULL : lower_is_key(s) ? &l->topic->key : &l->topic->value;
    const lang_list *list = lang_get(s, "paths");
    fl_diag *d = NULL;
    list = list ? list : lang_get(s, "path");
    if (!side || (list != NULL) != (side->payload != NULL))
        return;
    if (list) {
        d = fl_diag_add(l->diags, "syntax", FL_ERROR, list->span,
                        "the whole %s of %s is encrypted: on the wire it has no fields", est_side_name(side),
                        l->topic->name.s);
        fl_diag_help(l->diags, d, "write `expect on wire %s encrypted`", est_side_name(side));
        fl_diag_relate(l->diags, d, side->payload->at, "encrypted here");
    } else {
        d = fl_diag_add(l->diags, "syntax", FL_ERROR, s->span, "the %s of %s is not encrypted as a whole",
                        est_side_name(side), l->topic->name.s);
        fl_diag_help(l->diags, d, "name the fields: `expect on wire %s PATH, … encrypted`", est_side_name(side));
    }
}

/* They are in order of name. */
static bool known_principal(lowering *l, const char *full)
{
    if (!l->principals) {
        emit_grantees *all = FL_NEW(l->arena, emit_grantees);
        *all = emit_all_grantees(&(emit){.e = l->e, .arena = l->arena});
        l->principals = all;
    }
    size_t from = 0, to = l->principals->list.n;
    while (from < to) {
        size_t mid = from + (to - from) / 2;
        int order = strcmp(full, l->principals->list.v[mid].name);
        if (!order)
            return true;
        if (order < 0)
            to = mid;
        else
            from = mid + 1;
    }
    return false;
}

void lower_principal(lowering *l, fl_span at, const char *full)
{
    if (known_principal(l, full))
        return;
    const char **names = room(l, l->principals->list.n);
    size_t n = 0;
    for (size_t i = 0; l->guesses < MAX_GUESSES && i < l->principals->list.n; i++)
        names[n++] = l->principals->list.v[i].name;
    unknown(l, at, "principal", full, names, n);
}
