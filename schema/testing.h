/* testing.h: what the unit tests of schema/ share. Only *_test.c include it. */
#ifndef FLEC_SCHEMA_TESTING_H
#define FLEC_SCHEMA_TESTING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "schema/avro_value.h"

static fl_arena *arena; /* one a test */

static int set_up(void **state)
{
    arena = fl_arena_new();
    return 0;
}

static int tear_down(void **state)
{
    fl_arena_free(arena);
    return 0;
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

static inline sch_schema *try_parse(const char *text, sch_error *err)
{
    *err = (sch_error){0};
    return sch_avro_parse(arena, "test.avsc", text, strlen(text), NULL, 0, err);
}

static inline sch_schema *parse(const char *text)
{
    sch_error err;
    sch_schema *s = try_parse(text, &err);
    if (!s)
        fail_msg("at %u: %s\n%s", err.offset, err.message, text);
    return s;
}

static inline fl_json *parse_json(const char *text, size_t len)
{
    fl_json_error err = {0};
    fl_json *j = fl_json_parse(arena, text, len, FL_JSON_ALLOW_NUL, &err);
    if (!j)
        fail_msg("not JSON at %u: %s", err.offset, err.message);
    return j;
}

static inline fl_json *parse_json_text(const char *text)
{
    return parse_json(text, strlen(text));
}

/* A file of the test data, from the root of the repository, where units run. */
static inline char *read_data(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("cannot open %s: run the units from the root of the repository", path);
    char *text = fl_alloc(arena, 4u << 20);
    *len = fread(text, 1, (4u << 20) - 1, f);
    assert_true(*len > 0 && feof(f));
    fclose(f);
    return text;
}

/* Paths joined by spaces, each with its marks: ? nullable, | mixed, @ recursive, + more there are (truncated). */
static inline const char *hits_text(const sch_hits *h)
{
    fl_buf b;
    fl_buf_init(&b, 1u << 20);
    for (size_t i = 0; i < h->n; i++) {
        const sch_hit *hit = &h->v[i];
        fl_buf_addf(&b, "%s%s%s%s%s", i ? " " : "", hit->path, hit->nullable ? "?" : "", hit->mixed ? "|" : "",
                    hit->recursive ? "@" : "");
    }
    if (h->truncated)
        fl_buf_addc(&b, '+');
    const char *text = fl_strdup(arena, b.p);
    fl_buf_free(&b);
    return text;
}

/* The text of a node of a JSON document, as it stands there. */
static inline const char *node_text(const char *doc, const fl_json *node)
{
    return fl_strndup(arena, doc + node->from, node->to - node->from);
}

#endif
