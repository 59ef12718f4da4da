/* reference.c: makes the tables of the language reference. */
#include <string.h>

#include "lang/forms.h"
#include "lang/pattern.h"
#include "lang/reference.h"

static const char begin[] = "<!-- forms: ", end[] = "<!-- end of forms -->";

/* A cell: `|` would end it. */
static void cell(fl_buf *out, const char *s)
{
    fl_buf_adds(out, " ");
    for (; s && *s; s++)
        fl_buf_addf(out, *s == '|' ? "\\%c" : "%c", *s);
    fl_buf_adds(out, s ? " |" : "|");
}

static void row(fl_arena *a, const lang_form *f, bool defaults, bool becomes, fl_buf *out)
{
    bool required = f->flags & (LANG_F_REQUIRED | LANG_F_ONE_OF);
    fl_buf_adds(out, "|");
    cell(out, fl_printf(a, "`%s`%s%s", lang_form_text(a, f), required ? " **R**" : "",
                        f->flags & LANG_F_REPEAT ? " \\*" : ""));
    if (defaults)
        cell(out, f->fallback ? f->fallback : "");
    cell(out, f->doc);
    if (becomes)
        cell(out, f->becomes ? f->becomes : "");
    fl_buf_adds(out, "\n");
}

static void table(fl_arena *a, lang_bkind kind, fl_buf *out)
{
    size_t n;
    const lang_form *f = lang_forms(kind, &n);
    bool defaults = false, becomes = false;
    for (size_t i = 0; i < n; i++) {
        defaults |= f[i].fallback != NULL;
        becomes |= f[i].becomes != NULL;
    }
    fl_buf_addf(out, "| form |%s meaning |%s\n", defaults ? " default |" : "", becomes ? " becomes |" : "");
    fl_buf_addf(out, "|---|%s---|%s\n", defaults ? "---|" : "", becomes ? "---|" : "");
    for (size_t i = 0; i < n; i++)
        row(a, &f[i], defaults, becomes, out);
}

static lang_bkind kind_named(const char *name, size_t n)
{
    for (int k = LANG_TOP; k < LANG_BKINDS; k++)
        if (strlen(lang_bkind_name((lang_bkind)k)) == n && memcmp(lang_bkind_name((lang_bkind)k), name, n) == 0)
            return (lang_bkind)k;
    return LANG_NOBLOCK;
}

const char *lang_reference_update(fl_arena *a, const char *text, fl_buf *out)
{
    for (const char *p; (p = strstr(text, begin)) != NULL;) {
        const char *name = p + strlen(begin), *close = strstr(name, " -->"), *stop = strstr(name, end);
        lang_bkind kind = close ? kind_named(name, (size_t)(close - name)) : LANG_NOBLOCK;
        if (!stop || !close || close > stop)
            return fl_printf(a, "no `%s` after `%.40s`", end, p);
        if (kind == LANG_NOBLOCK)
            return fl_printf(a, "there is no block `%.*s`", (int)(close - name), name);
        fl_buf_add(out, text, (size_t)(close + strlen(" -->") - text));
        fl_buf_adds(out, "\n");
        table(a, kind, out);
        text = stop;
        fl_buf_add(out, end, strlen(end));
        text += strlen(end);
    }
    fl_buf_adds(out, text);
    return out->full ? "the document is too large" : NULL;
}
