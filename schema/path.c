/* path.c: paths as policies write them (language reference, section 7): text into steps, and steps as a set of states.
 */
#include "schema/path.h"

#include <stdio.h>
#include <string.h>

/* ---- text into steps ---- */

typedef struct scan {
    fl_arena *a;
    const char *at;
    parsed_path *out;
    char *message;
} scan;

static bool bad(scan *s, const char *why)
{
    snprintf(s->message, 160, "%s", why);
    return false;
}

static bool push(scan *s, step_kind kind, const char *name)
{
    parsed_path *p = s->out;
    if (kind == STEP_DEEP && p->n && p->v[p->n - 1].kind == STEP_DEEP)
        return true;
    if (p->n == SCH_MAX_STEPS)
        return bad(s, "a path has at most 62 steps");
    p->v[p->n++] = (path_step){kind, name};
    return true;
}

bool sch_path_is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

/* A name in double quotes; \" and \\ inside. */
static bool scan_quoted(scan *s)
{
    char *name = fl_alloc(s->a, strlen(s->at));
    size_t n = 0;
    for (s->at++; *s->at && *s->at != '"'; s->at++) {
        if (*s->at == '\\') {
            s->at++;
            if (*s->at != '"' && *s->at != '\\')
                return bad(s, "in a quoted name only \\\" and \\\\ are escapes");
        }
        name[n++] = *s->at;
    }
    if (*s->at != '"')
        return bad(s, "a quoted name is not closed");
    s->at++;
    if (!n)
        return bad(s, "a quoted name is empty");
    return push(s, STEP_NAME, name);
}

static bool scan_name(scan *s)
{
    size_t n = 0;
    while (sch_path_is_word(s->at[n]))
        n++;
    if (!n) {
        bool end = !*s->at || *s->at == '.';
        return bad(s, end ? "a name is missing between two dots, or at an end"
                          : "a name of this kind stands in double quotes: 'extra.\"shoe size\"'");
    }
    const char *name = fl_strndup(s->a, s->at, n);
    s->at += n;
    return push(s, STEP_NAME, name);
}

static bool scan_stars(scan *s)
{
    size_t n = strspn(s->at, "*");
    s->at += n;
    if (n > 2)
        return bad(s, "a step is a name, * or **");
    return push(s, n == 2 ? STEP_DEEP : STEP_STAR, NULL);
}

static bool scan_items(scan *s)
{
    while (s->at[0] == '[') {
        if (s->at[1] != ']')
            return bad(s, "elements of an array are written [], without a number");
        s->at += 2;
        if (!push(s, STEP_ITEMS, NULL))
            return false;
    }
    return true;
}

static bool scan_step(scan *s, bool first)
{
    bool ok;
    if (first && *s->at == '[')
        ok = true;
    else if (*s->at == '"')
        ok = scan_quoted(s);
    else if (*s->at == '*')
        ok = scan_stars(s);
    else
        ok = scan_name(s);
    if (!ok || !scan_items(s))
        return false;
    if (*s->at && *s->at != '.')
        return bad(s, sch_path_is_word(*s->at) || *s->at == '*'
                          ? "* and ** are whole steps, and a dot stands between steps"
                          : "a name of this kind stands in double quotes: 'extra.\"shoe size\"'");
    return true;
}

bool sch_path_parse(fl_arena *a, const char *text, parsed_path *out, char message[160])
{
    *out = (parsed_path){0};
    message[0] = '\0';
    scan s = {a, text, out, message};
    if (!*text)
        return bad(&s, "a path is not empty");
    if (!scan_step(&s, true))
        return false;
    while (*s.at == '.') {
        s.at++;
        if (!scan_step(&s, false))
            return false;
    }
    out->leaves_only = out->v[out->n - 1].kind == STEP_DEEP;
    return true;
}

void sch_path_all(parsed_path *out)
{
    *out = (parsed_path){.n = 1, .leaves_only = true};
    out->v[0].kind = STEP_DEEP;
}

/* ---- states ---- */

#define BIT(i) ((path_states)1 << (i))

/* State i, and where a `**` stands at i, the one behind it as well. */
static path_states state(const parsed_path *p, unsigned i)
{
    path_states s = BIT(i);
    while (i < p->n && p->v[i].kind == STEP_DEEP)
        s |= BIT(++i);
    return s;
}

path_states sch_path_start(const parsed_path *p)
{
    return state(p, 0);
}

static bool takes(const path_step *s, step_kind what, const char *name)
{
    switch (s->kind) {
    case STEP_NAME:
        return what == STEP_NAME && !strcmp(s->name, name);
    case STEP_ITEMS:
        return what == STEP_ITEMS;
    case STEP_STAR:
        return what != STEP_ITEMS;
    default:
        return false;
    }
}

/* One step of the tree: a field (NAME), an array's elements (ITEMS), a map's values (STAR). */
static path_states advance(const parsed_path *p, path_states at, step_kind what, const char *name)
{
    path_states next = 0;
    for (unsigned i = 0; i < p->n; i++) {
        if (!(at & BIT(i)))
            continue;
        if (p->v[i].kind == STEP_DEEP)
            next |= state(p, i);
        else if (takes(&p->v[i], what, name))
            next |= state(p, i + 1);
    }
    return next;
}

path_states sch_path_field(const parsed_path *p, path_states at, const char *name)
{
    return advance(p, at, STEP_NAME, name);
}

path_states sch_path_items(const parsed_path *p, path_states at)
{
    return advance(p, at, STEP_ITEMS, NULL);
}

path_states sch_path_values(const parsed_path *p, path_states at)
{
    return advance(p, at, STEP_STAR, NULL);
}

path_states sch_path_shallow(const parsed_path *p, path_states at)
{
    for (unsigned i = 0; i < p->n; i++) {
        if (p->v[i].kind == STEP_DEEP)
            at &= ~(BIT(i) | BIT(i + 1));
    }
    return at;
}

bool sch_path_ends(const parsed_path *p, path_states at)
{
    return at & BIT(p->n);
}

/* ---- types ---- */

bool sch_is_container(const sch_type *t)
{
    return t->kind == SCH_RECORD || t->kind == SCH_ARRAY || t->kind == SCH_MAP;
}

opened sch_open(const sch_type *t)
{
    if (t->kind != SCH_UNION)
        return (opened){.only = t};
    opened o = {.all_records = true};
    size_t others = 0;
    for (size_t i = 0; i < t->nbranches; i++) {
        if (t->branches[i]->kind == SCH_NULL) {
            o.nullable = true;
            continue;
        }
        others++;
        o.only = t->branches[i];
        o.all_records &= t->branches[i]->kind == SCH_RECORD;
    }
    if (others == 1)
        o.all_records = false;
    else if (others)
        o.only = NULL;
    else
        o = (opened){.only = t->branches[0]}; /* ["null"] */
    return o;
}
