/* select.c: what a path reaches in the tree of types, whatever the format. One walk for written paths, for the list of
 * all leaves, and for the way to one of them. */
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
    FL_VEC(sch_hit) hits; /* from malloc: it grows, and what is made of it does not */
    fl_buf text;          /* canonical path of the place */
    uint8_t *entered;     /* by type id: how often the place lies inside this record */
    size_t visits, texts;
    unsigned depth;
    bool truncated, split;
    const sch_hit *wanted; /* only this one is looked for */
    sch_step *way;         /* then: the steps of the place, MAX_STEPS_DOWN */
    bool found;
} walk;

typedef struct place {
    path_states at;
    const sch_field *field;
    const char *unwalked;
    bool recursive, in_recursion;
} place;

static void visit(walk *w, const sch_type *t, place here);

static void add_hit(walk *w, const sch_type *t, const opened *o, const place *here)
{
    if (w->wanted) {
        w->found = w->wanted->field == here->field && w->wanted->type == (o->only ? o->only : t) &&
                   !strcmp(w->wanted->path, w->text.p);
        return;
    }
    w->texts += w->text.len + 1;
    if (w->hits.n == SCH_MAX_HITS || w->texts > MAX_PATHS_TEXT) {
        w->truncated = true;
        return;
    }
    if (w->hits.n == w->hits.cap) {
        w->hits.cap = w->hits.cap ? w->hits.cap * 2 : 16;
        w->hits.v = fl_xrealloc(w->hits.v, w->hits.cap * sizeof *w->hits.v);
    }
    w->hits.v[w->hits.n++] = (sch_hit){.path = fl_strndup(w->a, w->text.p, w->text.len),
                                       .field = here->field,
                                       .type = o->only ? o->only : t,
                                       .nullable = o->nullable,
                                       .mixed = !o->only,
                                       .recursive = here->recursive,
                                       .in_recursion = here->in_recursion,
                                       .unwalked = here->unwalked};
}

/* A union of records alone is no leaf: its branches are walked. One with another branch is a leaf besides. */
static bool is_leaf(const opened *o)
{
    return o->only ? !sch_is_container(o->only) : !o->all_records;
}

/* A name as a path spells it: in double quotes unless it is a word. */
static bool add_name(fl_buf *out, const char *name)
{
    bool word = *name;
    for (const char *c = name; *c && word; c++)
        word = sch_path_is_word(*c);
    if (word)
        return fl_buf_adds(out, name);
    fl_buf_addc(out, '"');
    for (const char *c = name; *c; c++) {
        if (*c == '"' || *c == '\\')
            fl_buf_addc(out, '\\');
        fl_buf_addc(out, *c);
    }
    return fl_buf_addc(out, '"');
}

static bool add_step(fl_buf *out, const sch_step *step)
{
    if (step->in->kind == SCH_ARRAY)
        return fl_buf_adds(out, "[]");
    if (out->len && !fl_buf_addc(out, '.'))
        return false;
    return step->field ? add_name(out, step->field->name) : fl_buf_addc(out, '*');
}

/* Looking for one hit: does the place lie on the way to it? */
static bool leads_on(const walk *w)
{
    const char *path = w->wanted->path;
    size_t n = w->text.len;
    return !strncmp(path, w->text.p, n) && (!path[n] || path[n] == '.' || path[n] == '[');
}

/* Goes one step down. */
static void descend(walk *w, sch_step step, place below)
{
    if (!below.at || w->found)
        return;
    if (w->depth == MAX_STEPS_DOWN) {
        w->truncated = true;
        return;
    }
    size_t len = w->text.len;
    if (!add_step(&w->text, &step)) {
        w->truncated = true;
    } else if (!w->wanted || leads_on(w)) {
        if (w->way)
            w->way[w->depth] = step;
        w->depth++;
        visit(w, step.to, below);
        w->depth -= !w->found;
    }
    w->text.len = len;
    w->text.p[len] = '\0';
    w->text.full = false;
}

/* The same for a field, before any text is made: can its name come next? */
static bool may_lead(const walk *w, const char *name)
{
    const char *next = w->wanted->path + w->text.len;
    if (w->text.len && *next++ != '.')
        return false;
    return *next == '"' || !strncmp(next, name, strlen(name));
}

/* A record is entered once more below itself; further down only as far as the path spells it out. */
static void visit_record(walk *w, const sch_type *t, place here)
{
    unsigned times = ++w->entered[t->id];
    if (times > 2 && !w->wanted)
        here.at = sch_path_shallow(w->path, here.at);
    here.recursive |= times > 1;
    here.in_recursion |= t->recursive;
    for (size_t i = 0; i < t->nfields && !w->truncated && !w->found; i++) {
        const sch_field *f = &t->fields[i];
        if (w->wanted && !may_lead(w, f->name))
            continue;
        place below = here;
        below.at = sch_path_field(w->path, here.at, f->name);
        below.field = f;
        if (!below.unwalked)
            below.unwalked = f->unwalked;
        descend(w, (sch_step){t, f, f->type}, below);
    }
    w->entered[t->id]--;
}

static void visit_inside(walk *w, const sch_type *t, place here)
{
    if (t->kind == SCH_RECORD) {
        visit_record(w, t, here);
        return;
    }
    if (t->kind != SCH_ARRAY && t->kind != SCH_MAP)
        return;
    here.at = t->kind == SCH_ARRAY ? sch_path_items(w->path, here.at) : sch_path_values(w->path, here.at);
    if (!here.unwalked)
        here.unwalked = t->item_unwalked;
    descend(w, (sch_step){t, NULL, t->item}, here);
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
    if (w->found)
        return;
    if (o.only) {
        visit_inside(w, o.only, here);
        return;
    }
    w->split = true;
    for (size_t i = 0; i < t->nbranches && !w->truncated && !w->found; i++)
        visit_inside(w, t->branches[i], here);
}

static void select_all(const sch_schema *s, fl_arena *a, const parsed_path *p, sch_hits *out)
{
    walk w = {.a = a, .path = p, .entered = fl_xcalloc(s->ntypes + 1, 1)};
    fl_buf_init(&w.text, MAX_PATH);
    visit(&w, s->root, (place){.at = sch_path_start(p)});
    fl_buf_free(&w.text);
    free(w.entered);
    *out = (sch_hits){.n = w.hits.n, .truncated = w.truncated, .split = w.split};
    if (out->n) {
        out->v = FL_NEW_N(a, sch_hit, out->n);
        memcpy(out->v, w.hits.v, out->n * sizeof *out->v);
    }
    free(w.hits.v);
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

size_t sch_way(const sch_schema *s, fl_arena *a, const sch_hit *h, const sch_step **out)
{
    static const parsed_path anywhere = {.v = {{.kind = STEP_DEEP}}, .n = 1};
    sch_step way[MAX_STEPS_DOWN];
    walk w = {.a = a, .path = &anywhere, .entered = fl_xcalloc(s->ntypes + 1, 1), .wanted = h, .way = way};
    fl_buf_init(&w.text, MAX_PATH);
    fl_buf_reserve(&w.text, 1);
    visit(&w, s->root, (place){.at = sch_path_start(&anywhere)});
    size_t n = w.found ? w.depth : 0;
    sch_step *steps = FL_NEW_N(a, sch_step, n + 1);
    if (n)
        memcpy(steps, way, n * sizeof *steps);
    *out = steps;
    fl_buf_free(&w.text);
    free(w.entered);
    return n;
}
