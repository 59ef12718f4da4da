/* derive_tool.c: `make clients`: writes constructs.json: for each measured case the constructs that its leaves and its
 * record have. clients_tool.c reads that when the program is built; clients_test.c holds it against the schemas.
 *
 * usage: derive_tool CASES.json OUT.json */
#include <stdio.h>

#include "compiler/clients/derive.h"

int main(int argc, char **argv)
{
    char *text, message[512];
    size_t len;
    if (argc != 3)
        return fprintf(stderr, "usage: derive_tool CASES.json OUT.json\n"), 2;
    fl_arena *a = fl_arena_new();
    fl_buf out;
    fl_buf_init(&out, 16 << 20);
    if (fl_read_file(a, argv[1], 16 << 20, &text, &len) || !cl_derive(a, text, len, &out, message))
        return fprintf(stderr, "%s: %s\n", argv[1], text ? message : "cannot be read"), 1;
    if (out.full || fl_write_file(argv[2], out.p, out.len, 0644, false))
        return fprintf(stderr, "%s: cannot be written\n", argv[2]), 1;
    fl_buf_free(&out);
    fl_arena_free(a);
    return 0;
}
