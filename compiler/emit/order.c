/* order.c: the order of registration: a subject comes behind those that it refers to. */
#include "compiler/emit/emit.h"

typedef struct walk {
    emit *m;
    emit_nodes all, done;
    bool *seen;
} walk;

static void visit(walk *w, size_t i)
{
    const emit_node *n = &w->all.list.v[i];
    if (w->seen[i])
        return;
    w->seen[i] = true;
    const est_ref *refs = n->subject ? n->subject->refs.v : n->side->refs.v;
    size_t nrefs = n->subject ? n->subject->refs.n : n->side->refs.n;
    for (size_t r = 0; r < nrefs; r++)
        for (size_t j = 0; j < w->all.list.n; j++) {
            const emit_node *to = &w->all.list.v[j];
            if ((refs[r].target && to->subject == refs[r].target) ||
                (refs[r].side_target && to->side == refs[r].side_target))
                visit(w, j);
        }
    FL_PUSH(w->m->arena, &w->done.list, *n);
}

static void add_side(walk *w, const est_side *s)
{
    if (est_has_schema(s))
        FL_PUSH(w->m->arena, &w->all.list, (emit_node){.side = s});
}

emit_nodes emit_registration_order(emit *m)
{
    walk w = {.m = m};
    for (size_t i = 0; i < m->e->subjects.n; i++)
        FL_PUSH(m->arena, &w.all.list, (emit_node){.subject = m->e->subjects.v[i]});
    for (size_t i = 0; i < m->e->topics.n; i++) {
        add_side(&w, &m->e->topics.v[i]->key);
        add_side(&w, &m->e->topics.v[i]->value);
    }
    w.seen = FL_NEW_N(m->arena, bool, w.all.list.n + 1);
    for (size_t i = 0; i < w.all.list.n; i++)
        visit(&w, i);
    return w.done;
}
