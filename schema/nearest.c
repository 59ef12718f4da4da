/* nearest.c: paths and names of a schema that are near to one that selects nothing, for help lines. */
#include "schema/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Leaves that are compared; beyond, a schema is too large for good guesses to matter. */
#define MAX_CANDIDATES 20000
/* The name is right and only the way to it differs: worse than one slip in the whole path, better than two. */
#define SAME_NAME 15
#define FAR       1000

/* The last name of a path: `street` of `addresses[].street`, `notes` of `notes.*`, shoe size of `extra."shoe size"`. */
static const char *last_name(const char *path, char *out, size_t room)
{
    size_t end = strlen(path);
    while (end && strchr(".*[]", path[end - 1]))
        end--;
    bool quoted = end > 1 && path[end - 1] == '"';
    end -= quoted;
    size_t from = end;
    while (quoted ? from && (path[from - 1] != '"' || (from > 1 && path[from - 2] == '\\'))
                  : from && path[from - 1] != '.' && path[from - 1] != ']')
        from--;
    size_t n = end - from < room ? end - from : room - 1;
    memcpy(out, path + from, n);
    out[n] = '\0';
    return out;
}

static unsigned allowed(size_t len)
{
    return len <= 4 ? 1 : len <= 8 ? 2 : 3;
}

/* Do they differ in `[]` alone? */
static bool same_names(const char *a, const char *b)
{
    for (;; a++, b++) {
        while (!strncmp(a, "[]", 2))
            a += 2;
        while (!strncmp(b, "[]", 2))
            b += 2;
        if (*a != *b || !*a)
            return *a == *b;
    }
}

/* 10 a letter's difference; smaller is nearer. */
static unsigned score(const char *path, const char *name, const char *candidate)
{
    char buf[SCH_MAX_NAME + 1];
    const char *other = last_name(candidate, buf, sizeof buf);
    if (!strcasecmp(path, candidate))
        return 5;
    if (same_names(path, candidate))
        return 8;
    unsigned best = FAR, max = allowed(strlen(path));
    unsigned d = fl_distance(path, candidate, max);
    if (d <= max)
        best = d * 10;
    if (*name && !strcasecmp(name, other))
        return best < SAME_NAME ? best : SAME_NAME;
    max = allowed(strlen(name));
    d = fl_distance(name, other, max);
    if (*name && d <= max && d * 10 + SAME_NAME < best)
        best = d * 10 + SAME_NAME;
    return best;
}

typedef struct guess {
    const char *path;
    unsigned score;
} guess;

/* Keeps the list sorted by score, then by place in the schema; drops what does not fit. */
static size_t keep(guess *best, size_t have, size_t n, guess g)
{
    size_t at = have;
    while (at && best[at - 1].score > g.score)
        at--;
    if (at == n)
        return have;
    if (have == n)
        have--;
    memmove(best + at + 1, best + at, (have - at) * sizeof *best);
    best[at] = g;
    return have + 1;
}

static bool known(const guess *best, size_t have, const char *path)
{
    for (size_t i = 0; i < have; i++) {
        if (!strcmp(best[i].path, path))
            return true;
    }
    return false;
}

size_t sch_nearest(const sch_schema *s, fl_arena *a, const char *path, const char **out, size_t n)
{
    if (!n || strlen(path) > 2 * SCH_MAX_NAME)
        return 0;
    fl_arena *scratch = fl_arena_new();
    sch_hits leaves;
    sch_leaves(s, scratch, &leaves);
    char buf[SCH_MAX_NAME + 1];
    const char *name = last_name(path, buf, sizeof buf);
    guess *best = FL_NEW_N(scratch, guess, n);
    size_t have = 0;
    for (size_t i = 0; i < leaves.n && i < MAX_CANDIDATES; i++) {
        guess g = {leaves.v[i].path, score(path, name, leaves.v[i].path)};
        if (g.score < FAR && !known(best, have, g.path))
            have = keep(best, have, n, g);
    }
    for (size_t i = 0; i < have; i++)
        out[i] = fl_strdup(a, best[i].path);
    fl_arena_free(scratch);
    return have;
}

void sch_unknown_name(char *out, size_t n, const char *of, const char *name, uint32_t at, const char *const *known,
                      size_t nknown)
{
    const char *near = fl_nearest(name, known, nknown);
    snprintf(out, n, "%.80s has no field of the name at byte %u%s%.80s%s", of, at, near ? "; did you mean \"" : "",
             near ? near : "", near ? "\"?" : "");
}
