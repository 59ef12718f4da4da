/* match.c: the second layer: each statement of a block against the forms of that kind of block, and the block against
 * what it must hold. */
#include <string.h>

#include "lang/forms_tables.h"
#include "lang/pattern.h"
#include "lang/syntax.h"

typedef struct matching {
    fl_arena *a;
    fl_diags *diags;
    bool overlay; /* inside `environment` or `defaults`: nothing is required, `unset` may stand */
    bool mended;  /* which block a statement stands in is a guess */
    bool ok;
    size_t *errors; /* reported about this file; the matching ends at a maximum */
} matching;

typedef struct candidates {
    const lang_form *v[24];
    size_t n;
} candidates;

static void match_block(matching *m, lang_block *b, lang_bkind kind, fl_span owner);

static fl_diag *refuse(matching *m, fl_span at, const char *text)
{
    m->ok = false;
    ++*m->errors;
    return fl_diag_add(m->diags, "syntax", FL_ERROR, at, "%s", text);
}

/* ---- forms of a statement ---- */

static bool free_names(lang_bkind kind)
{
    return kind == LANG_CONFIG || kind == LANG_PARAMS || kind == LANG_PRIVATE || kind == LANG_PROPERTIES ||
           kind == LANG_IDS;
}

/* Does the form take any name at its head? */
static bool is_named(const lang_form *f)
{
    return f->pattern[0] == '<';
}

static bool has_head(const lang_form *f, const lang_name *head)
{
    if (f->pattern[0] != head->text[0]) /* most */
        return false;
    const lang_element *e = lang_pattern_of(f)->v;
    return e->kind == LANG_P_WORD && head->quote == LANG_WORD && e->ntext == head->len &&
           memcmp(e->text, head->text, head->len) == 0;
}

/* The forms that a statement with this head may have in such a block. In a block of free names every `=` is a property.
 */
static candidates find(const matching *m, lang_bkind kind, const lang_stmt *s)
{
    candidates c;
    size_t n;
    const lang_form *forms = lang_forms(kind, &n);
    c.n = 0;
    for (size_t i = 0; i < n && c.n < sizeof c.v / sizeof c.v[0]; i++) {
        if (is_named(&forms[i]) ? s->value || kind == LANG_CONVERTERS
                                : has_head(&forms[i], &s->head.name) && !(free_names(kind) && s->value))
            c.v[c.n++] = &forms[i];
    }
    if (c.n == 0 && m->overlay && has_head(&lang_forms_unset[0], &s->head.name))
        c.v[c.n++] = &lang_forms_unset[0];
    return c;
}

/* ---- messages ---- */

static const char *in_block(const matching *m, lang_bkind kind)
{
    switch (kind) {
    case LANG_TOP:
        return "at the top level";
    case LANG_SIDE:
        return "in the block of `key` or `value`";
    case LANG_ENV_TOPIC:
        return "in the `topic` of an environment";
    default:
        return fl_printf(m->a, "in `%s`", lang_bkind_name(kind));
    }
}

/* The heads of a kind of block, each once. */
static size_t heads(const matching *m, lang_bkind kind, const char **out, size_t max)
{
    size_t n, k = 0;
    const lang_form *forms = lang_forms(kind, &n);
    for (size_t i = 0; i < n && k < max; i++) {
        const lang_element *e = lang_pattern_of(&forms[i])->v;
        const char *head = e->kind == LANG_P_WORD ? fl_strndup(m->a, e->text, e->ntext) : NULL;
        if (head && (k == 0 || strcmp(out[k - 1], head) != 0))
            out[k++] = head;
    }
    return k;
}

static const char *join(const matching *m, const char *const *what, size_t n, const char *last, const char *quote)
{
    const char *text = "";
    for (size_t i = 0; i < n; i++)
        text = fl_printf(m->a, "%s%s%s%s%s", text, i == 0 ? "" : i + 1 == n ? last : ", ", quote, what[i], quote);
    return text;
}

/* Another kind of block that knows this head. */
static const char *home_of(const matching *m, const lang_name *head)
{
    for (int kind = LANG_TOP; kind < LANG_BKINDS; kind++) {
        size_t n;
        const lang_form *forms = lang_forms((lang_bkind)kind, &n);
        for (size_t i = 0; i < n; i++)
            if (has_head(&forms[i], head))
                return in_block(m, (lang_bkind)kind);
    }
    return NULL;
}

static bool knows_head(lang_bkind kind, const lang_name *head)
{
    size_t n;
    const lang_form *forms = lang_forms(kind, &n);
    for (size_t i = 0; i < n; i++)
        if (has_head(&forms[i], head))
            return true;
    return false;
}

/* Decides the statement which fields are encrypted, and how? Then it stands where it is written and nowhere else. */
static bool protects(const lang_name *head)
{
    static const char *const others[] = {"topics", "tag", "subject"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (!strcmp(head->text, others[i]))
            return true;
    return knows_head(LANG_TOPIC, head) || knows_head(LANG_SIDE, head) || knows_head(LANG_ENCRYPT, head) ||
           knows_head(LANG_RULE, head);
}

/* What an environment or a default cannot say, because it is the same everywhere or because it stands elsewhere. */
static void refuse_overlay(matching *m, lang_bkind kind, const lang_stmt *s)
{
    bool defaults = kind >= LANG_DEFAULTS_CONNECTOR && kind <= LANG_DEFAULTS_ENCRYPT;
    const char *words[32], *head = s->head.name.text;
    m->ok = false;
    ++*m->errors;
    fl_diag *d =
        fl_diag_add(m->diags, "overlay-refused", FL_ERROR, s->head.span,
                    defaults ? "`%.60s` cannot be a default" : "`%.60s` is the same in every environment", head);
    if (protects(&s->head.name))
        fl_diag_help(m->diags, d,
                     defaults ? "what is encrypted stands at the topic itself, where a reviewer reads it"
                              : "what is encrypted stands outside of environments, at the topic or "
                                "connector itself, and none of them changes it");
    else
        fl_diag_help(m->diags, d, "%s stand %s", in_block(m, kind),
                     join(m, words, heads(m, kind, words, 32), " and ", "`"));
}

static void unknown_head(matching *m, lang_bkind kind, const lang_stmt *s)
{
    const char *words[32];
    size_t n = heads(m, kind, words, 32);
    const lang_name *head = &s->head.name;
    if (free_names(kind) && !s->value) {
        fl_diag *d = refuse(m, s->head.span, fl_printf(m->a, "expected `=` after `%.60s`", head->text));
        fl_diag_help(m->diags, d, "%s", lang_forms(kind, &(size_t){0})[0].doc);
        return;
    }
    const char *elsewhere = head->quote == LANG_WORD ? home_of(m, head) : NULL;
    if (m->mended && elsewhere)
        return; /* of another block: the brace is the mistake, and it was reported */
    if (m->overlay && elsewhere) {
        refuse_overlay(m, kind, s);
        return;
    }
    const char *near = fl_nearest(head->text, words, n);
    fl_diag *d = refuse(
        m, s->head.span,
        near ? fl_printf(m->a, "`%.60s` is not known %s, did you mean `%s`?", head->text, in_block(m, kind), near)
             : fl_printf(m->a, "`%.60s` is not known %s", head->text, in_block(m, kind)));
    const char *home = near ? NULL : elsewhere;
    if (home)
        fl_diag_help(m->diags, d, "`%s` stands %s", head->text, home);
    else if (!near && n)
        fl_diag_help(m->diags, d, "here stand %s", join(m, words, n, " and ", "`"));
}

static const char *value_text(const matching *m, const lang_value *v)
{
    size_t n = v->span.to - v->span.from;
    return fl_printf(m->a, "%.*s%s", n > 60 ? 60 : (int)n, v->span.src->text + v->span.from, n > 60 ? "…" : "");
}

/* "expected `with` here", "`AES265_GCM` is not known here, did you mean `AES256_GCM`?" */
static void no_fit(matching *m, const lang_try *t, const lang_form *form, bool only)
{
    const lang_value *v = t->fail_value;
    bool word = v && v->kind == LANG_V_NAME && v->name.quote == LANG_WORD;
    const char *near = word ? fl_nearest(v->name.text, t->words, t->nwords) : NULL;
    fl_diag *d;
    if (near && strcmp(near, v->name.text) != 0) {
        d = refuse(m, t->fail_at,
                   fl_printf(m->a, "`%s` is not known here, did you mean `%s`?", value_text(m, v), near));
    } else if (t->misfit) {
        d = refuse(m, t->misfit->span, t->misfit->message);
        if (t->misfit->secret)
            fl_diags_hide(m->diags, t->misfit->span);
        if (t->misfit->help)
            fl_diag_help(m->diags, d, "%s", t->misfit->help);
        return;
    } else if (t->stmt->value && t->fail_end && t->nlists == 0) {
        d = refuse(m, t->fail_at, fl_printf(m->a, "no `=` stands after `%s`", t->stmt->head.name.text));
        const char *text = lang_form_text(m->a, form);
        if (strstr(text, "SECRET"))
            fl_diag_help(m->diags, d, "the form is `%s`", text);
        else
            fl_diag_help(m->diags, d, "write `%s %s`", t->stmt->head.name.text, value_text(m, t->stmt->value));
        return;
    } else {
        d = refuse(m, t->fail_at, fl_printf(m->a, "expected %s here", join(m, t->wanted, t->nwanted, " or ", "")));
    }
    if (only || t->nwanted == 1)
        fl_diag_help(m->diags, d, "the form is `%s`", lang_form_text(m->a, form));
}

/* ---- one statement ---- */

/* An empty `{}` at the end of the phrase, where the form has a block. */
static bool is_empty_block(const lang_stmt *s, const lang_form *f)
{
    if (!(f->flags & (LANG_F_BLOCK | LANG_F_BLOCK_REQUIRED)) || s->block || s->value || !s->nlists)
        return false;
    const lang_list *l = &s->lists[s->nlists - 1];
    return l->n == 1 && l->items[0].kind == LANG_V_OBJECT && l->items[0].n == 0;
}

static void take_empty_block(matching *m, lang_stmt *s)
{
    fl_span at = s->lists[--s->nlists].span;
    s->block = FL_NEW(m->a, lang_block);
    s->block->open = s->block->close = at;
    s->block->open.to = at.from + 1;
    s->block->close.from = at.to - 1;
    s->span.to = at.from + 1;
}

static bool accept_form(matching *m, lang_stmt *s, const lang_form *f, lang_try *t)
{
    t->nlists = s->nlists - is_empty_block(s, f);
    if (!lang_pattern_match(t, f))
        return false;
    size_t n = lang_slots(f);
    if (is_empty_block(s, f))
        take_empty_block(m, s);
    s->form = f;
    s->keywords = t->keywords;
    s->slots = FL_NEW_N(m->a, const lang_list *, n + 1);
    memcpy(s->slots, t->slots, n * sizeof *s->slots);
    return true;
}

static bool judge_block(matching *m, lang_stmt *s)
{
    unsigned flags = s->form->flags;
    if (s->block && !(flags & (LANG_F_BLOCK | LANG_F_BLOCK_REQUIRED))) {
        refuse(m, s->block->open, fl_printf(m->a, "`%.60s` has no block", s->head.name.text));
        return false;
    }
    if (!s->block && (flags & LANG_F_BLOCK_REQUIRED)) {
        fl_span end = s->span;
        end.from = end.to;
        fl_diag *d = refuse(m, end, "expected `{` here");
        fl_diag_help(m->diags, d, "`%.60s` has a block", s->head.name.text);
        return false;
    }
    return s->block != NULL;
}

static void match_child(matching *m, lang_stmt *s)
{
    matching inner = *m;
    inner.ok = true;
    inner.overlay =
        m->overlay || strcmp(s->form->id, "top.environment") == 0 || strcmp(s->form->id, "top.defaults") == 0;
    match_block(&inner, s->block, s->form->child, s->span);
    m->ok &= inner.ok;
}

/* None of the forms fits: they are tried again, for what each wanted where it got furthest. */
static void explain(matching *m, lang_stmt *s, const candidates *c)
{
    lang_try t = {.a = m->a, .stmt = s};
    const lang_form *best = NULL;
    for (size_t i = 0; i < c->n; i++) {
        size_t list = t.fail_list, item = t.fail_item;
        accept_form(m, s, c->v[i], &t);
        if (!best || t.fail_list != list || t.fail_item != item)
            best = c->v[i];
    }
    no_fit(m, &t, best, c->n == 1);
}

/* The name of a property. */
static void judge_head(matching *m, lang_stmt *s)
{
    const lang_element *e = lang_pattern_of(s->form)->v;
    lang_misfit why;
    lang_try t = {.a = m->a, .stmt = s, .nlists = s->nlists, .fail_value = &s->head, .fail_at = s->head.span};
    if (s->head.name.has_vars || s->head.name.len == 0) {
        refuse(m, s->head.span,
               s->head.name.len ? "no variable can stand in the name of a property" : "the name is empty");
    } else if (!lang_type_fits(m->a, e->type, e->ntype, &s->head, &why)) {
        lang_try_words(&t, e->type, e->ntype);
        no_fit(m, &t, s->form, true);
    }
}

static void match_stmt(matching *m, lang_stmt *s, lang_bkind kind)
{
    candidates c = find(m, kind, s);
    lang_try t = {.a = m->a, .stmt = s, .quiet = true};
    if (c.n == 0) {
        unknown_head(m, kind, s);
        return;
    }
    for (size_t i = 0; i < c.n && !s->form; i++)
        accept_form(m, s, c.v[i], &t);
    if (!s->form) {
        explain(m, s, &c);
        return;
    }
    if (is_named(s->form))
        judge_head(m, s);
    if (m->overlay && (s->form->flags & LANG_F_FIXED))
        refuse_overlay(m, kind, s);
    if (judge_block(m, s))
        match_child(m, s);
}

/* A statement with a syntax error, or with text that could not be scanned: only its block is looked at, if its head
 * says what it is. */
static void match_damaged(matching *m, lang_stmt *s, lang_bkind kind)
{
    candidates c = find(m, kind, s);
    if (!s->block || c.n == 0)
        return;
    for (size_t i = 0; i < c.n; i++)
        if (c.v[i]->child == LANG_NOBLOCK || c.v[i]->child != c.v[0]->child)
            return;
    lang_stmt as = *s;
    as.form = c.v[0];
    as.block->damaged = true; /* whose it is can only be guessed: nothing is missing in it */
    match_child(m, &as);
}

/* ---- what a block holds ---- */

static void duplicate(matching *m, const lang_stmt *s, const lang_stmt *first)
{
    m->ok = false;
    fl_diag *d = fl_diag_add(m->diags, "duplicate-attribute", FL_ERROR, s->head.span, "`%.60s` is stated twice",
                             s->head.name.text);
    fl_diag_again(m->diags, d, first->head.span);
}

/* The statements of a block that may stand once. There are no more of them than forms (a unit counts those). */
typedef struct stated {
    const lang_stmt *v[LANG_MAX_FORMS];
    size_t n;
} stated;

/* Do they say the same thing? `refresh` is about one side, or without one about both. */
static bool same_thing(const lang_stmt *x, const lang_stmt *y)
{
    if (x->form != y->form && strcmp(x->form->id, y->form->id) != 0)
        return false;
    const lang_value *a = lang_get1(x, "side"), *b = lang_get1(y, "side");
    return strcmp(x->form->id, "connector.refresh") != 0 || !a || !b || !strcmp(a->name.text, b->name.text);
}

/* The statement that said this before; NULL: there is none, and this is the first. */
static const lang_stmt *said_before(stated *all, const lang_stmt *s)
{
    for (size_t i = 0; i < all->n; i++)
        if (same_thing(all->v[i], s))
            return all->v[i];
    if (all->n < LANG_MAX_FORMS)
        all->v[all->n++] = s;
    return NULL;
}

/* By form; in a block of free names by name. */
static void find_duplicates(matching *m, const lang_block *b)
{
    stated all;
    fl_map *names = NULL;
    all.n = 0;
    for (size_t i = 0; i < b->n; i++) {
        lang_stmt *s = b->stmts[i];
        const lang_stmt *first = NULL;
        if (!s->form)
            continue;
        if (is_named(s->form)) {
            if (!names)
                names = fl_map_new();
            first = fl_map_get(names, s->head.name.text);
            if (!first)
                fl_map_put(names, s->head.name.text, s);
        } else if (!(s->form->flags & LANG_F_REPEAT)) {
            first = said_before(&all, s);
        }
        if (first)
            duplicate(m, s, first);
    }
    fl_map_free(names);
}

/* What a block lacks: one message, however much it is. */
typedef struct lacking {
    const char *what[16], *forms[16];
    const lang_form *form; /* the first */
    size_t n, nforms;
} lacking;

static void lacks(matching *m, lacking *l, const char *what, const lang_form *f)
{
    enum { MAX = sizeof l->what / sizeof *l->what };
    if (l->n < MAX)
        l->what[l->n++] = what;
    if (f && l->nforms < MAX)
        l->forms[l->nforms++] = lang_form_text(m->a, f);
    l->form = l->form ? l->form : f;
}

static void missing(matching *m, fl_span owner, lang_bkind kind, const lacking *l)
{
    if (!l->n)
        return;
    fl_diag *d = refuse(m, owner,
                        fl_printf(m->a, "%s %s missing %s", join(m, l->what, l->n, " and ", ""),
                                  l->n == 1 ? "is" : "are", in_block(m, kind)));
    if (l->nforms == 1 && l->n == 1)
        fl_diag_help(m->diags, d, "%s: `%s`", l->form->doc, l->forms[0]);
    else if (l->nforms)
        fl_diag_help(m->diags, d, "write %s", join(m, l->forms, l->nforms, " and ", "`"));
}

/* Was a statement with this head written, be it a wrong one? Then the head's own message is enough. */
static bool attempted(const lang_block *b, const lang_form *f)
{
    for (size_t i = 0; i < b->n; i++)
        if (has_head(f, &b->stmts[i]->head.name))
            return true;
    return false;
}

static bool expects(const lang_block *b)
{
    for (size_t i = 0; i < b->n; i++)
        if (!strcmp(b->stmts[i]->head.name.text, "expect"))
            return true;
    return false;
}

static void find_missing(matching *m, const lang_block *b, lang_bkind kind, fl_span owner)
{
    size_t n, one_of = 0, alternatives = 0;
    const lang_form *forms = lang_forms(kind, &n);
    lacking l;
    l.n = l.nforms = 0;
    l.form = NULL;
    for (size_t i = 0; i < n; i++) {
        const lang_form *f = &forms[i];
        if ((f->flags & LANG_F_REQUIRED) && !attempted(b, f) && (i == 0 || strcmp(forms[i - 1].id, f->id) != 0))
            lacks(m, &l, fl_printf(m->a, "`%s`", strchr(f->id, '.') + 1), f);
        alternatives += (f->flags & LANG_F_ONE_OF) != 0;
        one_of += (f->flags & LANG_F_ONE_OF) && attempted(b, f);
    }
    if (alternatives && one_of == 0)
        lacks(m, &l, "`shared` or `private`", NULL);
    if (kind == LANG_TEST && !expects(b))
        lacks(m, &l, "an `expect`", NULL);
    missing(m, owner, kind, &l);
}

static void find_exclusive(matching *m, const lang_block *b, lang_bkind kind, fl_span owner)
{
    size_t n, one_of = 0;
    const lang_form *forms = lang_forms(kind, &n);
    for (size_t i = 0; i < n; i++)
        one_of += (forms[i].flags & LANG_F_ONE_OF) && attempted(b, &forms[i]);
    if (one_of > 1)
        refuse(m, owner, "`shared` and `private` exclude each other");
}

/* owner: the head of the statement whose block it is. */
static void match_block(matching *m, lang_block *b, lang_bkind kind, fl_span owner)
{
    b->kind = kind;
    for (size_t i = 0; i < b->n && *m->errors < LANG_MAX_ERRORS; i++) {
        if (b->stmts[i]->damaged)
            match_damaged(m, b->stmts[i], kind);
        else
            match_stmt(m, b->stmts[i], kind);
    }
    find_duplicates(m, b);
    if (kind == LANG_KEK)
        find_exclusive(m, b, kind, owner);
    if (!b->damaged && !m->overlay && kind != LANG_TOP)
        find_missing(m, b, kind, owner);
}

bool lang_match(fl_arena *a, lang_file *file, fl_diags *diags)
{
    size_t errors = 0;
    matching m = {.a = a, .diags = diags, .mended = file->mended, .ok = !file->damaged, .errors = &errors};
    match_block(&m, file->top, LANG_TOP, (fl_span){0});
    return m.ok;
}
