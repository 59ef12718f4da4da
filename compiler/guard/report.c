/* report.c: what is said of an object that breaks a guardrail: which clause, and the value of every property in it with
 * where that value comes from. Values of secrets are never shown. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "compiler/guard/model.h"

#define MAX_CLAUSE 120  /* bytes of a condition that are repeated in a message */
#define MAX_SHOWN  80   /* bytes of a text value */
#define MAX_ITEMS  12   /* of a set */
#define MAX_VALUES 12   /* of one message */
#define MAX_TEXT   8192 /* of one message */

const char *guard_type_name(guard_type t)
{
    static const char *const all[] = {"a truth value", "a text",         "a number", "a duration", "a date",
                                      "a version",     "a set of texts", "a secret", "`absent`",   "a bare literal"};
    return all[t];
}

/* ---- values ---- */

static void put_quoted(fl_buf *b, const char *s)
{
    size_t n = strlen(s), shown = n > MAX_SHOWN ? MAX_SHOWN : n;
    while (shown < n && shown && ((unsigned char)s[shown] & 0xC0) == 0x80) /* not inside a character */
        shown--;
    fl_buf_addc(b, '"');
    fl_buf_add(b, s, shown);
    fl_buf_adds(b, shown < n ? "…\"" : "\"");
}

static void put_duration(fl_buf *b, long double seconds)
{
    static const struct {
        int seconds;
        char unit;
    } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    size_t i = 0;
    if (isinf(seconds)) {
        fl_buf_adds(b, "never");
        return;
    }
    while (i < 3 && (seconds == 0 || fmodl(seconds, units[i].seconds) != 0))
        i++;
    fl_buf_addf(b, "%.0Lf%c", seconds / units[i].seconds, units[i].unit);
}

static void put_set(fl_buf *b, const guard_value *v)
{
    fl_buf_addc(b, '[');
    for (size_t i = 0; i < v->n && i < MAX_ITEMS; i++) {
        fl_buf_adds(b, i ? ", " : "");
        put_quoted(b, v->names ? v->names[i] : v->texts[i].s);
    }
    if (v->n > MAX_ITEMS)
        fl_buf_addf(b, " and %zu more", v->n - MAX_ITEMS);
    fl_buf_addc(b, ']');
}

static void put_stated(fl_buf *b, guard_type type, const guard_value *v)
{
    char day[11];
    switch (type) {
    case GUARD_BOOL:
        fl_buf_adds(b, v->yes ? "true" : "false");
        break;
    case GUARD_NUMBER:
        fl_buf_addf(b, "%.18Lg", v->number);
        break;
    case GUARD_DURATION:
        put_duration(b, v->number);
        break;
    case GUARD_DATE:
        fl_date_print((int64_t)v->number, day);
        fl_buf_adds(b, day);
        break;
    case GUARD_VERSION:
        fl_buf_adds(b, v->text);
        break;
    case GUARD_SET:
        put_set(b, v);
        break;
    default:
        put_quoted(b, v->text);
    }
}

static void put_value(fl_buf *b, guard_type type, const guard_value *v)
{
    if (v->state == GUARD_NONE)
        fl_buf_adds(b, "absent");
    else if (type == GUARD_SECRET)
        fl_buf_adds(b, "there");
    else if (v->state == GUARD_HIDDEN)
        fl_buf_adds(b, "not known here");
    else
        put_stated(b, type, v);
    if (v->by_default)
        fl_buf_adds(b, " (form default)");
    else if (v->state == GUARD_STATED && v->at.src && v->at.src->origin)
        fl_buf_addf(b, " (%s)", v->at.src->origin->label);
}

/* ---- a clause ---- */

typedef struct telling {
    guard_scope *s;
    const guard_rule *rule;
    fl_diags *diags;
    fl_diag *d; /* NULL in the first round, which makes the message; the second adds places */
    fl_buf *text;
    const char *comma; /* what goes before the next value */
    size_t title;      /* where the title of an item begins of which nothing is told yet; 0: none */
    size_t n;
    FL_VEC(const guard_node *) said;
} telling;

static const char *property_text(const guard_node *n, fl_arena *a)
{
    const char *word = n->expr->operand.name.text;
    return n->config ? fl_printf(a, "%s[\"%s\"]", word, n->config->name) : word;
}

/* One property is told once of one object. */
static bool told(const telling *t, const guard_node *n)
{
    for (size_t i = 0; i < t->said.n; i++) {
        const guard_node *o = t->said.v[i];
        bool same = n->config || o->config ? n->config && o->config && !strcmp(n->config->name, o->config->name)
                                           : n->property == o->property;
        if (same && n->depth == o->depth && n->as == o->as)
            return true;
    }
    return false;
}

/* What separates this from the one before; `then`: what will separate the next. */
static const char *next(telling *t, const char *then)
{
    const char *now = t->comma;
    t->comma = then;
    t->title = 0;
    return now;
}

/* The place of the thing itself, which is shown anyway, says nothing about one of its values. */
static bool at_its_block(const telling *t, const guard_node *n, fl_span at)
{
    guard_object o = guard_object_of(t->s, n);
    return at.from == guard_place(&o).from || at.from == t->d->span.from;
}

static void tell_value(telling *t, const guard_node *n)
{
    if ((!n->property && !n->config) || told(t, n) || t->n++ >= MAX_VALUES)
        return;
    guard_value v = guard_value_of(t->s, n);
    fl_buf one;
    FL_PUSH(t->diags->arena, &t->said, n);
    fl_buf_init(&one, MAX_TEXT);
    fl_buf_addf(&one, "%s is ", property_text(n, t->diags->arena));
    put_value(&one, n->type, &v);
    if (!t->d)
        fl_buf_addf(t->text, "%s%s", next(t, ", "), one.p);
    else if (v.at.src && !v.by_default && !at_its_block(t, n, v.at))
        fl_diag_relate(t->diags, t->d, v.at, "%s", one.p);
    fl_buf_free(&one);
}

static void tell(telling *t, const guard_node *n);

/* The item of an item stands for both. */
static void put_item(telling *t, const guard_object *o)
{
    if (t->title) {
        t->text->len = t->title;
        t->text->p[t->title] = 0;
    } else {
        fl_buf_adds(t->text, *t->comma ? "; " : "");
    }
    t->title = t->text->len;
    t->comma = "";
    fl_buf_adds(t->text, "of ");
    guard_title(o, t->text);
    fl_buf_adds(t->text, ": ");
}

/* The item that settles it: the first that is not what the quantifier wants. */
static void tell_item(telling *t, const guard_node *n)
{
    guard_object of = guard_object_of(t->s, n);
    size_t count = n->list->count(t->s->w, &of);
    guard_truth wanted = n->kind == LANG_E_EVERY ? GUARD_YES : GUARD_NO;
    unsigned depth = t->s->n++;
    for (size_t i = 0; i < count; i++) {
        t->s->object[depth] = n->list->at(t->s->w, &of, i);
        if (guard_eval(t->s, n->left) == wanted)
            continue;
        if (!t->d) {
            put_item(t, &t->s->object[depth]);
        } else if (guard_place(&t->s->object[depth]).src) {
            fl_diag_relate(t->diags, t->d, guard_place(&t->s->object[depth]), "this %s",
                           guard_kinds[n->list->item].name);
        }
        tell(t, n->left);
        t->comma = "; ";
        break;
    }
    t->s->n = depth;
}

static void tell_none(telling *t, const guard_node *n)
{
    guard_object of = guard_object_of(t->s, n);
    size_t count = n->list->count(t->s->w, &of);
    if (t->d)
        return;
    fl_buf_adds(t->text, next(t, ", "));
    if (count)
        fl_buf_addf(t->text, "there %s %zu `%s`, and none is so", count == 1 ? "is" : "are", count, n->list->name);
    else
        fl_buf_addf(t->text, "there is no `%s`", n->list->name);
}

static void tell(telling *t, const guard_node *n)
{
    if (n->kind == LANG_E_OPERAND) {
        tell_value(t, n);
        return;
    }
    if (n->kind == LANG_E_EVERY || n->kind == LANG_E_NO) {
        guard_truth holds = guard_eval(t->s, n);
        if (holds != GUARD_YES)
            tell_item(t, n);
        return;
    }
    if (n->kind == LANG_E_SOME) {
        if (guard_eval(t->s, n) == GUARD_NO)
            tell_none(t, n);
        else
            tell_item(t, n);
        return;
    }
    tell(t, n->left);
    if (n->right)
        tell(t, n->right);
}

/* ---- the diagnostic ---- */

/* The condition as it is written, on one line. */
static void put_clause(fl_buf *b, const lang_expr *e)
{
    const char *text = e->span.src->text;
    size_t from = b->len;
    for (uint32_t i = e->span.from; i < e->span.to; i++) {
        if (text[i] == '\n' || text[i] == '\t' || (text[i] == ' ' && i + 1 < e->span.to && text[i + 1] == ' '))
            continue;
        if (b->len - from >= MAX_CLAUSE && ((unsigned char)text[i] & 0xC0) != 0x80) {
            fl_buf_adds(b, " …");
            break;
        }
        fl_buf_addc(b, text[i]);
    }
}

static const char *message(telling *t, const guard_clause *c, guard_truth truth)
{
    fl_buf b;
    fl_buf_init(&b, MAX_TEXT);
    fl_buf_addf(&b, "guardrail \"%s\": ", t->rule->g->text.s);
    guard_title(&t->s->object[0], &b);
    fl_buf_adds(&b, ": `");
    put_clause(&b, c->condition->expr);
    fl_buf_addf(&b, "` %s", truth == GUARD_NO ? "is false" : "cannot be told here, so it does not hold");
    size_t before = b.len;
    fl_buf_adds(&b, ": ");
    size_t start = b.len;
    t->text = &b; /* cppcheck-suppress autoVariables ; taken out again below */
    tell(t, c->condition);
    t->text = NULL;
    if (b.len == start && !b.full)
        b.p[before] = 0;
    const char *text = fl_strdup(t->diags->arena, b.p);
    fl_buf_free(&b);
    return text;
}

void guard_report(const guard_rule *r, const guard_clause *c, guard_scope *s, guard_truth t, fl_diags *diags)
{
    telling first = {.s = s, .rule = r, .diags = diags, .comma = ""}, second = first;
    const char *text = message(&first, c, t);
    fl_diag *d = fl_diag_add(diags, "guardrail", r->g->severity, guard_place(&s->object[0]), "%s", text);
    second.d = d;
    tell(&second, c->condition);
    fl_diag_relate(diags, d, c->stmt->span, "the clause");
    if (r->help)
        fl_diag_help(diags, d, "%s", r->help);
}
