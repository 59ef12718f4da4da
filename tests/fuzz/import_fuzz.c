/* import_fuzz.c: any bytes as an export of a registry. What is refused leaves the registry empty, with a message that
 * names the file and a line. What is taken is a registry whose export is taken again, and exports to the same text. No
 * Protobuf: that would be a process an input. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/export.h"
#include "tests/fuzz/must.h"

static rt_store *empty(void)
{
    rt_registry *r;
    rt_error e;
    MUST(rt_registry_open("mem:", NULL, &r, &e) == RT_OK);
    return (rt_store *)r;
}

static void export_to(const rt_store *st, fl_buf *b)
{
    rt_error e;
    fl_buf_init(b, RT_EXPORT_MAX);
    MUST(rt_store_export(st, b, &e) == RT_OK);
}

static void again(const fl_buf *text)
{
    rt_error e;
    fl_buf b;
    rt_store *st = empty();
    rt_code code = rt_store_import(st, "again", text->p, text->len, &e);
    if (code != RT_OK)
        fprintf(stderr, "%s\n%s\n", e.message, text->p);
    MUST(code == RT_OK);
    export_to(st, &b);
    MUST(b.len == text->len && !memcmp(b.p, text->p, b.len));
    fl_buf_free(&b);
    rt_registry_close(&st->registry);
}

static bool has(const uint8_t *data, size_t size, const char *word)
{
    return size && memmem(data, size, word, strlen(word));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rt_error e;
    fl_buf b;
    if (has(data, size, "PROTO") || has(data, size, "\\u")) /* which may spell it */
        return 0;
    rt_store *st = empty();
    rt_code code = rt_store_import(st, "it", size ? (const char *)data : "", size, &e);
    export_to(st, &b);
    if (code == RT_OK) {
        again(&b);
    } else {
        MUST(code == RT_BAD_INPUT && !strncmp(e.message, "it:", 3));
        MUST(!strcmp(b.p, "[\n{\"format\":\"flec-registry-export\",\"version\":1}\n]\n"));
    }
    fl_buf_free(&b);
    rt_registry_close(&st->registry);
    return 0;
}
