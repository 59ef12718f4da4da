/* references.c: which schema refers to which: targets, and what all a schema needs before it. */
#include <string.h>

#include "compiler/resolve/resolve.h"

#define MAX_CLOSURE 1000 /* schemas that one refers to, directly or not */
#define MAX_CHAIN   200  /* schemas that refer to one another in a row; bounds the depth of calls */

/* ---- nodes ---- */

const char *res_node_name(const res_node *n)
{
    return n->subject ? n->subject->name.s : n->side->subject;
}

fl_span res_node_at(const res_node *n)
{
    return n->subject ? n->subject->at : n->side->at;
}

const est_text *res_node_path(const res_node *n)
{
    return n->subject ? &n->subject->schema_path : &n->side->schema_path;
}

void res_add_node(res *r, est_subject *subject, est_side *side, res_file *file)
{
    res_node *n = FL_NEW(r->scratch, res_node);
    *n = (res_node){.subject = subject, .side = side, .file = file, .broken = !file || !file->text};
    FL_PUSH(r->scratch, &r->nodes, n);
    const char *name = res_node_name(n);
    const res_node *first = name ? fl_map_get(r->by_subject, name) : NULL;
    if (name && !first)
        fl_map_put(r->by_subject, name, n);
    if (!first)
        return;
    fl_diag *d =
        res_error(r, "duplicate-name", res_node_at(n), "two schemas would be registered as subject `%s`", name);
    fl_diag_relate(r->diags, d, res_node_at(first), "the other");
    fl_diag_help(
        r->diags, d,
        side ? "write `subject topic-name` or `subject topic-record-name` into this %s, or rename one of the two"
             : "rename one of the two%s",
        side ? est_side_name(side) : "");
}

/* ---- statements ---- */

static int version_of(res *r, const lang_stmt *s)
{
    if (!lang_get1(s, "version"))
        return -1;
    int version = res_int(s, "version");
    if (version < 1)
        res_error(r, "syntax", lang_get1(s, "version")->span, "versions of a subject count from 1");
    return version;
}

static est_ref reference(res *r, const lang_stmt *s)
{
    return (est_ref){.name = res_slot(r, s, "name"), .subject = res_slot(r, s, "subject"), .version = version_of(r, s)};
}

res_refs res_references_of(res *r, const lang_block *b, const char *form)
{
    res_refs all = {0};
    fl_map *seen = fl_map_new();
    for (size_t i = 0; b && i < b->n; i++) {
        const lang_stmt *s = b->stmts[i], *first;
        if (!lang_is(s, form))
            continue;
        est_ref ref = reference(r, s);
        first = ref.name.s ? fl_map_put(seen, ref.name.s, (void *)s) : NULL;
        if (first) {
            fl_diag *d = res_error(r, "duplicate-name", ref.name.at, "there are two references `%s`", ref.name.s);
            fl_diag_again(r->diags, d, lang_get1(first, "name")->span);
        } else if (ref.name.s) {
            FL_PUSH(r->a, &all, ref);
        }
    }
    fl_map_free(seen);
    return all;
}

/* ---- targets ---- */

static bool push_name(const char *key, void *value, void *ctx)
{
    const char ***next = ctx;
    *(*next)++ = key;
    return true;
}

static est_format format_of(const res_node *n)
{
    return n->subject ? n->subject->format : n->side->format;
}

/* A registry resolves references within one format. */
static bool same_format(res *r, const res_node *n, const res_node *to, const est_ref *ref)
{
    if (format_of(n) == format_of(to))
        return true;
    fl_diag *d = res_error(r, "syntax", ref->subject.at, "the schema of `%s` is %s, and one of %s cannot refer to it",
                           res_node_name(to), est_format_name(format_of(to)), est_format_name(format_of(n)));
    fl_diag_relate(r->diags, d, res_node_at(to), "this one");
    return false;
}

static res_node *target_of(res *r, est_ref *ref)
{
    res_node *to = ref->subject.s ? fl_map_get(r->by_subject, ref->subject.s) : NULL;
    if (to) {
        ref->target = to->subject;
        ref->side_target = to->side;
    } else if (ref->subject.s) {
        if (!r->subject_names) {
            const char **next = r->subject_names = FL_NEW_N(r->a, const char *, fl_map_count(r->by_subject) + 1);
            fl_map_each(r->by_subject, push_name, &next);
        }
        res_unknown(r, ref->subject.at, "subject", ref->subject.s, r->subject_names, fl_map_count(r->by_subject));
    }
    return to;
}

/* ---- closures ---- */

static void close_over(res *r, res_node *n, size_t depth);

/* The schema that a reference names, with all that it needs itself; NULL if there is none (reported). */
static res_node *follow(res *r, res_node *n, est_ref *ref, size_t depth)
{
    res_node *to = target_of(r, ref);
    if (!to || !same_format(r, n, to, ref))
        return NULL;
    res_proto_reference(r, n, ref);
    if (to->active || depth == MAX_CHAIN) {
        fl_diag *d = res_error(r, "syntax", ref->subject.at,
                               to->active ? "the references of `%s` lead back to it"
                                          : "a chain of references to `%s` is too long",
                               res_node_name(to));
        fl_diag_relate(r->diags, d, res_node_at(to), "this one");
        return NULL;
    }
    if (!to->done)
        close_over(r, to, depth + 1);
    n->broken |= to->broken;
    return to;
}

typedef struct closure {
    res_node **v;
    size_t n, cap;
} closure;

static void add(res *r, res_node *n, closure *all, res_node *what)
{
    if (what->collected == n || all->n > MAX_CLOSURE)
        return;
    what->collected = n;
    if (all->n < MAX_CLOSURE) {
        FL_PUSH(r->a, all, what);
        return;
    }
    if (!n->broken)
        res_error(r, "syntax", res_node_at(n), "it refers to more than %d schemas", MAX_CLOSURE);
    n->broken = true;
}

static void close_over(res *r, res_node *n, size_t depth)
{
    est_ref *refs = n->subject ? n->subject->refs.v : n->side->refs.v;
    size_t nrefs = n->subject ? n->subject->refs.n : n->side->refs.n;
    res_node **to = FL_NEW_N(r->a, res_node *, nrefs);
    closure all = {0};
    n->active = true;
    for (size_t i = 0; i < nrefs; i++)
        to[i] = follow(r, n, &refs[i], depth);
    for (size_t i = 0; i < nrefs; i++) { /* now that nothing else marks what it collects */
        n->broken |= !to[i];
        for (size_t k = 0; to[i] && k < to[i]->nclosure; k++)
            add(r, n, &all, to[i]->closure[k]);
        if (to[i])
            add(r, n, &all, to[i]);
    }
    n->closure = all.v;
    n->nclosure = all.n;
    n->active = false;
    n->done = true;
}

void res_references(res *r)
{
    for (size_t i = 0; i < r->nodes.n; i++)
        if (!r->nodes.v[i]->done)
            close_over(r, r->nodes.v[i], 0);
}
