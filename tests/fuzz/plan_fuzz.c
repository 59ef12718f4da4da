/* plan_fuzz.c: any bytes as plan.json: refused with a message, or a plan whose topics can be registered and opened, or
 * are refused with one. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/engine.h"
#include "runtime/plan.h"
#include "tests/fuzz/must.h"

static fl_secret no_secret(void *ctx, const char *kek, const char *name)
{
    return (fl_secret){0};
}

/* Codecs of a side, to write and to read. */
static void open_side(rt_registry *r, rt_keys *keys, const rt_plan_side *side)
{
    static const uint8_t some[] = {0, 0, 0, 0, 1, 2, 'a', 0};
    if (!side->subject.subject)
        return;
    for (int reading = 0; reading < 2; reading++) {
        rt_error e = {0};
        rt_codec *c = NULL;
        fl_buf out;
        rt_codec_options opt = {.read_only = reading};
        fl_buf_init(&out, 1 << 20);
        rt_code code = rt_codec_open(r, keys, &side->subject, &opt, &c, &e);
        MUST(code ? !c && *e.message : c != NULL);
        if (!code) {
            code = rt_codec_check_plan(c, side, &e);
            MUST(code == RT_OK || *e.message);
            if (rt_encrypt(c, some + 5, 3, &out, &e))
                MUST(out.len == 0);
            if (rt_decrypt(c, some, sizeof some, &out, NULL, &e))
                MUST(out.len == 0);
        }
        rt_codec_close(c);
        fl_buf_free(&out);
    }
}

static void use(fl_arena *a, rt_plan *p)
{
    rt_error e = {0};
    rt_registry *r;
    MUST(rt_registry_open("mem:", NULL, &r, &e) == RT_OK);
    rt_keys_options opt = {.registry = r, .params = {.get = no_secret}};
    rt_keys *keys = rt_keys_new(&opt);
    rt_code code = rt_plan_register(p, r, a, &e);
    MUST(code == RT_OK || *e.message);
    for (size_t i = 0; i < p->ntopics && !code; i++) {
        MUST(rt_plan_topic_find(p, p->topics[i].name) == &p->topics[i]);
        const char *beyond = rt_plan_topic_beyond(a, &p->topics[i]);
        MUST(!beyond || *beyond);
        open_side(r, keys, &p->topics[i].key);
        open_side(r, keys, &p->topics[i].value);
    }
    rt_keys_free(keys);
    rt_registry_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rt_error e = {0};
    rt_plan *p = NULL;
    fl_secret_setup();
    fl_arena *a = fl_arena_new();
    rt_code code = rt_plan_parse(a, "fuzz.json", (const char *)data, size, &p, &e);
    MUST(code ? !p && *e.message : p != NULL);
    if (!code)
        use(a, p);
    fl_arena_free(a);
    return 0;
}
