/* fix.c: edits that checks propose. */
#include <string.h>

#include "compiler/check/check.h"

/* Is this what the place says, but for quotes? Then *inner is the word without them. */
static bool says(fl_span at, const char *word, fl_span *inner)
{
    size_t n = strlen(word);
    if (!at.src || at.to > at.src->len || at.from > at.to)
        return false;
    const char *s = at.src->text + at.from;
    bool quoted = at.to - at.from == n + 2 && s[0] == s[n + 1] && (s[0] == '"' || s[0] == '\'');
    *inner = quoted ? (fl_span){at.src, at.from + 1, at.to - 1} : at;
    return inner->to - inner->from == n && !memcmp(at.src->text + inner->from, word, n);
}

void chk_fix(fl_diags *diags, fl_diag *d, fl_span at, const char *text, bool safe)
{
    if (!at.src)
        return;
    fl_diag_edit(diags, d, at, "%s", text);
    d->safe = safe && !at.src->origin;
}

void chk_fix_near(fl_diags *diags, fl_diag *d, fl_span at, const char *word, const char *const *names, size_t n,
                  bool safe)
{
    const char *near = NULL;
    fl_span inner;
    if (strlen(word) < 3 || !says(at, word, &inner))
        return;
    for (size_t i = 0; i < n; i++) {
        if (fl_distance(word, names[i], 1) > 1 || (near && !strcmp(near, names[i])))
            continue;
        if (near) /* two are as near: which one is a guess */
            return;
        near = names[i];
    }
    if (!near)
        return;
    chk_fix(diags, d, inner, near, safe);
}
