/* mend.c: edits that resolution proposes: what stands twice or for nothing is taken out. */
#include <string.h>

#include "compiler/resolve/resolve.h"

static bool is_blank(const char *s, size_t n, const char *blanks)
{
    for (size_t i = 0; i < n; i++)
        if (!strchr(blanks, s[i]))
            return false;
    return true;
}

/* Where a text is written once and counts in several places, or in other environments, it may be of use there. */
static bool is_safe(const res *r, const fl_source *src)
{
    return !src->origin && !r->e->environments.n;
}

void res_mend_item(res *r, fl_diag *d, const lang_list *list, size_t i)
{
    if (!i)
        return;
    const lang_value *item = &list->items[i], *before = item - 1;
    const fl_source *src = item->span.src;
    if (!src || !fl_same_source(src, before->span.src) || before->span.to > item->span.from ||
        !is_blank(src->text + before->span.to, item->span.from - before->span.to, ", \t\n"))
        return; /* a comment stands between */
    fl_diag_edit(r->diags, d, (fl_span){src, before->span.to, item->span.to}, "%s", "");
    d->safe = is_safe(r, src) && !item->name.has_vars;
}

void res_mend_let(res *r, fl_diag *d, const est_variable *v)
{
    unsigned line, column;
    const fl_source *src = v->at.src;
    if (!src || !fl_same_source(src, v->value->span.src))
        return;
    fl_source_place(src, v->at.from, &line, &column);
    const char *start = src->text + src->lines[line - 1], *name = src->text + v->at.from;
    const char *let = start + strspn(start, " \t"), *end = src->text + v->value->span.to;
    const char *stop = end + strspn(end, " \t");
    if (strncmp(let, "let", 3) || let + 3 >= name || !is_blank(let + 3, (size_t)(name - let - 3), " \t") ||
        (*stop && *stop != '\n'))
        return; /* something else stands on its lines */
    stop += *stop == '\n';
    fl_diag_edit(r->diags, d, (fl_span){src, (uint32_t)(start - src->text), (uint32_t)(stop - src->text)}, "%s", "");
    d->safe = is_safe(r, src);
}
