/* store_names.c: names of subjects and of the contexts they stand in: ":.ctx:name". */
#include <string.h>

#include "runtime/store.h"

const char *rt_subject_wrong(const char *subject)
{
    size_t bad, n;
    if (!subject || !*subject)
        return "is empty";
    n = strlen(subject);
    if (n > 4096)
        return "is longer than 4096 bytes";
    if (!fl_utf8_ok(subject, n, &bad))
        return "is not UTF-8";
    for (const char *s = subject; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return "holds a control character";
    return NULL;
}

/* Behind the context's colon; NULL: the name says no context. */
static const char *behind_context(const char *subject)
{
    if (strncmp(subject, ":.", 2) != 0)
        return NULL;
    const char *end = strchr(subject + 1, ':');
    return end ? end + 1 : NULL;
}

const char *rt_subject_bare(const char *subject)
{
    const char *bare = behind_context(subject);
    return bare ? bare : subject;
}

const char *rt_subject_context(fl_arena *a, const char *subject)
{
    const char *bare = behind_context(subject);
    return bare ? fl_strndup(a, subject + 1, (size_t)(bare - subject) - 2) : ".";
}

const char *rt_subject_normal(fl_arena *a, const char *subject)
{
    return strncmp(subject, ":.:", 3) == 0 ? fl_strdup(a, subject + 3) : subject;
}

const char *rt_context_scope(fl_arena *a, const char *context)
{
    return strcmp(context, ".") == 0 ? "" : fl_printf(a, ":%s:", context);
}

const char *rt_store_unalias(const rt_store *st, fl_arena *a, const char *subject)
{
    const rt_scope *scope = rt_store_scope(st, subject);
    if (!scope || !scope->config || !*subject)
        return subject;
    const fl_json *config = fl_json_parse(a, scope->config, strlen(scope->config), 0, &(fl_json_error){0});
    const char *alias = config ? fl_json_str(config, "alias") : NULL;
    if (!alias || !*alias)
        return subject;
    const char *context = rt_subject_context(a, subject);
    if (behind_context(alias) || strcmp(context, ".") == 0)
        return rt_subject_normal(a, alias);
    return fl_printf(a, ":%s:%s", context, alias);
}
