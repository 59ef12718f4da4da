/* reference_tool.c: brings the tables of docs/language.md up to date. usage: reference_tool DOCUMENT */
#include <stdio.h>
#include <string.h>

#include "lang/reference.h"

int main(int argc, char **argv)
{
    if (argc != 2)
        fl_die(FL_USAGE, "usage: reference_tool DOCUMENT");
    fl_arena *a = fl_arena_new();
    char *text;
    size_t len;
    int err = fl_read_file(a, argv[1], 1 << 20, &text, &len);
    if (err)
        fl_die(FL_COULD_NOT_RUN, "%s: %s", argv[1], strerror(err));
    fl_buf out;
    fl_buf_init(&out, 1 << 20);
    const char *wrong = lang_reference_update(a, text, &out);
    if (wrong)
        fl_die(FL_FINDINGS, "%s: %s", argv[1], wrong);
    if (out.len != len || memcmp(out.p, text, len) != 0)
        err = fl_write_file(argv[1], out.p, out.len, 0644, false);
    if (err)
        fl_die(FL_COULD_NOT_RUN, "%s: %s", argv[1], strerror(err));
    fl_buf_free(&out);
    fl_arena_free(a);
    return FL_OK;
}
