/* chain.c: the way on which what a diagnostic is about came to its place; and no secret on it. */
#include <string.h>

#include "compiler/finish.h"

#define MAX_NOTES 3 /* variables of one place */

/* ---- where a statement came from ---- */

static bool related_already(const fl_diag *d, fl_span at)
{
    bool found = fl_same_source(d->span.src, at.src) && d->span.from == at.from;
    for (size_t i = 0; i < d->nrelated; i++)
        found |= fl_same_source(d->related[i].span.src, at.src) && d->related[i].span.from == at.from &&
                 d->related[i].span.to == at.to;
    return found;
}

/* Of a related place: in words behind its label, so that two instances of one statement can be told apart. */
static void tell_apart(fl_arena *a, fl_related *rel)
{
    const fl_origin *o = rel->span.src ? rel->span.src->origin : NULL;
    for (; o; o = o->next)
        rel->label = fl_printf(a, "%s, %s", rel->label, o->label);
}

/* The origins of the place itself are told with it (fl_diag_places). */
static void origins(fl_diags *diags, fl_diag *d)
{
    for (size_t i = 0; i < d->nrelated; i++)
        tell_apart(diags->arena, &d->related[i]);
}

/* ---- where variables are set ---- */

typedef struct chain {
    res *r;
    fl_diags *diags;
    res_uses uses;
    FL_VEC(size_t) lengths; /* of what is concealed, longest first, each once */
} chain;

static int compare(const lang_name *n, const char *source, uint32_t from)
{
    int order = strcmp(n->span.src->name, source);
    return order ? order : n->span.from < from ? -1 : n->span.from > from;
}

/* The first name at or behind a place. */
static size_t first_use(const chain *c, fl_span at)
{
    size_t from = 0, to = c->uses.n;
    while (from < to) {
        size_t mid = from + (to - from) / 2;
        if (compare(c->uses.v[mid], at.src->name, at.from) < 0)
            from = mid + 1;
        else
            to = mid;
    }
    return from;
}

static const lang_name *use_within(const chain *c, size_t i, fl_span at)
{
    const lang_name *n = i < c->uses.n ? c->uses.v[i] : NULL;
    return n && fl_same_source(n->span.src, at.src) && n->span.to <= at.to ? n : NULL;
}

static void set_here(const chain *c, fl_diag *d, const lang_name *n, size_t *notes)
{
    for (size_t i = 0; i < n->nparts && *notes < MAX_NOTES; i++) {
        const est_variable *v = n->parts[i].is_var ? res_variable(c->r->e, n->parts[i].text) : NULL;
        if (!v || v->secret || v->value->kind != LANG_V_NAME || !strcmp(v->name, "environment") ||
            related_already(d, v->value->span))
            continue;
        fl_diag_relate(c->diags, d, v->value->span, "`${%s}` is set here", v->name);
        ++*notes;
        set_here(c, d, &v->value->name, notes);
    }
}

static void variables(const chain *c, fl_diag *d)
{
    const lang_name *n;
    size_t notes = 0;
    if (!d->span.src || !strcmp(d->check, "variable-cycle") || !strcmp(d->check, "unused-variable"))
        return;
    for (size_t i = first_use(c, d->span); notes < MAX_NOTES && (n = use_within(c, i, d->span)); i++)
        set_here(c, d, n, &notes);
}

/* ---- what is not shown ---- */

/* What an excerpt hides is no text for a message either. */
static void mark_hidden(const chain *c)
{
    const lang_name *n;
    for (size_t i = 0; i < c->diags->hidden.n; i++)
        for (size_t k = first_use(c, c->diags->hidden.v[i]); (n = use_within(c, k, c->diags->hidden.v[i])); k++)
            for (size_t j = 0; j < n->nparts; j++) {
                est_variable *v = n->parts[j].is_var ? res_variable(c->r->e, n->parts[j].text) : NULL;
                if (v && strcmp(v->name, "environment"))
                    v->secret = true;
            }
    res_derive(c->r);
}

static bool holds_secret(const chain *c, const lang_name *n)
{
    for (size_t i = 0; i < n->nparts; i++) {
        const est_variable *v = n->parts[i].is_var ? res_variable(c->r->e, n->parts[i].text) : NULL;
        if (v && v->secret)
            return true;
    }
    return false;
}

static bool add_length(const char *key, void *value, void *ctx)
{
    chain *c = ctx;
    size_t n = strlen(key), i = 0;
    while (i < c->lengths.n && c->lengths.v[i] > n)
        i++;
    if (i < c->lengths.n && c->lengths.v[i] == n)
        return true;
    FL_PUSH(c->r->a, &c->lengths, n);
    memmove(&c->lengths.v[i + 1], &c->lengths.v[i], (c->lengths.n - 1 - i) * sizeof *c->lengths.v);
    c->lengths.v[i] = n;
    return true;
}

static void collect_secrets(chain *c)
{
    for (size_t i = 0; i < c->uses.n; i++)
        if (holds_secret(c, c->uses.v[i]))
            res_conceal(c->r, est_expand(c->r->e, c->uses.v[i]), c->uses.v[i]->text);
    for (size_t i = 0; i < c->r->e->variables.n; i++) {
        const est_variable *v = c->r->e->variables.v[i];
        if (v->secret)
            res_conceal(c->r, v->text, fl_printf(c->r->a, "${%s}", v->name));
    }
    fl_map_each(c->r->written, add_length, c);
}

static bool in_word(char c)
{
    return (unsigned char)c >= 0x80 ||
           (c && strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", c));
}

static bool boundary(const char *s, size_t i)
{
    return !i || !in_word(s[i - 1]) || !in_word(s[i]);
}

/* The concealed text that stands at a place of a message, the longest; *n is its length. */
static const char *concealed_at(const chain *c, const char *s, size_t i, size_t len, size_t *n)
{
    for (size_t k = 0; boundary(s, i) && k < c->lengths.n; k++) {
        *n = c->lengths.v[k];
        if (*n > len - i || !boundary(s, i + *n))
            continue;
        char *text = fl_strndup(c->r->a, s + i, *n);
        const char *written = fl_map_get(c->r->written, text);
        if (written)
            return written;
    }
    return NULL;
}

/* The text with every concealed one as it is written in the policy. */
static const char *conceal(const chain *c, const char *s)
{
    size_t len = s ? strlen(s) : 0, n;
    bool any = false;
    fl_buf b;
    fl_buf_init(&b, (size_t)1 << 30);
    for (size_t i = 0; i < len;) {
        const char *written = concealed_at(c, s, i, len, &n);
        any |= written != NULL;
        if (written)
            fl_buf_adds(&b, written);
        else
            fl_buf_add(&b, s + i, 1);
        i += written ? n : 1;
    }
    if (any)
        s = fl_strdup(c->r->a, b.p);
    fl_buf_free(&b);
    return s;
}

static void conceal_all(const chain *c, fl_diag *d)
{
    d->message = conceal(c, d->message);
    d->help = conceal(c, d->help);
    d->label = conceal(c, d->label);
    for (size_t i = 0; i < d->nrelated; i++)
        d->related[i].label = conceal(c, d->related[i].label);
    for (size_t i = 0; i < d->edits.n; i++)
        d->edits.v[i].text = conceal(c, d->edits.v[i].text);
}

void fc_chain(res *r, fl_diags *diags)
{
    if (!diags->list.n && !diags->waived.n)
        return;
    chain c = {.r = r, .diags = diags, .uses = res_uses_of_variables(r)};
    mark_hidden(&c);
    collect_secrets(&c);
    for (size_t i = 0; i < diags->list.n; i++) {
        fl_diag *d = diags->list.v[i];
        origins(diags, d);
        variables(&c, d);
        if (c.lengths.n)
            conceal_all(&c, d);
    }
}
