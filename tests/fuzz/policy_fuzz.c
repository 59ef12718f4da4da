/* policy_fuzz.c: any bytes as a policy: parse, match, format. What parses must keep its tree when formatted, and
 * formatting twice changes nothing; what doesn't must say so with a place inside the file. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lang/lang.h"
#include "tests/fuzz/must.h"

static void check_messages(const fl_diags *diags)
{
    for (size_t i = 0; i < diags->list.n; i++) {
        const fl_diag *d = diags->list.v[i];
        MUST(d->span.src && d->span.from <= d->span.to && d->span.to <= d->span.src->len);
        MUST(d->message && *d->message);
    }
}

static void check_format(fl_arena *a, const lang_file *file)
{
    fl_diags diags;
    fl_diags_init(&diags, a);
    fl_buf once, twice;
    fl_buf_init(&once, 64 << 20);
    fl_buf_init(&twice, 64 << 20);
    lang_format(file, &once);
    MUST(!once.full);
    const lang_file *again = lang_parse(a, "again.flec", once.p ? once.p : "", once.len, &diags);
    MUST(lang_same(file, again));
    lang_format(again, &twice);
    MUST(once.len == twice.len && (once.len == 0 || memcmp(once.p, twice.p, once.len) == 0));
    fl_buf_free(&once);
    fl_buf_free(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_arena *a = fl_arena_new();
    fl_diags diags;
    fl_diags_init(&diags, a);
    lang_file *file = lang_parse(a, "fuzz.flec", (const char *)data, size, &diags);
    MUST(file->damaged == (diags.errors > 0));
    if (!file->damaged)
        check_format(a, file);
    bool ok = lang_match(a, file, &diags);
    MUST(ok == (diags.errors == 0));
    fl_diags_sort(&diags);
    check_messages(&diags);
    fl_arena_free(a);
    return 0;
}
