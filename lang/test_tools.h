/* test_tools.h: what the units of lang/ share: text in, messages out as lines "LINE:COLUMN MESSAGE". */
#ifndef FLEC_LANG_TEST_TOOLS_H
#define FLEC_LANG_TEST_TOOLS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lang/lang.h"

typedef struct reading {
    fl_arena *a;
    fl_diags diags;
    lang_file *file;
    bool ok; /* matched */
} reading;

__attribute__((unused)) static reading read_text(const char *text, size_t len)
{
    reading r = {.a = fl_arena_new()};
    fl_diags_init(&r.diags, r.a);
    r.file = lang_parse(r.a, "test.flec", fl_strndup(r.a, text, len), len, &r.diags);
    return r;
}

__attribute__((unused)) static reading match_text(const char *text)
{
    reading r = read_text(text, strlen(text));
    r.ok = lang_match(r.a, r.file, &r.diags);
    fl_diags_sort(&r.diags);
    return r;
}

/* All messages, one a line. */
__attribute__((unused)) static const char *messages(const reading *r)
{
    const char *text = "";
    for (size_t i = 0; i < r->diags.list.n; i++) {
        const fl_diag *d = r->diags.list.v[i];
        unsigned line = 0, column = 0;
        fl_source_place(d->span.src, d->span.from, &line, &column);
        text = fl_printf(r->a, "%s%u:%u %s\n", text, line, column, d->message);
    }
    return text;
}

__attribute__((unused)) static void read_file(fl_arena *a, const char *path, char **text, size_t *len)
{
    int err = fl_read_file(a, path, 1 << 20, text, len);
    if (err)
        fail_msg("%s: %s (units run in the root of the repository)", path, strerror(err));
}

/* The canonical form of a text, NULL if it is damaged. */
__attribute__((unused)) static const char *formatted(fl_arena *a, const char *text, size_t len)
{
    fl_diags diags;
    fl_diags_init(&diags, a);
    lang_file *f = lang_parse(a, "test.flec", fl_strndup(a, text, len), len, &diags);
    if (f->damaged)
        return NULL;
    fl_buf b;
    fl_buf_init(&b, 4 << 20);
    lang_format(f, &b);
    const char *out = fl_strndup(a, b.p ? b.p : "", b.len);
    fl_buf_free(&b);
    return out;
}

#endif
