/* json_names.c: which keys of metadata.tags match a place of a JSON document. The same matching as sch_key_matches
 * (schema/match.c), step by step: a program that recurses must know how far keys have come, as names there have no end.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/format/json.h"

enum { CHAR = JSON_CHAR, ANY = JSON_ANY, STAR = JSON_STAR, DEEP = JSON_DEEP };
typedef json_token token;

typedef struct key {
    const rt_tagging *tagging;
    token *v;
    size_t n;
} key;

struct json_keys {
    fl_arena *a;
    key *v;
    size_t n, work;
};

static const char *const indexes[JSON_SPELLINGS] = {"", "[0]", "[17]"};

/* ---- keys ---- */

/* `\` takes the next character as it is; stars beside each other are one that goes across dots. */
static key read_key(fl_arena *a, const rt_tagging *t)
{
    char *folded = sch_key_fold(t->pattern);
    key k = {.tagging = t, .v = FL_NEW_N(a, token, strlen(folded) + 1)};
    for (const char *p = folded; *p;) {
        size_t stars = strspn(p, "*");
        if (stars) {
            k.v[k.n++] = (token){.kind = stars > 1 ? DEEP : STAR};
            p += stars;
            continue;
        }
        bool any = *p == '?';
        p += *p == '\\' && p[1];
        k.v[k.n++] = (token){.kind = any ? ANY : CHAR, .c = *p++};
    }
    free(folded);
    return k;
}

json_keys *rt_json_keys_new(fl_arena *a, const rt_rules *rules)
{
    json_keys *k = FL_NEW(a, json_keys);
    k->a = a;
    k->v = FL_NEW_N(a, key, rules->ntaggings);
    for (size_t i = 0; i < rules->ntaggings; i++)
        k->v[k->n++] = read_key(a, &rules->taggings[i]);
    return k;
}

size_t rt_json_keys_work(const json_keys *k)
{
    return k->work;
}

/* ---- sets of places ---- */

typedef FL_VEC(uint64_t) places;

static uint64_t place(uint64_t which, uint64_t at)
{
    return which << 32 | at;
}

static int by_value(const void *x, const void *y)
{
    const uint64_t *a = x, *b = y;
    return *a < *b ? -1 : *a > *b;
}

static json_reached settle(places *p)
{
    json_reached r = {.v = p->v};
    if (p->n)
        qsort(p->v, p->n, sizeof *p->v, by_value);
    for (size_t i = 0; i < p->n; i++)
        if (!r.n || r.v[r.n - 1] != p->v[i])
            r.v[r.n++] = p->v[i];
    return r;
}

/* A place, and those behind the stars that stand there: a star may match nothing. */
static void add(json_keys *k, places *p, uint64_t which, uint64_t at)
{
    const key *y = &k->v[which];
    FL_PUSH(k->a, p, place(which, at));
    while (at < y->n && (y->v[at].kind == STAR || y->v[at].kind == DEEP))
        FL_PUSH(k->a, p, place(which, ++at));
}

static void step(json_keys *k, places *p, uint64_t from, char c)
{
    uint64_t which = from >> 32, at = (uint32_t)from;
    const key *y = &k->v[which];
    if (at == y->n)
        return;
    token t = y->v[at];
    if (t.kind == DEEP || (t.kind == STAR && c != '.'))
        add(k, p, which, at);
    else if ((t.kind == ANY && c != '.') || (t.kind == CHAR && t.c == c))
        add(k, p, which, at + 1);
}

static json_reached feed(json_keys *k, json_reached r, const char *text)
{
    for (; *text && r.n; text++) {
        places p = {0};
        for (size_t i = 0; i < r.n; i++)
            step(k, &p, r.v[i], *text);
        k->work += r.n + p.n;
        r = settle(&p);
    }
    return r;
}

/* ---- the way into a document ---- */

json_names rt_json_names_root(json_keys *k)
{
    places p = {0};
    json_names n;
    for (size_t i = 0; i < k->n; i++)
        add(k, &p, i, 0);
    json_reached start = feed(k, settle(&p), "$");
    for (int s = 0; s < JSON_SPELLINGS; s++)
        n.at[s] = n.next[s] = start;
    return n;
}

json_names rt_json_names_member(json_keys *k, const json_names *n, const char *name)
{
    json_names m;
    for (int s = 0; s < JSON_SPELLINGS; s++)
        m.at[s] = m.next[s] = feed(k, feed(k, n->next[s], "."), name);
    return m;
}

json_names rt_json_names_element(json_keys *k, const json_names *n)
{
    json_names m = *n;
    for (int s = 0; s < JSON_SPELLINGS; s++)
        m.next[s] = feed(k, n->next[s], indexes[s]);
    return m;
}

/* Where the key's part for one name ends: at a dot, or its end. */
static uint64_t part_end(const key *y, uint64_t at, bool *wild)
{
    for (*wild = false; at < y->n && !(y->v[at].kind == CHAR && y->v[at].c == '.'); at++)
        *wild |= y->v[at].kind != CHAR;
    return at;
}

/* Is it one that any name matches? */
static bool any_name(const json_glob *g)
{
    for (size_t i = 0; i < g->n; i++)
        if (g->v[i].kind != STAR && g->v[i].kind != DEEP)
            return false;
    return true;
}

static bool same_glob(const json_glob *a, const json_glob *b)
{
    return a->n == b->n && memcmp(a->v, b->v, a->n * sizeof *a->v) == 0;
}

/* A part that its name does not match as a whole, as `**x` does not match `a`, goes on from its `**`: `a.x` is matched.
 * How much of the name stands before that is not asked. One at the end of the part is reached by whole names alone. */
static void cross(json_keys *k, places *p, uint64_t which, uint64_t at, uint64_t end)
{
    for (; at + 1 < end; at++)
        if (k->v[which].v[at].kind == DEEP)
            add(k, p, which, at);
}

static json_names step_over(json_keys *k, const json_names *n, bool all, const json_glob *match)
{
    json_names m;
    for (int s = 0; s < JSON_SPELLINGS; s++) {
        json_reached r = feed(k, n->next[s], ".");
        places p = {0};
        for (size_t i = 0; i < r.n; i++) {
            uint64_t which = r.v[i] >> 32, at = (uint32_t)r.v[i];
            bool wild;
            uint64_t end = part_end(&k->v[which], at, &wild);
            json_glob part = {&k->v[which].v[at], end - at, 0};
            wild = wild && (all || any_name(&part) || (match && same_glob(&part, match)));
            if (!wild)
                cross(k, &p, which, at, end);
            for (; wild && at <= end; at++)
                add(k, &p, which, at);
        }
        k->work += r.n + p.n;
        m.at[s] = m.next[s] = settle(&p);
    }
    return m;
}

json_names rt_json_names_other(json_keys *k, const json_names *n)
{
    return step_over(k, n, true, NULL);
}

json_names rt_json_names_unknown(json_keys *k, const json_names *n, const json_glob *match)
{
    return step_over(k, n, false, match);
}

/* ---- patterns of names ---- */

typedef FL_VEC(json_glob) globs;

static void add_glob(json_keys *k, globs *all, json_glob g)
{
    k->work += all->n + g.n;
    for (size_t i = 0; i < all->n; i++)
        if (same_glob(&all->v[i], &g))
            return;
    FL_PUSH(k->a, all, g);
}

size_t rt_json_names_globs(json_keys *k, const json_names *n, json_glob **out)
{
    globs all = {0};
    for (int s = 0; s < JSON_SPELLINGS; s++) {
        json_reached r = feed(k, n->next[s], ".");
        for (size_t i = 0; i < r.n; i++) {
            const key *y = &k->v[r.v[i] >> 32];
            uint64_t at = (uint32_t)r.v[i];
            bool wild;
            json_glob g = {&y->v[at], part_end(y, at, &wild) - at, 0};
            if (wild && !any_name(&g))
                add_glob(k, &all, g);
        }
    }
    *out = all.v;
    return all.n;
}

/* A bit for each place in the pattern that may be reached; behind stars as well. */
static uint64_t reach(const json_glob *g, uint64_t at)
{
    uint64_t bits = 1ull << at;
    while (at < g->n && (g->v[at].kind == STAR || g->v[at].kind == DEEP))
        bits |= 1ull << ++at;
    return bits;
}

/* One with more than 63 characters and stars is taken to match. */
bool rt_json_glob_matches(const json_glob *g, const char *name, size_t n)
{
    if (g->n > 63)
        return true;
    uint64_t set = reach(g, 0);
    for (size_t i = 0; i < n && set; i++) {
        uint64_t next = 0;
        for (uint64_t left = set & ~(1ull << g->n); left; left &= left - 1) {
            unsigned at = (unsigned)__builtin_ctzll(left);
            token t = g->v[at];
            if (t.kind == DEEP || (t.kind == STAR && name[i] != '.'))
                next |= reach(g, at);
            else if ((t.kind == ANY && name[i] != '.') || (t.kind == CHAR && t.c == name[i]))
                next |= reach(g, at + 1);
        }
        set = next;
    }
    return set >> g->n & 1;
}

/* ---- what keys have matched ---- */

bool rt_json_names_live(const json_names *n)
{
    for (int s = 0; s < JSON_SPELLINGS; s++)
        if (n->at[s].n || n->next[s].n)
            return true;
    return false;
}

bool rt_json_names_go_on(const json_keys *k, const json_names *n)
{
    for (int s = 0; s < JSON_SPELLINGS; s++)
        for (size_t i = 0; i < n->next[s].n; i++)
            if ((uint32_t)n->next[s].v[i] < k->v[n->next[s].v[i] >> 32].n)
                return true;
    return false;
}

static bool known(const char *const *names, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(names[i], name))
            return true;
    return false;
}

size_t rt_json_names_spelled(json_keys *k, const json_names *n, const char *const **out)
{
    FL_VEC(const char *) names = {0};
    for (int s = 0; s < JSON_SPELLINGS; s++) {
        json_reached r = feed(k, n->next[s], ".");
        for (size_t i = 0; i < r.n; i++) {
            const key *y = &k->v[r.v[i] >> 32];
            uint64_t at = (uint32_t)r.v[i];
            bool wild;
            uint64_t end = part_end(y, at, &wild);
            if (wild || end == at)
                continue;
            char *name = FL_NEW_N(k->a, char, end - at + 1);
            for (uint64_t c = at; c < end; c++)
                name[c - at] = y->v[c].c;
            k->work += end - at + names.n;
            if (!known(names.v, names.n, name))
                FL_PUSH(k->a, &names, name);
        }
    }
    *out = names.v;
    return names.n;
}

static bool meets(const json_keys *k, const json_reached *r, const rt_rule *rule)
{
    for (size_t i = 0; i < r->n; i++) {
        const key *y = &k->v[r->v[i] >> 32];
        if ((uint32_t)r->v[i] == y->n && rt_rule_meets(rule, y->tagging->tags, y->tagging->ntags))
            return true;
    }
    return false;
}

bool rt_json_names_hit(const json_keys *k, const json_names *n, const rt_rule *r)
{
    for (int s = 0; s < JSON_SPELLINGS; s++)
        if (meets(k, &n->at[s], r))
            return true;
    return false;
}

static void add_identity(const json_reached *r, fl_buf *out)
{
    for (size_t i = 0; i < r->n; i++)
        fl_buf_addf(out, "%llx,", (unsigned long long)r->v[i]);
    fl_buf_addc(out, ';');
}

void rt_json_names_identity(const json_names *n, fl_buf *out)
{
    for (int s = 0; s < JSON_SPELLINGS; s++) {
        add_identity(&n->at[s], out);
        add_identity(&n->next[s], out);
    }
}
