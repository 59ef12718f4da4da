/* registry_fuzz.c: answers of a registry over HTTP, by their first byte: a subject (s), a KEK (k), a DEK (d), uses of a
 * schema (u); and what names the schema of a record (f, with a header: h). Whatever they hold, what comes out of them
 * is what was asked for, or nothing. */
#include <stdlib.h>
#include <string.h>

#include "runtime/frame.h"
#include "runtime/registry_answers.h"

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void subject(fl_arena *a, const fl_json *j)
{
    rt_subject s = {.subject = "s", .version = 3};
    if (rt_answer_subject(a, j, &s, NULL) != RT_OK)
        return;
    must(s.schema && s.type && s.version == 3 && !strcmp(s.subject, "s") && s.id >= 0);
    for (size_t i = 0; i < s.nrefs; i++)
        must(s.refs[i].name && s.refs[i].subject && s.refs[i].version > 0);
    char own[37];
    must(!*s.guid || (rt_schema_guid(&s, own, NULL) == RT_OK && !strcmp(own, s.guid)));
}

static void kek(fl_arena *a, const fl_json *j)
{
    rt_kek k;
    if (rt_answer_kek(a, j, "k", &k, NULL) == RT_OK)
        must(!strcmp(k.name, "k") && k.kms_type && k.kms_key_id && k.props && k.doc);
}

static void dek(fl_arena *a, const fl_json *j)
{
    rt_dek d = {.kek = "k", .subject = "s", .alg = RT_AES256_GCM, .version = 3};
    if (rt_answer_dek(a, j, &d, NULL) == RT_OK)
        must(d.version == 3 && d.alg == RT_AES256_GCM);
    else
        must(!d.material.bytes);
    fl_secret_free(&d.material);
}

static void frame(const uint8_t *p, size_t n, bool header)
{
    size_t half = header ? n / 2 : 0;
    rt_frame f;
    rt_wire w = {.p = p + half, .n = n - half, .header = header ? p : NULL, .nheader = half};
    if (rt_frame_read("s", &w, &f, NULL) == RT_OK)
        must(f.n <= w.n && f.body + f.n == w.p + w.n && f.nlead <= w.nheader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fl_json_error e;
    if (size < 1)
        return 0;
    if (data[0] == 'f' || data[0] == 'h') {
        frame(data + 1, size - 1, data[0] == 'h');
        return 0;
    }
    fl_arena *a = fl_arena_new();
    const fl_json *j = fl_json_parse(a, (const char *)data + 1, size - 1, FL_JSON_ALLOW_NUL, &e);
    const char *name;
    int version;
    if (j && data[0] == 's')
        subject(a, j);
    else if (j && data[0] == 'k')
        kek(a, j);
    else if (j && data[0] == 'd')
        dek(a, j);
    else if (j && data[0] == 'u' && rt_answer_use(j, "s", &name, &version))
        must(name && version > 0);
    fl_arena_free(a);
    return 0;
}
