/* proto_place.c: protoc's lines and columns as offsets into a text. */
#include "schema/proto.h"

#include <string.h>

#define TAB 8 /* protoc's tokenizer moves to the next multiple */

void sch_proto_lines(fl_arena *a, const char *text, size_t len, proto_lines *out)
{
    size_t n = 1;
    for (const char *p = text, *end = text + len; (p = memchr(p, '\n', (size_t)(end - p))); p++)
        n++;
    *out = (proto_lines){.text = text, .len = (uint32_t)len, .starts = FL_NEW_N(a, uint32_t, n)};
    out->starts[out->n++] = 0;
    for (const char *p = text, *end = text + len; (p = memchr(p, '\n', (size_t)(end - p))); p++)
        out->starts[out->n++] = (uint32_t)(p + 1 - text);
}

uint32_t sch_proto_offset(const proto_lines *l, int32_t line, int32_t column)
{
    if (line < 0 || (size_t)line >= l->n)
        return l->len;
    uint32_t at = l->starts[line];
    for (int32_t c = 0; c < column && at < l->len && l->text[at] != '\n'; at++)
        c = l->text[at] == '\t' ? (c / TAB + 1) * TAB : c + 1;
    return at;
}
