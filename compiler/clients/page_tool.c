/* page_tool.c: `make clients`: writes docs/clients.md out of the table. usage: page_tool docs/clients.md */
#include <stdio.h>

#include "compiler/clients/page.h"

int main(int argc, char **argv)
{
    if (argc != 2)
        return fprintf(stderr, "usage: page_tool docs/clients.md\n"), 2;
    fl_arena *a = fl_arena_new();
    fl_buf out;
    fl_buf_init(&out, 1 << 20);
    cl_page(a, &out);
    if (out.full || fl_write_file(argv[1], out.p, out.len, 0644, false))
        return fprintf(stderr, "%s: cannot be written\n", argv[1]), 1;
    fl_buf_free(&out);
    fl_arena_free(a);
    return 0;
}
