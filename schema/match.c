/* match.c: metadata.tags keys: which are written for a field, which names a key matches, which leaves a field's keys
 * cover. */
#include "schema/schema.h"

#include <stdlib.h>
#include <string.h>

size_t sch_match_keys(const sch_schema *s, const sch_hit *h, fl_arena *a, const char *out[SCH_MAX_KEYS])
{
    const sch_field *f = h->field;
    if (!f || s->format != SCH_AVRO)
        return 0;
    const char *full = f->record->name, *dot = strrchr(full, '.');
    const char *simple = dot ? dot + 1 : full;
    size_t n = 0;
    out[n++] = fl_printf(a, "%s.%s", full, f->name);
    out[n++] = fl_printf(a, "**.%s.%s", simple, f->name);
    if (dot)
        out[n++] = fl_printf(a, "%s.%s", simple, f->name);
    return n;
}

/* ---- the vendor's matcher ---- */

/* As WildcardMatcher.java of schema-registry (and the regular expressions of the Python, JavaScript and Go clients)
 * reads a key: `?` one character but a dot, `*` any run without a dot, `**` any run, `\` takes the next character as it
 * is, and `**.*` means `**`. reached[j]: what was read of the key matches the first j bytes of the name. */
typedef struct matcher {
    const char *name;
    size_t n;
    bool *reached;
    bool any; /* is anything reached? */
} matcher;

static void match_star(matcher *m, bool across)
{
    for (size_t j = 0; j < m->n; j++)
        m->reached[j + 1] |= m->reached[j] && (across || m->name[j] != '.');
}

static void match_char(matcher *m, bool any_char, char c)
{
    m->any = false;
    for (size_t j = m->n; j-- > 0;) {
        m->reached[j + 1] = m->reached[j] && (any_char ? m->name[j] != '.' : m->name[j] == c);
        m->any |= m->reached[j + 1];
    }
    m->reached[0] = false;
}

/* The key with each `**.*` as `**`; to be freed. */
static char *fold(const char *key)
{
    char *folded = fl_xstrdup(key), *to = folded;
    for (const char *from = folded; *from;) {
        bool deep = !strncmp(from, "**.*", 4);
        *to++ = *from++;
        if (deep) {
            *to++ = '*';
            from += 3;
        }
    }
    *to = '\0';
    return folded;
}

static void match_key(matcher *m, const char *key)
{
    while (*key && m->any) {
        char c = *key++;
        if (c == '*') {
            size_t more = strspn(key, "*");
            key += more;
            match_star(m, more > 0);
            continue;
        }
        if (c == '\\' && *key) {
            match_char(m, false, *key++);
            continue;
        }
        match_char(m, c == '?', c);
    }
}

bool sch_key_matches(const char *key, const char *full_name)
{
    if (!strpbrk(key, "*?\\"))
        return !strcmp(key, full_name);
    matcher m = {.name = full_name, .n = strlen(full_name), .any = true};
    m.reached = fl_xcalloc(m.n + 1, sizeof *m.reached);
    m.reached[0] = true;
    char *folded = fold(key);
    match_key(&m, folded);
    bool yes = m.any && m.reached[m.n];
    free(folded);
    free(m.reached);
    return yes;
}

/* ---- coverage ---- */

size_t sch_client_names(const sch_schema *s, const sch_hit *h, fl_arena *a, const char *out[SCH_MAX_KEYS])
{
    if (!h->field || s->format != SCH_AVRO)
        return 0;
    out[0] = fl_printf(a, "%s.%s", h->field->record->name, h->field->name);
    return 1;
}

static bool covers(const char *const keys[3], size_t nkeys, const sch_field *f, fl_buf *name)
{
    fl_buf_clear(name);
    fl_buf_addf(name, "%s.%s", f->record->name, f->name);
    for (size_t i = 0; i < nkeys; i++) {
        if (sch_key_matches(keys[i], name->p))
            return true;
    }
    return false;
}

void sch_covered(const sch_schema *s, fl_arena *a, const sch_hit *h, sch_hits *out)
{
    const char *keys[SCH_MAX_KEYS];
    const sch_field *f = h->field;
    size_t nkeys = sch_match_keys(s, h, a, keys);
    fl_arena *scratch = fl_arena_new(); /* callers ask for field after field: only what is found stays */
    sch_hits all;
    sch_leaves(s, scratch, &all);
    FL_VEC(sch_hit) found = {0};
    fl_buf name;
    fl_buf_init(&name, 4 * SCH_MAX_NAME);
    for (size_t i = 0; i < all.n; i++) {
        const sch_field *other = all.v[i].field;
        /* keys end in the field's name, which has no wildcard */
        if (!other || strcmp(other->name, f->name) != 0 || !covers(keys, nkeys, other, &name))
            continue;
        all.v[i].path = fl_strdup(a, all.v[i].path);
        FL_PUSH(a, &found, all.v[i]);
    }
    fl_buf_free(&name);
    fl_arena_free(scratch);
    *out = (sch_hits){found.v, found.n, all.truncated};
}
