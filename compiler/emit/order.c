/* order.c: the order of registration: a subject comes behind those that it refers to. */
#include "compiler/emit/emit.h"

typedef struct walk {
    emit *m;
    emit_nodes all, done;
    fl_map *index; /* registry name to 1 + place in `all` */
    bool *seen;
} walk;

static const char *name_of(const emit_node *n)
{
    return n->subject ? n->subject->name.s : n->side->subject;
}

static void visit(walk *w, size_t i)
{
    const emit_node *n = &w->all.list.v[i];
    if (w->seen[i])
        return;
    w->seen[i] = true;
    const est_ref *refs = n->subject ? n->subject->refs.v : n->side->refs.v;
    size_t nrefs = n->subject ? n->subject->refs.n : n->side->refs.n;
    for (size_t r = 0; r < nrefs; r++) {
        size_t to = (size_t)(uintptr_t)fl_map_get(w->index, refs[r].subject.s);
        if (to)
            visit(w, to - 1);
    }
    FL_PUSH(w->m->arena, &w->done.list, *n);
}

static void add(walk *w, emit_node n)
{
    FL_PUSH(w->m->arena, &w->all.list, n);
    fl_map_put(w->index, name_of(&n), (void *)(uintptr_t)w->all.list.n);
}

static void add_side(walk *w, const est_side *s)
{
    if (est_has_schema(s))
        add(w, (emit_node){.side = s});
}

emit_nodes emit_registration_order(emit *m)
{
    walk w = {.m = m, .index = fl_map_new()};
    for (size_t i = 0; i < m->e->subjects.n; i++)
        add(&w, (emit_node){.subject = m->e->subjects.v[i]});
    for (size_t i = 0; i < m->e->topics.n; i++) {
        add_side(&w, &m->e->topics.v[i]->key);
        add_side(&w, &m->e->topics.v[i]->value);
    }
    w.seen = FL_NEW_N(m->arena, bool, w.all.list.n + 1);
    for (size_t i = 0; i < w.all.list.n; i++)
        visit(&w, i);
    fl_map_free(w.index);
    return w.done;
}
