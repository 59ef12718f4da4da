/* typing.c: from the tree of a condition to what the evaluator reads, with every name looked up, every type known and
 * every literal read. Of each guardrail the first mistake is reported, at its place in the condition. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/check/check.h"
#include "compiler/check/uses.h"
#include "compiler/guard/model.h"

typedef struct typing {
    guard_world *w;
    guard_rule *rule;
    fl_diags *diags;
    guard_kind scope[GUARD_MAX_DEPTH];
    unsigned n;
    fl_diag *wrong; /* the mistake */
    bool silent;    /* an unknown variable, which resolution reports */
} typing;

static guard_node *wrong(typing *t, fl_span at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static guard_node *wrong(typing *t, fl_span at, const char *fmt, ...)
{
    va_list ap;
    if (t->wrong)
        return NULL;
    va_start(ap, fmt);
    t->wrong = fl_diag_add(t->diags, "guardrail", FL_ERROR, at, "%s", fl_vprintf(t->w->a, fmt, ap));
    va_end(ap);
    fl_diag_relate(t->diags, t->wrong, t->rule->g->at, "in this guardrail");
    return NULL;
}

/* Adds to the mistake that was just reported. */
static guard_node *help(typing *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static guard_node *help(typing *t, const char *fmt, ...)
{
    va_list ap;
    if (t->wrong->help) /* it was an earlier mistake */
        return NULL;
    va_start(ap, fmt);
    fl_diag_help(t->diags, t->wrong, "%s", fl_vprintf(t->w->a, fmt, ap));
    va_end(ap);
    return NULL;
}

static guard_node *node(typing *t, const lang_expr *e)
{
    guard_node *n = FL_NEW(t->w->a, guard_node);
    n->kind = e->kind;
    n->expr = e;
    return n;
}

/* ---- names ---- */

static guard_kind innermost(const typing *t)
{
    return t->scope[t->n - 1];
}

/* The words that mean something for a kind: its properties, or its lists. */
static size_t names_of(guard_kind k, bool lists, const char **out)
{
    const guard_kind_row *row = &guard_kinds[k];
    size_t n = 0;
    for (size_t i = 0; lists && i < row->nlists; i++)
        out[n++] = row->lists[i].name;
    for (size_t i = 0; !lists && i < row->nproperties; i++)
        out[n++] = row->properties[i].name;
    for (size_t i = 0; !lists && i < guard_ncommon; i++)
        out[n++] = guard_common[i].name;
    return n;
}

static const char *joined(typing *t, const char *const *v, size_t n)
{
    const char *all = "";
    for (size_t i = 0; i < n; i++)
        all = fl_printf(t->w->a, "%s%s%s", all, i ? ", " : "", v[i]);
    return all;
}

static guard_node *no_property(typing *t, fl_span at, guard_kind k, const char *name)
{
    const char *names[32];
    size_t n = names_of(k, false, names);
    const char *near = fl_nearest(name, names, n);
    if (guard_find_list(k, name)) {
        wrong(t, at, "`%s` is a list of things, not one value", name);
        return help(t, "ask of its items: `some %s (…)`, `every %s (…)` or `no %s (…)`", name, name, name);
    }
    wrong(t, at, "`%s` is no property of %s", name, guard_kinds[k].one);
    for (unsigned i = 1; !near && i < t->n; i++)
        if (guard_find_property(t->scope[t->n - 1 - i], name))
            return help(t, "write `%s.%s`", guard_kinds[t->scope[t->n - 1 - i]].name, name);
    if (near)
        return help(t, "did you mean `%s`?", near);
    return help(t, "%s has %s. Text stands in quotes: \"%s\"", guard_kinds[k].one, joined(t, names, n), name);
}

/* Splits KIND.NAME, and finds the object that it speaks of: the innermost of that kind, or what holds one. */
static const char *resolve_kind(typing *t, fl_span at, const char *word, guard_node *n)
{
    const char *dot = strchr(word, '.');
    n->depth = t->n - 1;
    n->as = innermost(t);
    if (!dot)
        return word;
    if (!guard_find_kind(word, (size_t)(dot - word), &n->as)) {
        wrong(t, at, "`%.*s` is no kind of thing", (int)(dot - word), word);
        help(t, "kinds are topic, side, field, encryption, kek, connector and principal");
        return NULL;
    }
    for (unsigned i = t->n; i-- > 0;)
        if (guard_holds(t->scope[i], n->as)) {
            n->depth = i;
            return dot + 1;
        }
    wrong(t, at, "no %s holds this %s", guard_kinds[n->as].name, guard_kinds[innermost(t)].name);
    help(t, "`KIND.NAME` is a property of the thing that is judged, of one that a quantifier goes through, or of the "
            "topic or side that holds it");
    return NULL;
}

/* ---- the words that a text can be ---- */

static guard_node *no_such_word(typing *t, fl_span at, const guard_node *p, const char *s, const char *const *words,
                                size_t n)
{
    const char *near = fl_nearest(s, words, n);
    wrong(t, at, "`%s` is never \"%s\"", p->expr->operand.name.text, s);
    return near ? help(t, "did you mean \"%s\"?", near) : help(t, "it is one of %s", joined(t, words, n));
}

/* Is s one of the words of p? Where none are known (no tag is declared) any will do. */
static bool one_word(typing *t, const guard_node *p, const char *s, fl_span at)
{
    size_t n = 0;
    const char *const *words = p->property && p->property->words ? p->property->words(t->w, &n) : NULL;
    for (size_t i = 0; i < n; i++)
        if (!strcmp(words[i], s))
            return true;
    if (n)
        no_such_word(t, at, p, s, words, n);
    return !n;
}

static bool is_constant(const guard_node *n)
{
    return !n->property && !n->config;
}

/* Holds a constant against what it is compared with. */
static bool check_words(typing *t, const guard_node *p, const guard_node *constant)
{
    const lang_value *v = &constant->expr->operand;
    if (is_constant(p) || !is_constant(constant))
        return true;
    if (constant->type == GUARD_TEXT)
        return one_word(t, p, constant->constant.text, v->span);
    for (size_t i = 0; constant->type == GUARD_SET && i < constant->constant.n; i++)
        if (!one_word(t, p, constant->constant.names[i], v->items[i].span))
            return false;
    return true;
}

/* ---- config["NAME"] ---- */

static guard_type type_in_catalogue(const cat_property *p)
{
    if (p->secret || p->type == CAT_PASSWORD)
        return GUARD_SECRET;
    if (p->type == CAT_BOOLEAN)
        return GUARD_BOOL;
    if (p->type == CAT_LIST)
        return GUARD_SET;
    return p->type == CAT_STRING || p->type == CAT_CLASS ? GUARD_TEXT : GUARD_NUMBER;
}

/* Over all connectors that have it: a secret of one is a secret, else where they differ it is text. */
static bool look_up(guard_config *g, bool *generated)
{
    size_t n, found = 0;
    const cat_connector *all = cat_connectors(&n);
    for (size_t i = 0; i < n; i++) {
        const cat_property *p = cat_find_property(&all[i], g->name);
        const char *why;
        *generated |= cat_property_owner(&all[i], g->name, &why) == CAT_GENERATED;
        if (!p)
            continue;
        guard_type type = type_in_catalogue(p);
        if (!found++ || type == GUARD_SECRET)
            g->type = type;
        else if (g->type != GUARD_SECRET && g->type != type)
            g->type = GUARD_TEXT;
        g->is_class |= p->type == CAT_CLASS;
    }
    return found;
}

/* A property of a transformation, or one that a waiver lets through. */
static bool stands_somewhere(const guard_world *w, const char *name)
{
    if (!strncmp(name, "transforms.", 11) || !strncmp(name, "predicates.", 11))
        return true;
    for (size_t i = 0; i < w->e->connectors.n; i++)
        if (chk_config(w->e->connectors.v[i], name))
            return true;
    return false;
}

static const char *nearest_property(typing *t, const char *name)
{
    size_t n, count = 0;
    const cat_connector *all = cat_connectors(&n);
    const char **names = FL_NEW_N(t->w->a, const char *, n * 1024);
    for (size_t i = 0; i < n; i++)
        count += cat_property_names(&all[i], names + count, 1024);
    return fl_nearest(name, names, count);
}

static guard_node *config(typing *t, const lang_expr *e, guard_node *n)
{
    const char *name = est_expand(t->w->e, &e->index);
    guard_config *g = FL_NEW(t->w->a, guard_config);
    bool generated = false;
    t->silent |= !name;
    if (!name)
        return NULL;
    *g = (guard_config){.name = name, .type = GUARD_TEXT};
    bool known = look_up(g, &generated);
    if (generated) {
        wrong(t, e->index.span, "`%s` is generated, so it never stands in a connector's `config`", name);
        return help(t, "ask what it is made from, as `tasks`, `principal` or `dead-letters`");
    }
    if (!known && !stands_somewhere(t->w, name)) {
        const char *near = nearest_property(t, name);
        wrong(t, e->index.span, "no connector has a property `%s`", name);
        return near ? help(t, "did you mean \"%s\"?", near)
                    : help(t, "`flec catalog TYPE` lists the properties of one");
    }
    if (chk_looks_secret(name) && !known)
        g->type = GUARD_SECRET;
    n->config = g;
    n->type = g->type;
    return n;
}

/* ---- operands ---- */

static guard_node *list_constant(typing *t, guard_node *n)
{
    const lang_value *v = &n->expr->operand;
    const char **names = FL_NEW_N(t->w->a, const char *, v->n + 1);
    for (size_t i = 0; i < v->n; i++) {
        const lang_value *item = &v->items[i];
        if (item->kind != LANG_V_NAME || item->name.quote == LANG_WORD) {
            wrong(t, item->span, "a list in a condition holds texts");
            return item->kind == LANG_V_NAME ? help(t, "write \"%s\"", item->name.text) : NULL;
        }
        names[i] = est_expand(t->w->e, &item->name);
        t->silent |= !names[i];
    }
    n->type = GUARD_SET;
    n->constant = (guard_value){.names = names, .n = v->n};
    return t->silent ? NULL : n;
}

/* true, false, never, absent, or a word that begins with a digit. */
static bool literal_word(guard_node *n, const char *s)
{
    bool yes = !strcmp(s, "true");
    n->constant = (guard_value){.text = s};
    if (yes || !strcmp(s, "false")) {
        n->type = GUARD_BOOL;
        n->constant.yes = yes;
    } else if (!strcmp(s, "never")) {
        n->type = GUARD_DURATION;
        n->constant.number = INFINITY;
    } else if (!strcmp(s, "absent")) {
        n->type = GUARD_ABSENT;
        n->constant.state = GUARD_NONE;
    } else if ((*s >= '0' && *s <= '9') || *s == '-') {
        n->type = GUARD_WORD;
    } else {
        return false;
    }
    return true;
}

static guard_node *named(typing *t, guard_node *n, const char *word)
{
    fl_span at = n->expr->operand.name.span;
    const char *name = resolve_kind(t, at, word, n);
    if (!name)
        return NULL;
    if (n->expr->index.text && (strcmp(name, "config") || n->as != GUARD_CONNECTOR)) {
        wrong(t, at, "only a connector's `config` has properties by name");
        return help(t, "write `config[\"NAME\"]` where connectors are judged");
    }
    if (n->expr->index.text)
        return config(t, n->expr, n);
    if (!strcmp(name, "config") && n->as == GUARD_CONNECTOR) {
        wrong(t, at, "`config` is asked for one property");
        return help(t, "write `config[\"NAME\"]`");
    }
    n->property = guard_find_property(n->as, name);
    if (!n->property)
        return no_property(t, at, n->as, name);
    n->type = n->property->type;
    return n;
}

static guard_node *operand(typing *t, const lang_expr *e)
{
    guard_node *n = node(t, e);
    const lang_value *v = &e->operand;
    if (e->kind != LANG_E_OPERAND)
        return wrong(t, e->span, "a value stands here, not a condition");
    if (v->kind == LANG_V_LIST)
        return list_constant(t, n);
    if (v->name.quote == LANG_WORD)
        return !e->index.text && literal_word(n, v->name.text) ? n : named(t, n, v->name.text);
    n->type = GUARD_TEXT;
    n->constant.text = est_expand(t->w->e, &v->name);
    t->silent |= !n->constant.text;
    return t->silent ? NULL : n;
}

/* ---- comparisons ---- */

static const char *shown(const guard_node *n)
{
    const lang_value *v = &n->expr->operand;
    return v->kind == LANG_V_LIST ? "the list" : v->name.quote == LANG_WORD ? v->name.text : "the text in quotes";
}

static guard_node *differ(typing *t, const guard_node *p, const guard_node *x)
{
    guard_type is = x->type == GUARD_WORD ? GUARD_NUMBER : x->type;
    guard_value ignored;
    for (guard_type k = GUARD_NUMBER; x->type == GUARD_WORD && k <= GUARD_VERSION; k++)
        if (guard_read_as(x->constant.text, k, &ignored) && !(k == GUARD_VERSION && strchr(x->constant.text, '-'))) {
            is = k;
            break;
        }
    if (x->type == GUARD_WORD && !guard_read_as(x->constant.text, is, &ignored))
        wrong(t, x->expr->span, "`%s` is no number, duration, date or version", x->constant.text);
    else
        wrong(t, x->expr->span, "`%s` is %s, and %s is %s", shown(p), guard_type_name(p->type),
              is_constant(x) && x->expr->operand.name.quote != LANG_WORD ? shown(x)
                                                                         : fl_printf(t->w->a, "`%s`", shown(x)),
              guard_type_name(is));
    if (is_constant(x) && p->type <= GUARD_SET && !(p->type == GUARD_TEXT && x->type == GUARD_WORD))
        return help(t, "write %s", guard_example(p->type));
    return is_constant(x) && p->type == GUARD_TEXT ? help(t, "write \"%s\"", shown(x)) : NULL;
}

static bool has_order(guard_type t)
{
    return t == GUARD_NUMBER || t == GUARD_DURATION || t == GUARD_DATE || t == GUARD_VERSION;
}

/* `absent` goes with every type, a literal word takes the other's, all others must be equal. */
static guard_node *same_types(typing *t, guard_node *n)
{
    guard_node *l = n->left, *r = n->right, *p = is_constant(l) ? r : l, *x = p == l ? r : l;
    if (x->type == GUARD_ABSENT)
        return n;
    if (x->type == GUARD_WORD && guard_read_as(x->constant.text, p->type, &x->constant))
        x->type = p->type;
    return x->type == p->type ? n : differ(t, p, x);
}

static guard_node *equal(typing *t, guard_node *n)
{
    if (!same_types(t, n))
        return NULL;
    return check_words(t, n->left, n->right) && check_words(t, n->right, n->left) ? n : NULL;
}

static guard_node *ordered(typing *t, guard_node *n)
{
    guard_node *absent = n->left->type == GUARD_ABSENT ? n->left : n->right->type == GUARD_ABSENT ? n->right : NULL;
    if (absent) {
        wrong(t, absent->expr->span, "nothing is smaller or larger than `absent`");
        return help(t, "write `… == absent`");
    }
    if (!same_types(t, n))
        return NULL;
    if (has_order(n->left->type))
        return n;
    wrong(t, n->expr->span, "%s has no order", guard_type_name(n->left->type));
    return help(t, "numbers, durations, dates and versions have one; others are compared by == and !=");
}

static guard_node *within(typing *t, guard_node *n)
{
    if (n->left->type != GUARD_TEXT) {
        wrong(t, n->left->expr->span, "before `in` stands a text, and this is %s", guard_type_name(n->left->type));
        return n->left->type == GUARD_WORD ? help(t, "write \"%s\"", n->left->constant.text) : NULL;
    }
    if (n->right->type != GUARD_SET) {
        wrong(t, n->right->expr->span, "behind `in` stands a set of texts, and this is %s",
              guard_type_name(n->right->type));
        return help(t, "write tags, or a list like [\"A\", \"B\"]");
    }
    return check_words(t, n->left, n->right) && check_words(t, n->right, n->left) ? n : NULL;
}

static guard_node *matching(typing *t, guard_node *n)
{
    char message[160];
    if (n->left->type != GUARD_TEXT)
        return wrong(t, n->left->expr->span, "before `matches` stands a text, and this is %s",
                     guard_type_name(n->left->type));
    if (!is_constant(n->right) || n->right->type != GUARD_TEXT) {
        wrong(t, n->right->expr->span, "behind `matches` stands an expression in quotes");
        return help(t, "write it as a raw string: '^crm\\.'");
    }
    n->pattern = guard_pattern_new(n->right->constant.text, message);
    if (!n->pattern)
        return wrong(t, n->right->expr->span, "%s", message);
    FL_PUSH(t->w->a, &t->rule->patterns, n->pattern);
    return n;
}

/* What somebody holds against a secret may be one: no excerpt shows it. */
static guard_node *only_absent(typing *t, const guard_node *n)
{
    const lang_expr *sides[] = {n->left->expr, n->right->expr};
    for (size_t i = 0; i < 2; i++)
        if (sides[i]->operand.kind == LANG_V_LIST || sides[i]->operand.name.quote != LANG_WORD)
            fl_diags_hide(t->diags, sides[i]->span);
    wrong(t, n->expr->span, "of a secret only `== absent` may be asked");
    return help(t, "write `… == absent`, or `not … == absent`");
}

static bool asks_secret(const guard_node *n)
{
    return n->left->type == GUARD_SECRET || n->right->type == GUARD_SECRET;
}

/* `"prod" == environment` and its mirror image: a bare word where the other side takes exactly that text. */
static bool forgot_quotes(typing *t, const lang_expr *word, const lang_expr *other)
{
    const lang_value *v = &word->operand, *o = &other->operand;
    if (word->kind != LANG_E_OPERAND || v->kind != LANG_V_NAME || v->name.quote != LANG_WORD || word->index.text ||
        other->kind != LANG_E_OPERAND || o->kind != LANG_V_NAME || o->name.quote != LANG_WORD)
        return false;
    const guard_property *p = guard_find_property(innermost(t), o->name.text);
    size_t n = 0;
    const char *const *words = p && p->words ? p->words(t->w, &n) : NULL;
    for (size_t i = 0; i < n; i++)
        if (!strcmp(words[i], v->name.text) && !guard_find_property(innermost(t), v->name.text)) {
            wrong(t, word->span, "`%s` without quotes would be a property", v->name.text);
            help(t, "write \"%s\"", v->name.text);
            return true;
        }
    return false;
}

static guard_node *relation(typing *t, const lang_expr *e)
{
    guard_node *n = node(t, e);
    if (forgot_quotes(t, e->right, e->left) || forgot_quotes(t, e->left, e->right))
        return NULL;
    n->op = e->op;
    n->type = GUARD_BOOL;
    n->left = operand(t, e->left);
    n->right = n->left ? operand(t, e->right) : NULL;
    if (!n->left || !n->right)
        return NULL;
    if (is_constant(n->left) && is_constant(n->right))
        return wrong(t, e->span, "neither side is a property, so this is always the same");
    if (asks_secret(n) && !(e->op == LANG_EQ && (n->left->type == GUARD_ABSENT || n->right->type == GUARD_ABSENT)))
        return only_absent(t, n);
    if (e->op == LANG_IN)
        return within(t, n);
    if (e->op == LANG_MATCHES)
        return matching(t, n);
    return e->op == LANG_EQ || e->op == LANG_NE ? equal(t, n) : ordered(t, n);
}

/* ---- conditions ---- */

static guard_node *condition(typing *t, const lang_expr *e);

static guard_node *no_list(typing *t, const guard_node *n, const char *name)
{
    const char *names[16];
    size_t count = names_of(n->as, true, names);
    const char *near = fl_nearest(name, names, count);
    wrong(t, n->expr->property.span, "%s has no list `%s`", guard_kinds[n->as].one, name);
    if (near)
        return help(t, "did you mean `%s`?", near);
    return count ? help(t, "its lists: %s", joined(t, names, count))
                 : help(t, "topics, sides, KEKs, connectors and principals have lists");
}

static guard_node *quantifier(typing *t, const lang_expr *e)
{
    guard_node *n = node(t, e);
    const char *name = resolve_kind(t, e->property.span, e->property.text, n);
    n->type = GUARD_BOOL;
    n->list = name ? guard_find_list(n->as, name) : NULL;
    if (!n->list)
        return name ? no_list(t, n, name) : NULL;
    if (t->n == GUARD_MAX_DEPTH)
        return wrong(t, e->span, "quantifiers stand too deep in each other");
    if (n->list->make)
        n->list->make(t->w);
    t->scope[t->n++] = n->list->item;
    n->left = condition(t, e->left);
    t->n--;
    return n->left ? n : NULL;
}

static guard_node *truth(typing *t, const lang_expr *e)
{
    guard_node *n = operand(t, e);
    if (!n || n->type == GUARD_BOOL)
        return n;
    wrong(t, e->span, "a condition stands here, and `%s` is %s", shown(n), guard_type_name(n->type));
    return is_constant(n) ? NULL : help(t, "compare it, as `%s == …`", shown(n));
}

/* and, or, not. The tree is as deep as lang/ lets it be: long chains are balanced, parentheses nest 64 deep. */
static guard_node *connective(typing *t, const lang_expr *e)
{
    guard_node *n = node(t, e);
    n->type = GUARD_BOOL;
    n->left = condition(t, e->left);
    n->right = n->left && e->right ? condition(t, e->right) : NULL;
    return n->left && (n->right || !e->right) ? n : NULL;
}

static guard_node *condition(typing *t, const lang_expr *e)
{
    if (e->kind == LANG_E_OPERAND)
        return truth(t, e);
    if (e->kind == LANG_E_REL)
        return relation(t, e);
    if (e->kind == LANG_E_EVERY || e->kind == LANG_E_SOME || e->kind == LANG_E_NO)
        return quantifier(t, e);
    return connective(t, e);
}

bool guard_compile(guard_world *w, guard_rule *r, fl_diags *diags)
{
    typing t = {.w = w, .rule = r, .diags = diags, .scope = {r->kind}, .n = 1};
    const lang_block *b = r->g->stmt->block;
    for (size_t i = 0; i < b->n && !t.wrong && !t.silent; i++) {
        bool where = lang_is(b->stmts[i], "guardrail.where");
        if (!where && !lang_is(b->stmts[i], "guardrail.requires"))
            continue;
        guard_clause c = {b->stmts[i], condition(&t, b->stmts[i]->expr)};
        if (where)
            FL_PUSH(w->a, &r->wheres, c);
        else
            FL_PUSH(w->a, &r->requires, c);
    }
    return !t.wrong && !t.silent;
}
