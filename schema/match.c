/* match.c: metadata.tags keys: which are written for a field, which names a key matches, which leaves a field's keys
 * cover. */
#include "schema/names.h"

#include <stdlib.h>
#include <string.h>

/* Three keys: Java matches the name of the record it is handed, which a connector may derive in another namespace or
 * in none. */
static size_t avro_keys(const sch_field *f, fl_arena *a, const char *out[SCH_MAX_KEYS])
{
    const char *full = f->record->name, *dot = strrchr(full, '.');
    const char *simple = dot ? dot + 1 : full;
    size_t n = 0;
    out[n++] = fl_printf(a, "%s.%s", full, f->name);
    out[n++] = fl_printf(a, "**.%s.%s", simple, f->name);
    if (dot)
        out[n++] = fl_printf(a, "%s.%s", simple, f->name);
    return n;
}

/* Protobuf, and what Avro clients look up. */
static size_t full_name(const sch_field *f, fl_arena *a, const char *out[SCH_MAX_KEYS])
{
    out[0] = fl_printf(a, "%s.%s", f->record->name, f->name);
    return 1;
}

size_t sch_match_keys(const sch_schema *s, const sch_hit *h, fl_arena *a, const char *out[SCH_MAX_KEYS])
{
    if (!h->field)
        return 0;
    if (s->format == SCH_JSON)
        return sch_json_keys(h, a, out);
    return s->format == SCH_AVRO ? avro_keys(h->field, a, out) : full_name(h->field, a, out);
}

size_t sch_client_names(const sch_schema *s, const sch_hit *h, fl_arena *a, const char *out[SCH_MAX_KEYS])
{
    if (!h->field)
        return 0;
    return s->format == SCH_JSON ? sch_json_names(h, a, out) : full_name(h->field, a, out);
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

char *sch_key_fold(const char *key)
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
    char *folded = sch_key_fold(key);
    match_key(&m, folded);
    bool yes = m.any && m.reached[m.n];
    free(folded);
    free(m.reached);
    return yes;
}

/* ---- coverage ---- */

typedef struct keys {
    const char *v[SCH_MAX_KEYS];
    size_t n;
} keys;

static bool covers(const sch_schema *s, const keys *k, const sch_hit *leaf, fl_arena *scratch)
{
    const char *names[SCH_MAX_KEYS];
    size_t n = sch_client_names(s, leaf, scratch, names);
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < k->n; j++)
            if (sch_key_matches(k->v[j], names[i]))
                return true;
    return false;
}

void sch_covered(const sch_schema *s, fl_arena *a, const sch_hit *h, sch_hits *out)
{
    keys k;
    k.n = sch_match_keys(s, h, a, k.v);
    fl_arena *scratch = fl_arena_new(); /* callers ask for field after field: only what is found stays */
    sch_hits all;
    sch_leaves(s, scratch, &all);
    FL_VEC(sch_hit) found = {0};
    for (size_t i = 0; i < all.n; i++) {
        const sch_field *other = all.v[i].field;
        /* keys end in the field's name, which has no wildcard */
        if (!other || strcmp(other->name, h->field->name) != 0 || !covers(s, &k, &all.v[i], scratch))
            continue;
        all.v[i].path = fl_strdup(a, all.v[i].path);
        FL_PUSH(a, &found, all.v[i]);
    }
    fl_arena_free(scratch);
    *out = (sch_hits){.v = found.v, .n = found.n, .truncated = all.truncated, .split = all.split};
}
