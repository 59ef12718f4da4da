/* avro_path.c: what a path reaches in the tree of types. One walk for written paths and for the list of all leaves. */
#include "schema/path.h"

#include <stdlib.h>
#include <string.h>

/* Bounds of one walk. Types used by name can multiply (40 records with two fields each of the next make 2^40 places),
 * so work, depth and text are counted and the walk stops, saying so. */
#define MAX_VISITS     4000000
#define MAX_STEPS_DOWN 256
#define MAX_PATH       ((size_t)64 << 10)
#define MAX_PATHS_TEXT ((size_t)64 << 20)

typedef struct walk {
    fl_arena *a;
    const parsed_path *path;
    FL_VEC(sch_hit) hits;
    fl_buf text;      /* canonical path of the place */
    uint8_t *entered; /* by type id: how often the place lies inside this record */
    size_t visits, texts;
    unsigned depth;
    bool truncated;
} walk;

typedef struct place {
    path_states at;
    const sch_field *field;
    bool recursive;
} place;

static void visit(walk *w, const sch_type *t, place here);

static void add_hit(walk *w, const sch_type *t, const opened *o, const place *here)
{
    w->texts += w->text.len + 1;
    if (w->hits.n == SCH_MAX_HITS || w->texts > MAX_PATHS_TEXT) {
        w->truncated = true;
        return;
    }
    FL_PUSH(w->a, &w->hits,
            (sch_hit){.path = fl_strndup(w->a, w->text.p, w->text.len),
                      .field = here->field,
                      .type = o->only ? o->only : t,
                      .nullable = o->nullable,
                      .mixed = !o->only,
                      .recursive = here->recursive});
}

/* A union of records alone is no leaf: its branches are walked. One with another branch is a leaf besides. */
static bool is_leaf(const opened *o)
{
    return o->only ? !sch_is_container(o->only) : !o->all_records;
}

/* Goes one step down with `step` appended to the path. */
static void descend(walk *w, const sch_type *t, place below, const char *step)
{
    if (!below.at)
        return;
    if (w->depth == MAX_STEPS_DOWN) {
        w->truncated = true;
        return;
    }
    size_t len = w->text.len;
    bool dot = len && strcmp(step, "[]") != 0;
    if ((!dot || fl_buf_addc(&w->text, '.')) && fl_buf_adds(&w->text, step)) {
        w->depth++;
        visit(w, t, below);
        w->depth--;
    } else {
        w->truncated = true;
    }
    w->text.len = len;
    w->text.p[len] = '\0';
    w->text.full = false;
}

/* A record is entered once more below itself; further down only as far as the path spells it out. */
static void visit_record(walk *w, const sch_type *t, place here)
{
    unsigned times = ++w->entered[t->id];
    if (times > 2)
        here.at = sch_path_shallow(w->path, here.at);
    here.recursive |= times > 1;
    for (size_t i = 0; i < t->nfields && !w->truncated; i++) {
        const sch_field *f = &t->fields[i];
        place below = {sch_path_field(w->path, here.at, f->name), f, here.recursive};
        descend(w, f->type, below, f->name);
    }
    w->entered[t->id]--;
}

static void visit_inside(walk *w, const sch_type *t, place here)
{
    if (t->kind == SCH_RECORD) {
        visit_record(w, t, here);
    } else if (t->kind == SCH_ARRAY) {
        here.at = sch_path_items(w->path, here.at);
        descend(w, t->item, here, "[]");
    } else if (t->kind == SCH_MAP) {
        here.at = sch_path_values(w->path, here.at);
        descend(w, t->item, here, "*");
    }
}

static void visit(walk *w, const sch_type *t, place here)
{
    if (w->truncated)
        return;
    if (++w->visits > MAX_VISITS) {
        w->truncated = true;
        return;
    }
    opened o = sch_open(t);
    if (sch_path_ends(w->path, here.at) && (!w->path->leaves_only || is_leaf(&o)))
        add_hit(w, t, &o, &here);
    if (o.only) {
        visit_inside(w, o.only, here);
        return;
    }
    for (size_t i = 0; i < t->nbranches && !w->truncated; i++)
        visit_inside(w, t->branches[i], here);
}

static void select_all(const sch_schema *s, fl_arena *a, const parsed_path *p, sch_hits *out)
{
    walk w = {.a = a, .path = p, .entered = fl_xcalloc(s->ntypes + 1, 1)};
    fl_buf_init(&w.text, MAX_PATH);
    visit(&w, s->root, (place){.at = sch_path_start(p)});
    fl_buf_free(&w.text);
    free(w.entered);
    *out = (sch_hits){w.hits.v, w.hits.n, w.truncated};
}

sch_path_status sch_select(const sch_schema *s, fl_arena *a, const char *path, sch_hits *out, char message[160])
{
    parsed_path p;
    *out = (sch_hits){0};
    if (!sch_path_parse(a, path, &p, message))
        return SCH_PATH_BAD;
    select_all(s, a, &p, out);
    return SCH_PATH_OK;
}

void sch_leaves(const sch_schema *s, fl_arena *a, sch_hits *out)
{
    parsed_path p;
    sch_path_all(&p);
    select_all(s, a, &p, out);
}
