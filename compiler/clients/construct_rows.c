/* construct_rows.c: the table of constructs. Apart from what finds them, since the tool that reads the measured cases
 * when the program is built needs no schemas. */
#include "compiler/clients/constructs.h"

#include <string.h>

#define CL_ROW(id, key, scope, words, instead) {key, scope, words, instead},
const cl_construct_row cl_construct_rows[CL_NCONSTRUCTS] = {CL_CONSTRUCTS(CL_ROW)};

int cl_find_construct(const char *key)
{
    for (int i = 0; i < CL_NCONSTRUCTS; i++)
        if (!strcmp(cl_construct_rows[i].key, key))
            return i;
    return -1;
}

void cl_keep(cl_set *s, cl_scope from, cl_scope to)
{
    for (size_t i = 0; i < sizeof s->w / sizeof *s->w; i++)
        for (uint64_t rest = s->w[i], bit; rest; rest &= ~bit) {
            bit = rest & -rest;
            const cl_construct_row *row = &cl_construct_rows[i * 64 + (size_t)__builtin_ctzll(bit)];
            if (row->scope < from || row->scope > to)
                s->w[i] &= ~bit;
        }
}
