/* descriptor_fuzz.c: any bytes as Protobuf descriptors, and as the text of a .proto file. What is read must make a tree
 * that can be walked, compared with itself, matched and edited; what isn't must say why. protoc is not asked. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/compat.h"
#include "schema/proto.h"
#include "tests/fuzz/must.h"

static void use_leaf(fl_arena *a, const sch_schema *s, const sch_hit *h)
{
    static const char *tags[] = {"T"};
    const char *keys[SCH_MAX_KEYS];
    MUST(h->field && sch_match_keys(s, h, a, keys) == 1);
    MUST(h->field->at <= h->field->to && h->field->to <= s->len);
    const sch_edit edit = {h->field, tags, 1};
    fl_buf out;
    fl_buf_init(&out, 16 << 20);
    sch_write_tags(s, &edit, 1, &out);
    fl_buf_free(&out);
}

static void use_file(fl_arena *a, const proto_file *file, const char *text, size_t len)
{
    const proto_unit unit = {.file = file};
    sch_error err = {0};
    sch_schema *s = sch_proto_tree(a, &unit, "fuzz.proto", text, len, NULL, NULL, 0, &err);
    MUST(s || *err.message);
    if (!s)
        return;
    sch_hits leaves;
    sch_leaves(s, a, &leaves);
    for (size_t i = 0; i < leaves.n && i < 20; i++)
        use_leaf(a, s, &leaves.v[i]);
    sch_compatibility result;
    const sch_schema *same = s;
    MUST(sch_compatible(a, SCH_FULL, s, &same, 1, &result) || result.undecided);
}

static void note(const char *symbol, void *ctx)
{
    MUST(*symbol);
    ++*(size_t *)ctx;
}

/* As one file: its text, or why not. */
static void print_it(fl_arena *a, const uint8_t *data, size_t size)
{
    fl_buf out;
    char message[256];
    fl_buf_init(&out, 1 << 20);
    bool ok = sch_proto_print(a, data, size, &out, message);
    MUST(ok ? out.len > 0 : *message);
    sch_proto_same(a, data, size, data, size / 2);
    fl_buf_free(&out);
}

/* As a set of files: the normal text of the first, with and without extensions, or why there is none. */
static void normal_text(fl_arena *a, const uint8_t *data, size_t size, const char *root)
{
    for (int bare = 0; bare < 2; bare++) {
        fl_buf out;
        char message[256];
        fl_buf_init(&out, 1 << 20);
        bool ok = sch_proto_normal(a, data, size, root, bare, &out, message);
        MUST(ok ? !out.full : *message);
        fl_buf_free(&out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_arena *a = fl_arena_new();
    print_it(a, data, size);
    proto_model model;
    char message[256];
    size_t symbols = 0;
    bool ok = sch_proto_read(a, data, size, &model, message);
    MUST(ok == !*message);
    normal_text(a, data, size, ok && model.nfiles ? model.files[0].name : "root.proto");
    for (size_t i = 0; ok && i < model.nfiles && i < 8; i++)
        use_file(a, &model.files[i], (const char *)data, size);
    sch_proto_symbols((const char *)data, size, note, &symbols);
    MUST(symbols <= size);
    sch_proto_message_name(a, (const char *)data, size, "M");
    fl_arena_free(a);
    return 0;
}
