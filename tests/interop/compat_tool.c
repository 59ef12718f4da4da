/* compat_tool.c: what flec says of pairs of Avro schemas, in the form of tests/interop/avro/Judge.java. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/compat.h"

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void print_findings(fl_arena *a, const sch_compatibility *c)
{
    const char **all = FL_NEW_N(a, const char *, c->list.n + 1);
    for (size_t i = 0; i < c->list.n; i++)
        all[i] = fl_printf(a, "%s %s", c->list.v[i].type, c->list.v[i].path);
    qsort(all, c->list.n, sizeof *all, by_text);
    const char *between = "";
    for (size_t i = 0; i < c->list.n; i++)
        if (!i || strcmp(all[i - 1], all[i])) {
            printf("%s%s", between, all[i]);
            between = "; ";
        }
    puts(c->undecided ? "UNDECIDED" : "");
}

static char *line(fl_arena *a)
{
    static char *buffer;
    static size_t size;
    ssize_t n = getline(&buffer, &size, stdin);
    return n < 0 ? NULL : fl_strndup(a, buffer, (size_t)n);
}

static void judge(fl_arena *a, const char *reader, const char *writer)
{
    sch_error err;
    sch_compatibility c;
    const sch_schema *r = sch_avro_parse(a, "reader", reader, strlen(reader), NULL, 0, &err);
    const sch_schema *w = sch_avro_parse(a, "writer", writer, strlen(writer), NULL, 0, &err);
    if (!r || !w) {
        puts("REFUSED");
        return;
    }
    sch_compatible(a, SCH_BACKWARD, r, &w, 1, &c);
    print_findings(a, &c);
}

int main(void)
{
    for (bool more = true; more;) {
        fl_arena *a = fl_arena_new();
        const char *reader = line(a), *writer = line(a);
        more = reader && writer;
        if (more)
            judge(a, reader, writer);
        fl_arena_free(a);
    }
    return 0;
}
