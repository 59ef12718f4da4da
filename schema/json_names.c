/* json_names.c: names of leaves of JSON Schema as the vendor's clients write them: `$.a.b`, below an array with or
 * without an index (docs/language.md 7, docs/wire.md 6). */
#include "schema/names.h"

#include <string.h>

/* One step of a canonical path (select.c writes them), decoded into `name`; NULL text at the end. */
typedef struct cursor {
    const char *at;
    char *name;
    enum { NAME, ITEMS, VALUES, END } kind;
} cursor;

static void next(cursor *c)
{
    char *to = c->name;
    if (*c->at == '.')
        c->at++;
    c->kind = !*c->at ? END : *c->at == '[' ? ITEMS : *c->at == '*' ? VALUES : NAME;
    if (c->kind != NAME) {
        c->at += c->kind == ITEMS ? 2 : c->kind == VALUES;
        return;
    }
    bool quoted = *c->at == '"';
    for (c->at += quoted; *c->at && (quoted ? *c->at != '"' : sch_path_is_word(*c->at)); c->at++) {
        if (quoted && *c->at == '\\')
            c->at++;
        *to++ = *c->at;
    }
    c->at += quoted && *c->at;
    *to = '\0';
}

typedef struct facts {
    bool below_array;   /* a name follows an array's elements */
    bool odd;           /* a name holds what keys read as wildcards, or as other steps */
    const char *last;   /* the last name; NULL: none */
    const char *behind; /* what follows it: elements of arrays, to which clients add nothing */
} facts;

static facts facts_of(const char *path, fl_arena *a)
{
    cursor c = {.at = path, .name = fl_alloc(a, strlen(path) + 1)};
    facts f = {.behind = path};
    bool items = false;
    for (next(&c); c.kind != END; next(&c)) {
        items |= c.kind == ITEMS;
        if (c.kind == ITEMS)
            continue;
        f.below_array |= items;
        f.behind = c.at;
        if (c.kind != NAME)
            continue;
        f.odd |= strpbrk(c.name, ".*?\\[]") != NULL;
        f.last = fl_strdup(a, c.name);
    }
    return f;
}

/* `items` is what stands for an array's elements: "", "*", "[0]". */
static const char *spell(const char *path, const facts *f, const char *items, fl_arena *a)
{
    fl_buf b;
    cursor c = {.at = path, .name = fl_alloc(a, strlen(path) + 1)};
    bool star = false;
    fl_buf_init(&b, 4 * strlen(path) + 16);
    fl_buf_addc(&b, '$');
    while (c.at < f->behind) {
        next(&c);
        if (c.kind == ITEMS) {
            if (!star || *items != '*')
                fl_buf_adds(&b, items);
            star = true;
            continue;
        }
        star = false;
        fl_buf_addc(&b, '.');
        fl_buf_adds(&b, c.kind == VALUES ? "*" : c.name);
    }
    const char *name = fl_strdup(a, b.p);
    fl_buf_free(&b);
    return name;
}

size_t sch_json_keys(const sch_hit *h, fl_arena *a, const char *out[SCH_MAX_KEYS])
{
    facts f = facts_of(h->path, a);
    size_t n = 0;
    if (f.odd || h->unwalked || !f.last)
        return 0;
    if (h->in_recursion) {
        out[n++] = fl_printf(a, "$**.%s", f.last);
        return n;
    }
    out[n++] = spell(h->path, &f, "", a);
    if (f.below_array)
        out[n++] = spell(h->path, &f, "*", a);
    return n;
}

size_t sch_json_names(const sch_hit *h, fl_arena *a, const char *out[SCH_MAX_KEYS])
{
    facts f = facts_of(h->path, a);
    size_t n = 0;
    if (h->unwalked || !f.last)
        return 0;
    out[n++] = spell(h->path, &f, "", a);
    if (f.below_array) {
        out[n++] = spell(h->path, &f, "[0]", a);
        out[n++] = spell(h->path, &f, "[17]", a);
    }
    return n;
}
