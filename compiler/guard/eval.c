/* eval.c: conditions held against objects. A value that is a reference is not known before it is deployed, so a
 * condition has three truths: what cannot be told counts as chosen by `where` and as broken by `requires`. */
#include <stdlib.h>
#include <string.h>

#include "compiler/check/uses.h"
#include "compiler/guard/model.h"

/* ---- values ---- */

static guard_value config_set(const guard_world *w, const est_prop *p)
{
    guard_value v = {.at = p->value_at};
    size_t n = 1;
    if (p->is_list || !strchr(p->value, ',')) {
        v.names = p->is_list ? p->items : (const char *const *)&p->value;
        v.n = p->is_list ? p->nitems : *p->value != 0;
        return v;
    }
    for (const char *s = p->value; *s; s++) /* Connect reads one text as a list, too */
        n += *s == ',';
    const char **names = FL_NEW_N(w->a, const char *, n);
    for (const char *s = p->value; v.n < n; v.n++) {
        size_t len = strcspn(s, ",");
        names[v.n] = fl_strndup(w->a, s, len);
        s += len + (s[len] == ',');
    }
    v.names = names;
    return v;
}

static bool read_number(const char *s, long double *out)
{
    char *end;
    *out = strtold(s, &end);
    return end != s && !*end;
}

guard_value guard_config_value(const guard_world *w, const est_connector *c, const guard_config *g)
{
    const est_prop *p = chk_config(c, g->name);
    guard_value v = {.state = p ? GUARD_STATED : GUARD_NONE, .at = p ? p->value_at : c->at};
    if (!p)
        return v;
    if (g->type == GUARD_SECRET || p->is_secret_ref || chk_has_reference(p->value)) {
        v.state = GUARD_HIDDEN;
        return v;
    }
    if (g->type == GUARD_SET)
        return config_set(w, p);
    if (g->type == GUARD_NUMBER && !read_number(p->value, &v.number))
        v.state = GUARD_HIDDEN; /* refused elsewhere */
    const char *cls = g->is_class && c->catalog ? cat_class(c->catalog, g->name, p->value) : NULL;
    v.text = cls ? cls : p->value;
    v.yes = !strcmp(p->value, "true");
    return v;
}

guard_object guard_object_of(const guard_scope *s, const guard_node *n)
{
    return guard_holder(&s->object[n->depth], n->as);
}

guard_value guard_value_of(const guard_scope *s, const guard_node *n)
{
    guard_object o;
    if (!n->property && !n->config)
        return n->constant;
    o = guard_object_of(s, n);
    return n->config ? guard_config_value(s->w, o.is, n->config) : n->property->get(s->w, &o);
}

/* ---- relations ---- */

static const char *item(const guard_value *v, size_t i)
{
    return v->names ? v->names[i] : v->texts[i].s;
}

static bool holds(const guard_value *set, const char *s)
{
    for (size_t i = 0; i < set->n; i++)
        if (!strcmp(item(set, i), s))
            return true;
    return false;
}

static bool same_sets(const guard_value *a, const guard_value *b)
{
    for (size_t i = 0; i < a->n; i++)
        if (!holds(b, item(a, i)))
            return false;
    for (size_t i = 0; i < b->n; i++)
        if (!holds(a, item(b, i)))
            return false;
    return true;
}

static bool same(guard_type type, const guard_value *a, const guard_value *b)
{
    switch (type) {
    case GUARD_BOOL:
        return a->yes == b->yes;
    case GUARD_TEXT:
        return !strcmp(a->text, b->text);
    case GUARD_VERSION:
        return !fl_version_cmp(&a->version, &b->version);
    case GUARD_SET:
        return same_sets(a, b);
    default:
        return a->number == b->number;
    }
}

static bool in_order(guard_type type, lang_relop op, const guard_value *a, const guard_value *b)
{
    int c = type == GUARD_VERSION ? fl_version_cmp(&a->version, &b->version)
                                  : (a->number > b->number) - (a->number < b->number);
    return op == LANG_LT ? c < 0 : op == LANG_LE ? c <= 0 : op == LANG_GT ? c > 0 : c >= 0;
}

/* With an absent side only the question whether both are. */
static guard_truth with_absent(lang_relop op, const guard_value *a, const guard_value *b)
{
    bool both = a->state == GUARD_NONE && b->state == GUARD_NONE;
    return op == LANG_EQ ? both : op == LANG_NE ? !both : GUARD_NO;
}

/* The short names of the catalogue stand for classes on this side, too. */
static void expand_class(const guard_scope *s, const guard_node *config, guard_value *other)
{
    const est_connector *c = guard_object_of(s, config).is;
    const char *cls = other->text && c->catalog ? cat_class(c->catalog, config->config->name, other->text) : NULL;
    if (cls)
        other->text = cls;
}

static guard_truth relation(guard_scope *s, const guard_node *n)
{
    guard_value a = guard_value_of(s, n->left), b = guard_value_of(s, n->right);
    int matched;
    if (a.state == GUARD_NONE || b.state == GUARD_NONE)
        return with_absent(n->op, &a, &b);
    if (a.state == GUARD_HIDDEN || b.state == GUARD_HIDDEN)
        return GUARD_MAYBE;
    if (n->left->config && n->left->config->is_class && n->op != LANG_MATCHES)
        expand_class(s, n->left, &b);
    if (n->right->config && n->right->config->is_class)
        expand_class(s, n->right, &a);
    switch (n->op) {
    case LANG_EQ:
        return same(n->left->type, &a, &b);
    case LANG_NE:
        return !same(n->left->type, &a, &b);
    case LANG_IN:
        return holds(&b, a.text);
    case LANG_MATCHES:
        matched = guard_pattern_matches(n->pattern, a.text);
        return matched < 0 ? GUARD_MAYBE : matched;
    default:
        return in_order(n->left->type, n->op, &a, &b);
    }
}

/* ---- conditions ---- */

static guard_truth opposite(guard_truth t)
{
    return t == GUARD_MAYBE ? t : t == GUARD_YES ? GUARD_NO : GUARD_YES;
}

/* every: the least true of the items; some: the truest. */
static guard_truth quantifier(guard_scope *s, const guard_node *n)
{
    guard_object of = guard_object_of(s, n);
    size_t count = n->list->count(s->w, &of);
    guard_truth settles = n->kind == LANG_E_EVERY ? GUARD_NO : GUARD_YES, all = opposite(settles);
    unsigned depth = s->n++;
    for (size_t i = 0; i < count && all != settles && s->steps < GUARD_MAX_STEPS; i++) {
        s->steps++;
        s->object[depth] = n->list->at(s->w, &of, i);
        guard_truth one = guard_eval(s, n->left);
        if (one == settles || one == GUARD_MAYBE)
            all = one;
    }
    s->n = depth;
    if (s->steps == GUARD_MAX_STEPS) /* the guardrail is given up (reported) */
        return GUARD_MAYBE;
    return n->kind == LANG_E_NO ? opposite(all) : all;
}

guard_truth guard_eval(guard_scope *s, const guard_node *n)
{
    guard_truth settles = n->kind == LANG_E_AND ? GUARD_NO : GUARD_YES;
    guard_value v;
    switch (n->kind) {
    case LANG_E_AND:
    case LANG_E_OR: {
        guard_truth a = guard_eval(s, n->left);
        if (a == settles)
            return a;
        guard_truth b = guard_eval(s, n->right);
        return b == settles || a != GUARD_MAYBE ? b : a;
    }
    case LANG_E_NOT:
        return opposite(guard_eval(s, n->left));
    case LANG_E_REL:
        return relation(s, n);
    case LANG_E_OPERAND:
        v = guard_value_of(s, n);
        return v.state == GUARD_HIDDEN ? GUARD_MAYBE : v.state == GUARD_STATED && v.yes;
    default:
        return quantifier(s, n);
    }
}
