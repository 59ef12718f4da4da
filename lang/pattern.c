/* pattern.c: the patterns of the forms: a small language of its own, matched left to right with backtracking at `[…]`
 * and `(…|…)`. */
#include <stdint.h>
#include <string.h>

#include "lang/forms_tables.h"
#include "lang/pattern.h"

#define MANY "…"

/* ---- elements ---- */

static void read_slot(lang_element *e, const char *p)
{
    size_t n = strcspn(p, ":"), body = strcspn(p, ">");
    e->slot = p;
    e->nslot = n;
    e->type = p + n + 1;
    e->ntype = body - n - 1;
    size_t mark = strlen(MANY);
    if (e->ntype >= mark && memcmp(p + body - mark, MANY, mark) == 0) {
        e->many = true;
        e->ntype -= mark;
    }
    e->next = p + body + 1;
}

lang_element lang_pattern_next(const char *p)
{
    static const char signs[] = "[]()|:=";
    static const lang_pkind kinds[] = {LANG_P_OPEN, LANG_P_CLOSE, LANG_P_CHOICE, LANG_P_CLOSE,
                                       LANG_P_BAR,  LANG_P_COLON, LANG_P_EQUALS};
    p += strspn(p, " ");
    lang_element e = {.kind = LANG_P_END, .next = p};
    const char *sign = *p ? strchr(signs, *p) : NULL;
    if (*p == '\0')
        return e;
    e.next = p + 1;
    if (sign) {
        e.kind = kinds[sign - signs];
    } else if (*p == '<') {
        e.kind = LANG_P_SLOT;
        read_slot(&e, p + 1);
    } else {
        e.text = p;
        e.ntext = strcspn(e.text, " ,[]()|");
        e.next = e.text + e.ntext;
        e.kind = LANG_P_WORD;
        if (*e.next == ',') {
            e.kind = LANG_P_REST;
            read_slot(&e, e.next + 2);
        }
    }
    return e;
}

/* ---- patterns, read once ---- */

/* By the address of the form: the tables of forms are constant, and there are fewer than half as many. */
static struct {
    const lang_form *form;
    lang_pattern pattern;
} patterns[512];

/* Numbers count each place; one that has its name before goes by that one's number. */
static void number(lang_element *v, size_t n)
{
    int slots = 0, words = 0;
    for (size_t i = 0; i < n; i++) {
        lang_element *e = &v[i];
        e->slot_at = e->slot ? slots++ : -1;
        e->word_at = e->text ? words++ : -1;
        for (size_t k = i; k-- > 0;) {
            if (e->slot && v[k].slot && v[k].nslot == e->nslot && !memcmp(v[k].slot, e->slot, e->nslot))
                e->slot_at = v[k].slot_at;
            if (e->text && v[k].text && v[k].ntext == e->ntext && !memcmp(v[k].text, e->text, e->ntext))
                e->word_at = v[k].word_at;
        }
    }
}

static bool opens(const lang_element *e)
{
    return e->kind == LANG_P_OPEN || e->kind == LANG_P_CHOICE;
}

static void find_groups(lang_element *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t k = i + 1, depth = opens(&v[i]);
        for (; depth && k < n; k++) {
            depth += opens(&v[k]);
            depth -= v[k].kind == LANG_P_CLOSE;
        }
        v[i].behind = &v[k];
    }
}

static lang_pattern read_pattern(const char *text)
{
    size_t n = 0;
    lang_pattern p = {.nslots = 0};
    for (lang_element e = lang_pattern_next(text); e.kind != LANG_P_END; e = lang_pattern_next(e.next))
        n++;
    lang_element *v = fl_xcalloc(n + 1, sizeof *v), *to = v;
    for (*to = lang_pattern_next(text); to->kind != LANG_P_END; *to = lang_pattern_next(to[-1].next))
        p.nslots += to++->slot != NULL;
    number(v, n);
    find_groups(v, n);
    p.v = v;
    return p;
}

const lang_pattern *lang_pattern_of(const lang_form *form)
{
    enum { SIZE = sizeof patterns / sizeof *patterns };
    size_t at = (uintptr_t)form / sizeof *form % SIZE;
    while (patterns[at].form && patterns[at].form != form)
        at = (at + 1) % SIZE;
    if (!patterns[at].form) {
        patterns[at].pattern = read_pattern(form->pattern);
        patterns[at].form = form;
    }
    return &patterns[at].pattern;
}

void lang_prepare(void)
{
    for (int kind = LANG_TOP; kind < LANG_BKINDS; kind++) {
        size_t n;
        const lang_form *forms = lang_forms((lang_bkind)kind, &n);
        for (size_t i = 0; i < n; i++)
            lang_pattern_of(&forms[i]);
    }
    lang_pattern_of(&lang_forms_unset[0]);
}

/* ---- failures ---- */

static void add_word(void *ctx, const char *word, size_t n)
{
    lang_try *t = ctx;
    const char *text = fl_printf(t->a, "`%.*s`", (int)n, word);
    for (size_t i = 0; i < t->nwanted; i++)
        if (strcmp(t->wanted[i], text) == 0)
            return;
    if (t->nwanted < LANG_MAX_WANTED)
        t->wanted[t->nwanted++] = text;
    if (t->nwords < LANG_MAX_WANTED * 2)
        t->words[t->nwords++] = fl_strndup(t->a, word, n);
}

static void add_wanted(lang_try *t, const char *what)
{
    for (size_t i = 0; i < t->nwanted; i++)
        if (strcmp(t->wanted[i], what) == 0)
            return;
    if (t->nwanted < LANG_MAX_WANTED)
        t->wanted[t->nwanted++] = what;
}

void lang_try_words(lang_try *t, const char *type, size_t ntype)
{
    lang_type_words(type, ntype, add_word, t);
}

/* A failure at this item counts if none got further; true if what was wanted should be added. */
static bool fail_at(lang_try *t, size_t list, size_t item)
{
    if (t->quiet || (t->failed && (list < t->fail_list || (list == t->fail_list && item < t->fail_item))))
        return false;
    if (!t->failed || list > t->fail_list || item > t->fail_item) {
        t->nwanted = t->nwords = 0;
        t->misfit = NULL;
    }
    t->failed = true;
    t->fail_list = list;
    t->fail_item = item;
    t->fail_end = list >= t->nlists;
    t->fail_value =
        t->fail_end ? NULL
                    : &t->stmt->lists[list].items[item < t->stmt->lists[list].n ? item : t->stmt->lists[list].n - 1];
    t->fail_at = t->fail_end ? t->stmt->span : t->fail_value->span;
    if (t->fail_end) {
        uint32_t end = t->nlists ? t->stmt->lists[t->nlists - 1].span.to : t->stmt->head.span.to;
        t->fail_at.from = t->fail_at.to = end;
    }
    return true;
}

static void fail_type(lang_try *t, size_t list, size_t item, const lang_element *e, const lang_misfit *why)
{
    if (!fail_at(t, list, item))
        return;
    lang_type_words(e->type, e->ntype, add_word, t);
    if (why && why->want)
        add_wanted(t, why->want);
    if (why && why->message && !t->misfit) {
        lang_misfit *kept = FL_NEW(t->a, lang_misfit);
        *kept = *why;
        if (!kept->span.src)
            kept->span = t->fail_at;
        t->misfit = kept;
    }
}

/* The want of a slot where the statement has nothing at all: probed with a value that fits no type. */
static void fail_missing(lang_try *t, size_t list, const lang_element *e)
{
    static const lang_value nothing = {.kind = LANG_V_LIST, .second = &lang_no_name};
    lang_misfit why;
    if (!fail_at(t, list, 0))
        return;
    lang_type_words(e->type, e->ntype, add_word, t);
    if (e->ntype >= 5 && memcmp(e->type, "VALUE", 5) == 0)
        add_wanted(t, "a value");
    else if (e->ntype == 4 && memcmp(e->type, "JSON", 4) == 0)
        add_wanted(t, "a JSON value");
    else if (!lang_type_fits(t->a, e->type, e->ntype, &nothing, &why) && why.want)
        add_wanted(t, why.want);
}

/* ---- matching ---- */

typedef struct cursor {
    size_t list;
    bool equals, value, expr; /* parts of the statement that were taken */
} cursor;

typedef struct rest { /* what follows the group that is being matched */
    const lang_element *p;
    const struct rest *next;
} rest;

static bool match(lang_try *t, const lang_element *p, const rest *after, cursor at);

static void bind(lang_try *t, const lang_element *e, const lang_list *l)
{
    if (e->slot_at < LANG_MAX_SLOTS)
        t->slots[e->slot_at] = l;
}

static void keyword(lang_try *t, const lang_element *e)
{
    t->keywords |= 1U << e->word_at;
}

static lang_list *one_item(fl_arena *a, lang_value v)
{
    lang_list *l = FL_NEW(a, lang_list);
    l->items = FL_NEW(a, lang_value);
    l->items[0] = v;
    l->n = 1;
    l->span = v.span;
    return l;
}

static lang_value of_name(const lang_name *n)
{
    return (lang_value){.kind = LANG_V_NAME, .span = n->span, .name = *n, .second = &lang_no_name};
}

static bool is_keyword(const lang_value *v, const lang_element *e)
{
    return v->kind == LANG_V_NAME && v->name.quote == LANG_WORD && v->name.len == e->ntext &&
           memcmp(v->name.text, e->text, e->ntext) == 0;
}

static bool match_word(lang_try *t, const lang_element *e, const rest *after, cursor at)
{
    const lang_list *l = at.list < t->nlists ? &t->stmt->lists[at.list] : NULL;
    bool rest_slot = e->kind == LANG_P_REST;
    if (!l || !is_keyword(&l->items[0], e) || (l->n > 1 && !rest_slot)) {
        if (fail_at(t, at.list, 0))
            add_word(t, e->text, e->ntext);
        return false;
    }
    for (size_t i = 1; i < l->n; i++) {
        lang_misfit why;
        if (!lang_type_fits(t->a, e->type, e->ntype, &l->items[i], &why)) {
            fail_type(t, at.list, i, e, &why);
            return false;
        }
    }
    keyword(t, e);
    if (rest_slot && l->n > 1) {
        lang_list *others = FL_NEW(t->a, lang_list);
        *others = (lang_list){.items = l->items + 1, .n = l->n - 1, .span = l->span};
        others->span.from = l->items[1].span.from;
        bind(t, e, others);
    }
    at.list++;
    return match(t, e + 1, after, at);
}

static bool fits_one(lang_try *t, const lang_element *e, const lang_value *v, size_t list, size_t item)
{
    lang_misfit why;
    if (!lang_type_fits(t->a, e->type, e->ntype, v, &why)) {
        fail_type(t, list, item, e, &why);
        return false;
    }
    return true;
}

/* `<a:T> : <b:T>` */
static bool match_pair(lang_try *t, const lang_element *a, const lang_element *b, const rest *after, cursor at)
{
    const lang_list *l = at.list < t->nlists ? &t->stmt->lists[at.list] : NULL;
    if (!l) {
        fail_missing(t, at.list, a);
        return false;
    }
    if (l->n != 1 || l->items[0].kind != LANG_V_PAIR) {
        if (fail_at(t, at.list + (l->n == 1), l->n == 1 ? 0 : 1))
            add_wanted(t, "`:`");
        return false;
    }
    lang_list *first = one_item(t->a, of_name(&l->items[0].name)),
              *second = one_item(t->a, of_name(l->items[0].second));
    if (!fits_one(t, a, first->items, at.list, 0) || !fits_one(t, b, second->items, at.list, 0))
        return false;
    bind(t, a, first);
    bind(t, b, second);
    at.list++;
    return match(t, b + 1, after, at);
}

static bool match_slot(lang_try *t, const lang_element *e, const rest *after, cursor at)
{
    if (e->ntype == 4 && memcmp(e->type, "EXPR", 4) == 0) {
        if (!t->stmt->expr) {
            if (fail_at(t, at.list, 0))
                add_wanted(t, "a condition");
            return false;
        }
        at.expr = true;
        return match(t, e + 1, after, at);
    }
    if (e[1].kind == LANG_P_COLON)
        return match_pair(t, e, e + 2, after, at);
    if (at.list >= t->nlists) {
        fail_missing(t, at.list, e);
        return false;
    }
    const lang_list *l = &t->stmt->lists[at.list];
    for (size_t i = 0; i < l->n; i++) {
        if (i == 1 && !e->many) {
            if (fail_at(t, at.list, 1))
                add_wanted(t, "one item and no list");
            return false;
        }
        if (!fits_one(t, e, &l->items[i], at.list, i))
            return false;
    }
    bind(t, e, l);
    at.list++;
    return match(t, e + 1, after, at);
}

static bool match_value(lang_try *t, const lang_element *e, const rest *after, cursor at)
{
    const lang_element *slot = e + 1;
    if (!t->stmt->value || at.list < t->nlists) {
        if (fail_at(t, at.list, 0))
            add_wanted(t, "`=`");
        return false;
    }
    lang_misfit why;
    if (!lang_type_fits(t->a, slot->type, slot->ntype, t->stmt->value, &why)) {
        if (fail_at(t, t->nlists, 0)) {
            t->fail_end = false;
            t->fail_value = t->stmt->value;
            t->fail_at = t->stmt->value->span;
            fail_type(t, t->nlists, 0, slot, &why);
            t->fail_end = false;
            t->fail_value = t->stmt->value;
            t->fail_at = t->stmt->value->span;
            if (t->misfit && !why.span.src)
                ((lang_misfit *)t->misfit)->span = t->fail_at;
        }
        return false;
    }
    bind(t, slot, one_item(t->a, *t->stmt->value));
    at.equals = true;
    return match(t, slot + 1, after, at);
}

/* Tries a branch; a failed one leaves no trace but its failure. */
static bool branch(lang_try *t, const lang_element *p, const rest *after, cursor at)
{
    const lang_list *slots[LANG_MAX_SLOTS];
    unsigned keywords = t->keywords;
    memcpy(slots, t->slots, sizeof slots);
    if (match(t, p, after, at))
        return true;
    memcpy(t->slots, slots, sizeof slots);
    t->keywords = keywords;
    return false;
}

static bool match_choice(lang_try *t, const lang_element *choice, const rest *after, cursor at)
{
    rest behind = {choice->behind, after};
    for (const lang_element *p = choice + 1;;) {
        if (branch(t, p, &behind, at))
            return true;
        while (p->kind != LANG_P_BAR && p + 1 < choice->behind)
            p = opens(p) ? p->behind : p + 1;
        if (p->kind != LANG_P_BAR)
            return false;
        p++;
    }
}

/* The end of the pattern: the statement must end, too. */
static bool match_end(lang_try *t, cursor at)
{
    if (at.list < t->nlists) {
        if (fail_at(t, at.list, 0))
            add_wanted(t, "the end of the line");
        return false;
    }
    if ((t->stmt->value && !at.equals) || (t->stmt->expr && !at.expr)) {
        if (fail_at(t, at.list, 0))
            add_wanted(t, "the end of the line");
        return false;
    }
    return true;
}

static bool match(lang_try *t, const lang_element *e, const rest *after, cursor at)
{
    rest behind = {e->behind, after};
    switch (e->kind) {
    case LANG_P_WORD:
    case LANG_P_REST:
        return match_word(t, e, after, at);
    case LANG_P_SLOT:
        return match_slot(t, e, after, at);
    case LANG_P_EQUALS:
        return match_value(t, e, after, at);
    case LANG_P_OPEN:
        return branch(t, e + 1, &behind, at) || branch(t, e->behind, after, at);
    case LANG_P_CHOICE:
        return match_choice(t, e, after, at);
    case LANG_P_BAR:
    case LANG_P_CLOSE:
        return match(t, after->p, after->next, at);
    default:
        return match_end(t, at);
    }
}

/* The head is the first element: a keyword that the caller compared, or a slot of a block of free names. */
bool lang_pattern_match(lang_try *t, const lang_form *form)
{
    const lang_element *head = lang_pattern_of(form)->v;
    t->keywords = 0;
    memset(t->slots, 0, sizeof t->slots);
    if (head->kind == LANG_P_SLOT)
        bind(t, head, one_item(t->a, t->stmt->head));
    return match(t, head + 1, NULL, (cursor){0});
}

/* ---- reading matched statements ---- */

size_t lang_slots(const lang_form *form)
{
    size_t n = lang_pattern_of(form)->nslots;
    return n < LANG_MAX_SLOTS ? n : LANG_MAX_SLOTS;
}

const lang_list *lang_get(const lang_stmt *s, const char *slot)
{
    size_t n = strlen(slot);
    for (const lang_element *e = s->form ? lang_pattern_of(s->form)->v : NULL; e && e->kind != LANG_P_END; e++)
        if (e->slot && e->nslot == n && !memcmp(e->slot, slot, n))
            return s->slots[e->slot_at];
    return NULL;
}

const lang_value *lang_get1(const lang_stmt *s, const char *slot)
{
    const lang_list *l = lang_get(s, slot);
    return l ? &l->items[0] : NULL;
}

bool lang_has(const lang_stmt *s, const char *word)
{
    size_t n = strlen(word);
    for (const lang_element *e = s->form ? lang_pattern_of(s->form)->v : NULL; e && e->kind != LANG_P_END; e++)
        if (e->text && e->ntext == n && !memcmp(e->text, word, n))
            return s->keywords >> e->word_at & 1;
    return false;
}

bool lang_is(const lang_stmt *s, const char *form_id)
{
    return s->form && (s->form->id == form_id || strcmp(s->form->id, form_id) == 0);
}

const lang_stmt *lang_find(const lang_block *b, const char *form_id)
{
    for (size_t i = 0; b && i < b->n; i++)
        if (lang_is(b->stmts[i], form_id))
            return b->stmts[i];
    return NULL;
}
