/* names.c: names of things: declaring them, finding them, and what is said of one that is not there. */
#include <stdlib.h>
#include <string.h>

#include "compiler/resolve/resolve.h"

/* Names that are looked at for near misses, in all: a policy where nothing is found gets its messages, and soon. */
#define MAX_GUESSES 10000000u

/* ---- messages ---- */

fl_diag *res_error(res *r, const char *check, fl_span at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    const char *text = fl_vprintf(r->a, fmt, ap);
    va_end(ap);
    return fl_diag_add(r->diags, check, FL_ERROR, at, "%s", text);
}

void res_unknown_of(res *r, const char *check, fl_span at, const char *kind, const char *name, const char *const *names,
                    size_t n)
{
    fl_diag *d = res_error(r, check, at, "there is no %s `%s`", kind, name);
    fl_diag_label(r->diags, d, "no such %s", kind);
    bool affordable = n <= MAX_GUESSES && r->guesses <= MAX_GUESSES - n;
    const char *near = affordable ? fl_nearest(name, names, n) : NULL;
    r->guesses += affordable ? n : 0;
    if (near)
        fl_diag_help(r->diags, d, "did you mean `%s`?", near);
}

void res_unknown(res *r, fl_span at, const char *kind, const char *name, const char *const *names, size_t n)
{
    res_unknown_of(r, "unknown-name", at, kind, name, names, n);
}

/* ---- statements and their parts ---- */

void res_each(res *r, const char *form, void (*fn)(res *r, const lang_stmt *s))
{
    for (size_t i = 0; i < r->top.n; i++)
        if (lang_is(r->top.v[i], form))
            fn(r, r->top.v[i]);
}

void res_each_written(res *r, const char *form, void (*fn)(res *r, const lang_stmt *s))
{
    for (size_t i = 0; i < r->shared->files.n; i++) {
        const lang_block *top = r->shared->files.v[i]->top;
        for (size_t k = 0; k < top->n; k++)
            if (lang_is(top->stmts[k], form))
                fn(r, top->stmts[k]);
    }
}

fl_span res_at(const lang_stmt *s)
{
    fl_span at = s->head.span;
    if (s->nlists)
        at.to = s->lists[s->nlists - 1].span.to;
    return at;
}

est_text res_text_of(res *r, const lang_value *v)
{
    return v ? (est_text){est_expand(r->e, &v->name), v->span} : (est_text){0};
}

est_text res_slot(res *r, const lang_stmt *s, const char *slot)
{
    return res_text_of(r, lang_get1(s, slot));
}

est_text res_stated(res *r, const lang_block *b, const char *form, const char *slot)
{
    const lang_stmt *s = lang_find(b, form);
    return s ? res_slot(r, s, slot) : (est_text){0};
}

est_text res_reason(res *r, const lang_stmt *clear)
{
    if (!clear)
        return (est_text){0};
    est_text t = res_slot(r, clear, "reason");
    return (est_text){t.s ? t.s : "", t.at};
}

const lang_block *res_block(const lang_block *b, const char *form)
{
    const lang_stmt *s = lang_find(b, form);
    return s ? s->block : NULL;
}

int res_int(const lang_stmt *s, const char *slot)
{
    return (int)strtol(lang_get1(s, slot)->name.text, NULL, 10); /* lang/ takes nine digits at most */
}

int res_by_text(const void *a, const void *b)
{
    return strcmp(((const est_text *)a)->s, ((const est_text *)b)->s);
}

/* The item that was read before; few are looked through, more (seen) looked up. */
static const est_text *read_before(const res_texts *all, const fl_map *seen, const char *text)
{
    const lang_value *first = seen ? fl_map_get(seen, text) : NULL;
    for (size_t i = 0; i < all->n && (!seen || first); i++)
        if (!strcmp(all->v[i].s, text))
            return &all->v[i];
    return NULL;
}

res_texts res_list(res *r, const lang_list *list, est_text (*read)(res *r, const lang_value *v))
{
    enum { FEW = 16 };
    res_texts all = {0};
    fl_map *seen = list && list->n > FEW ? fl_map_new() : NULL;
    if (list) {
        all.v = FL_NEW_N(r->a, est_text, list->n);
        all.cap = list->n;
    }
    for (size_t i = 0; list && i < list->n; i++) {
        const lang_value *v = &list->items[i];
        est_text t = read(r, v);
        const est_text *first = t.s ? read_before(&all, seen, t.s) : NULL;
        if (first) {
            fl_diag *d = res_error(r, "duplicate-name", t.at, "`%s` stands twice in this list", t.s);
            fl_diag_again(r->diags, d, first->at);
            res_mend_item(r, d, list, i);
        } else if (t.s) {
            if (seen)
                fl_map_put(seen, t.s, (void *)v);
            FL_PUSH(r->a, &all, t);
        }
    }
    fl_map_free(seen);
    return all;
}

/* ---- declarations ---- */

static const struct {
    const char *form, *kind;
} kinds[] = {
    [RES_TAG] = {"top.tag", "tags"},
    [RES_PRINCIPAL] = {"top.principal", "principals"},
    [RES_KEK] = {"top.kek", "KEKs"},
    [RES_TOPIC] = {"top.topic", "topics"},
    [RES_SUBJECT] = {"top.subject", "subjects"},
    [RES_CONNECTOR] = {"top.connector", "connectors"},
};

int res_kind_of(const lang_stmt *s)
{
    for (int k = RES_TAG; k <= RES_CONNECTOR; k++)
        if (lang_is(s, kinds[k].form))
            return k;
    return -1;
}

static const char *pair_text(res *r, const lang_value *v)
{
    const char *type = est_expand(r->e, &v->name), *name = est_expand(r->e, v->second);
    return type && name ? fl_printf(r->a, "%s:%s", type, name) : NULL;
}

static est_text declared_name(res *r, const lang_stmt *s, res_kind kind)
{
    const lang_value *v = lang_get1(s, kind == RES_PRINCIPAL ? "principal" : "name");
    /* `connector NAME : TYPE` is one pair, of which the slot has the first half */
    return kind == RES_PRINCIPAL ? (est_text){pair_text(r, v), v->span} : res_text_of(r, v);
}

static int by_name_and_place(const void *a, const void *b)
{
    const res_decl *x = a, *y = b;
    int order = strcmp(x->name.s, y->name.s);
    return order ? order : x->seq < y->seq ? -1 : x->seq > y->seq;
}

void res_drop_duplicates(res *r, res_decls *all, const char *kind)
{
    size_t kept = 0;
    if (all->n)
        qsort(all->v, all->n, sizeof *all->v, by_name_and_place);
    for (size_t i = 0; i < all->n; i++) {
        if (!kept || strcmp(all->v[kept - 1].name.s, all->v[i].name.s)) {
            all->v[kept++] = all->v[i];
            continue;
        }
        r->e->incomplete = true;
        fl_diag *d = res_error(r, "duplicate-name", all->v[i].name.at, "there are two %s `%s`", kind, all->v[i].name.s);
        fl_diag_again(r->diags, d, all->v[kept - 1].name.at);
    }
    all->n = kept;
}

/* What a broker takes (org.apache.kafka.common.internals.Topic). It would refuse the others, or never have them. */
static void judge_topic(res *r, const est_text *name)
{
    enum { MOST = 249 };
    const char *s = name->s, *why = NULL;
    if (!*s)
        why = "it is empty";
    else if (!strcmp(s, ".") || !strcmp(s, ".."))
        why = "Kafka takes neither `.` nor `..`";
    else if (s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")])
        why = "Kafka takes letters, digits, `.`, `_` and `-`";
    else if (strlen(s) > MOST)
        why = fl_printf(r->a, "Kafka takes %d characters", MOST);
    if (why)
        res_error(r, "syntax", name->at, "`%.60s` is no name of a topic: %s", s, why);
}

static void declare_one(res *r, res_kind kind, const res_decl *d)
{
    if (d->name.s && kind == RES_TOPIC)
        judge_topic(r, &d->name);
    if (d->name.s)
        FL_PUSH(r->scratch, &r->kinds[kind], *d);
    else
        r->e->incomplete = r->unnamed[kind] = true;
}

/* Of a file that has topics that were resolved early, all were. */
static void declare_kind(res *r, res_kind kind)
{
    enum { A_FILE = 40 }; /* bits for the order in it */
    for (size_t f = 0; f < r->shared->sources.n; f++) {
        const res_source *s = &r->shared->sources.v[f];
        for (size_t i = r->first[f]; i < r->first[f + 1]; i++)
            if (lang_is(r->top.v[i], kinds[kind].form))
                declare_one(r, kind,
                            &(res_decl){.stmt = r->top.v[i],
                                        .name = declared_name(r, r->top.v[i], kind),
                                        .seq = f << A_FILE | (i - r->first[f])});
        for (size_t i = 0; kind == RES_TOPIC && i < s->topics.n; i++)
            declare_one(r, kind,
                        &(res_decl){.early = s->topics.v[i].topic,
                                    .name = s->topics.v[i].topic->name,
                                    .seq = f << A_FILE | s->topics.v[i].place});
    }
    res_drop_duplicates(r, &r->kinds[kind], kinds[kind].kind);
}

void res_declare(res *r)
{
    for (res_kind k = RES_TAG; k <= RES_CONNECTOR; k++)
        declare_kind(r, k);
}

struct res_names res_names(res *r, res_kind kind)
{
    struct res_names *names = &r->names[kind];
    const res_decls *all = &r->kinds[kind];
    if (names->v)
        return *names;
    names->v = FL_NEW_N(r->a, const char *, all->n + 1);
    names->n = all->n;
    for (size_t i = 0; i < all->n; i++)
        names->v[i] = all->v[i].name.s;
    return *names;
}

static int against_name(const void *name, const void *decl)
{
    return strcmp(name, ((const res_decl *)decl)->name.s);
}

res_decl *res_declared(res *r, res_kind kind, const char *name)
{
    const res_decls *all = &r->kinds[kind];
    return all->n ? bsearch(name, all->v, all->n, sizeof *all->v, against_name) : NULL;
}

/* ---- principals ---- */

static bool known_type(res *r, const lang_value *v, const char *full)
{
    static const char *const types[] = {"User", "Group"};
    char type[16];
    size_t n = strcspn(full, ":");
    snprintf(type, sizeof type, "%.*s", (int)n, full);
    if (!strcmp(type, types[0]) || !strcmp(type, types[1]))
        return true;
    fl_diag *d = res_error(r, "unknown-name", v->name.span, "`%s` is no type of principal", fl_strndup(r->a, full, n));
    const char *near = fl_nearest(type, types, 2);
    fl_diag_help(r->diags, d, near ? "did you mean `%s`?" : "a principal is a User or a Group%s", near ? near : "");
    return false;
}

est_text res_principal(res *r, const lang_value *v)
{
    est_text t = {pair_text(r, v), v->span};
    if (!t.s || !known_type(r, v, t.s))
        return (est_text){NULL, v->span};
    if (!r->early)
        res_link_principal(r, &t);
    return t;
}

void res_link_principal(res *r, const est_text *full)
{
    struct res_names names = res_names(r, RES_PRINCIPAL);
    if (names.n && !res_declared(r, RES_PRINCIPAL, full->s))
        res_unknown_of(r, "unknown-principal", full->at, "principal", full->s, names.v, names.n);
}
