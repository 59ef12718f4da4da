/* pages_tool.c: build tool: the pages of the checks as a C table. usage: pages_tool OUT.c FOLDER */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

#define PAGE_MAX (1u << 20)

static void put_string(fl_buf *out, const char *s, size_t n)
{
    fl_buf_addc(out, '"');
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == '\n')
            fl_buf_adds(out, "\\n\"\n        \"");
        else if (c == '"' || c == '\\' || c == '?')
            fl_buf_addf(out, "\\%c", c);
        else if (c < ' ' || c > '~')
            fl_buf_addf(out, "\\%03o", c);
        else
            fl_buf_addc(out, (char)c);
    }
    fl_buf_addc(out, '"');
}

static size_t put_page(fl_arena *a, fl_buf *out, const char *path)
{
    char *text;
    size_t len, n = strlen(path);
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    if (!strcmp(name, "README.md"))
        return 0;
    int e = fl_read_file(a, path, PAGE_MAX, &text, &len);
    if (e)
        fl_die(FL_COULD_NOT_RUN, "%s: %s", path, strerror(e));
    fl_buf_addf(out, "    {\"%.*s\",\n     ", (int)(path + n - 3 - name), name);
    put_string(out, text, len);
    fl_buf_adds(out, "},\n");
    return 1;
}

int main(int argc, char **argv)
{
    fl_arena *a = fl_arena_new();
    fl_buf out;
    char **paths;
    size_t n, pages = 0;
    if (argc != 3)
        fl_die(FL_USAGE, "usage: pages_tool OUT.c FOLDER");
    int e = fl_find_files(a, argv[2], ".md", &paths, &n);
    if (e)
        fl_die(FL_COULD_NOT_RUN, "%s: %s", argv[2], strerror(e));
    fl_buf_init(&out, 64u << 20);
    fl_buf_adds(&out, "#include \"cli/pages.h\"\n\nconst cli_page cli_pages[] = {\n");
    for (size_t i = 0; i < n; i++)
        pages += put_page(a, &out, paths[i]);
    fl_buf_addf(&out, "    {0, 0},\n};\nconst size_t cli_npages = %zu;\n", pages);
    e = fl_write_file(argv[1], out.p, out.len, 0644, false);
    if (e)
        fl_die(FL_COULD_NOT_RUN, "%s: %s", argv[1], strerror(e));
    fl_buf_free(&out);
    fl_arena_free(a);
    return 0;
}
