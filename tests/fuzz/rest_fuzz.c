/* rest_fuzz.c: any lines as calls of the registry's API, "METHOD TARGET BODY", on one registry in memory. Every call is
 * answered with a status that HTTP has, and a body that is JSON where it says so; at the end the registry still answers
 * what it answered before. No Protobuf: that would be a process a call. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/rest/rest.h"
#include "tests/fuzz/must.h"

enum { MOST_CALLS = 64 };

static void call(rt_store *st, const char *method, const char *target, const char *body)
{
    fl_arena *a = fl_arena_new();
    rt_rest_reply reply;
    rt_rest_request q = {.method = method, .target = target, .body = body, .n = body ? strlen(body) : 0};
    rt_rest_handle(st, a, &q, &reply);
    MUST(reply.status >= 200 && reply.status < 600);
    MUST(!reply.type == (reply.status == 204));
    if (reply.status >= 400) {
        const fl_json *e = fl_json_parse(a, reply.body.p, reply.body.len, 0, &(fl_json_error){0});
        int64_t number;
        MUST(e && fl_json_int(e, "error_code", &number) && fl_json_str(e, "message"));
        MUST(number == reply.status || number / 100 == reply.status);
    } else if (reply.type && !strstr(target, "/schema")) {
        MUST(fl_json_parse(a, reply.body.p, reply.body.len, FL_JSON_ALLOW_NUL, &(fl_json_error){0}));
    }
    fl_buf_wipe(&reply.body);
    fl_arena_free(a);
}

static void call_line(rt_store *st, char *line)
{
    char *target = strchr(line, ' '), *body;
    if (!target || strstr(line, "PROTOBUF"))
        return;
    *target++ = 0;
    body = strchr(target, ' ');
    if (body)
        *body++ = 0;
    call(st, line, target, body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rt_registry *r;
    rt_error e;
    char *text = fl_xmalloc(size + 1), *at = text, *line;
    random_in_sight();
    if (size)
        memcpy(text, data, size);
    text[size] = 0;
    MUST(rt_registry_open("mem:", NULL, &r, &e) == RT_OK);
    for (int i = 0; i < MOST_CALLS && (line = strsep(&at, "\n")); i++)
        call_line((rt_store *)r, line);
    call((rt_store *)r, "GET", "/subjects?deleted=true", NULL);
    call((rt_store *)r, "GET", "/schemas?deleted=true", NULL);
    call((rt_store *)r, "GET", "/config", NULL);
    call((rt_store *)r, "GET", "/dek-registry/v1/keks?deleted=true", NULL);
    rt_registry_close(r);
    free(text);
    return 0;
}
