/* catalog_tool.h: what catalog_tool.c says of a wrong entry, and how it writes C. Of that tool alone: one file reads
 * it, with its own copy of the state. */
#ifndef FLEC_COMPILER_CATALOG_TOOL_H
#define FLEC_COMPILER_CATALOG_TOOL_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

static fl_arena *arena;
static fl_buf out;
static const char *current; /* the file that is being read, for messages */

/* ---- refusing ---- */

static void __attribute__((noreturn, format(printf, 2, 3))) refuse(const fl_json *at, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fprintf(stderr, "%s: byte %u: %s\n", current, at ? at->from : 0, fl_vprintf(arena, fmt, ap));
    va_end(ap);
    exit(1);
}

/* What an object may hold: " name" optional, "!name" required, each followed by the letter of its kind: s string, b
 * boolean, n integer, a array, o object. */
static bool kind_fits(const fl_json *v, char letter)
{
    switch (letter) {
    case 's':
        return v->kind == FL_JSTRING;
    case 'b':
        return v->kind == FL_JTRUE || v->kind == FL_JFALSE;
    case 'n':
        return v->kind == FL_JNUMBER;
    case 'a':
        return v->kind == FL_JARRAY;
    default:
        return v->kind == FL_JOBJECT;
    }
}

/* Finds `name` in a list like "!id:s name:s"; returns the letter of its kind, 0 if it is not there. */
static char member_kind(const char *spec, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = spec; *p; p += strcspn(p, " "), p += strspn(p, " ")) {
        const char *q = p + (*p == '!');
        if (!strncmp(q, name, n) && q[n] == ':')
            return q[n + 1];
    }
    return 0;
}

static void check_members(const fl_json *o, const char *spec)
{
    if (o->kind != FL_JOBJECT)
        refuse(o, "an object is expected here");
    for (const fl_json *m = o->child; m; m = m->next) {
        char kind = member_kind(spec, m->key);
        if (!kind)
            refuse(m, "unknown member \"%s\"", m->key);
        if (!kind_fits(m, kind))
            refuse(m, "\"%s\" has a value of the wrong kind", m->key);
    }
    for (const char *p = spec; *p; p += strcspn(p, " "), p += strspn(p, " "))
        if (*p == '!' && !fl_json_get(o, fl_strndup(arena, p + 1, strcspn(p, ":") - 1)))
            refuse(o, "member \"%.*s\" is missing", (int)strcspn(p, ":") - 1, p + 1);
}

static void check_version(const fl_json *o, const char *member)
{
    fl_version v;
    const char *s = fl_json_str(o, member);
    if (s && !fl_version_parse(s, &v))
        refuse(o, "\"%s\" is no version: %s", member, s);
}

/* ---- writing C ---- */

static void c_string(const char *s)
{
    if (!s) {
        fl_buf_adds(&out, "0");
        return;
    }
    fl_buf_addc(&out, '"');
    for (const unsigned char *p = (const unsigned char *)s; *p; p++) {
        if (*p == '"' || *p == '\\')
            fl_buf_addf(&out, "\\%c", *p);
        else if (*p < 0x20 || *p > 0x7e || *p == '?')
            fl_buf_addf(&out, "\\%03o", *p);
        else
            fl_buf_addc(&out, (char)*p);
    }
    fl_buf_addc(&out, '"');
}

static void c_member(const fl_json *o, const char *name)
{
    c_string(fl_json_str(o, name));
    fl_buf_adds(&out, ", ");
}

/* `static const char *const NAME[] = {…};` of a list of strings; nothing for an absent or empty one. */
static size_t c_list(const fl_json *list, const char *name)
{
    if (!list || !list->count)
        return 0;
    fl_buf_addf(&out, "static const char *const %s[] = {", name);
    for (const fl_json *v = list->child; v; v = v->next) {
        if (v->kind != FL_JSTRING)
            refuse(v, "a list of texts is expected here");
        c_string(v->str);
        fl_buf_adds(&out, ", ");
    }
    fl_buf_adds(&out, "};\n");
    return list->count;
}

#endif
