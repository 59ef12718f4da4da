/* kms_tool.c: wrapped keys by a KMS driver, for the tests against real and emulated services.
 * usage: kms_tool wrap|unwrap TYPE KEY-ID CONFIG [KMS-PROPS] <base64 >base64. Settings from CONFIG ("-": none), then
 * the environment. One key a line, each answered before the next is read, by one client. Ends at the first that fails,
 * with the exit status that flec has for what happened. */
#include <stdio.h>
#include <string.h>

#include "runtime/kek_kms.h"
#include "runtime/runtime.h"

static char text[65536];

static rt_code wrap(rt_kms *kms, const uint8_t *p, size_t n, fl_buf *out, rt_error *err)
{
    fl_secret plain = fl_secret_copy(p, n);
    rt_code code = kms->wrap(kms, &plain, out, err);
    fl_secret_free(&plain);
    return code;
}

static rt_code unwrap(rt_kms *kms, const uint8_t *p, size_t n, fl_buf *out, rt_error *err)
{
    fl_secret plain = {0};
    rt_code code = kms->unwrap(kms, p, n, &plain, err);
    if (code == RT_OK)
        fl_buf_add(out, plain.bytes, plain.len);
    fl_secret_free(&plain);
    return code;
}

static rt_code one(bool wrapping, rt_kms *kms, const char *in, rt_error *err)
{
    static uint8_t bytes[sizeof text];
    static char base64[2 * sizeof text];
    fl_buf out;
    ptrdiff_t n = fl_b64_decode(bytes, in, strlen(in), FL_B64_STRICT);
    if (n < 0)
        return rt_fail(err, RT_BAD_INPUT, "standard input is no base64");
    fl_buf_init(&out, sizeof bytes);
    rt_code code = (wrapping ? wrap : unwrap)(kms, bytes, (size_t)n, &out, err);
    if (code == RT_OK)
        printf("%.*s\n", (int)fl_b64_encode(base64, (uint8_t *)out.p, out.len), base64);
    fflush(stdout);
    fl_buf_wipe(&out);
    return code;
}

static rt_code run(bool wrapping, const rt_kek *kek, const rt_params *params, rt_error *err)
{
    rt_kms *kms;
    rt_code code = rt_kek_kms_open(kek, params, &kms, err);
    if (code != RT_OK)
        return code;
    while (code == RT_OK && fgets(text, sizeof text, stdin)) {
        text[strcspn(text, "\r\n")] = 0;
        code = one(wrapping, kms, text, err);
    }
    kms->free(kms);
    return code;
}

int main(int argc, char **argv)
{
    rt_error err;
    rt_config *config = NULL;
    if (argc < 5 || (strcmp(argv[1], "wrap") != 0 && strcmp(argv[1], "unwrap") != 0))
        return FL_USAGE;
    rt_code code = rt_config_load(strcmp(argv[4], "-") != 0 ? argv[4] : NULL, &config, &err);
    rt_kek kek = {.name = "kek", .kms_type = argv[2], .kms_key_id = argv[3], .props = argc > 5 ? argv[5] : NULL};
    rt_param_source source = {.config = config};
    rt_params params = rt_param_source_params(&source);
    if (code == RT_OK)
        code = run(!strcmp(argv[1], "wrap"), &kek, &params, &err);
    if (code != RT_OK)
        fprintf(stderr, "%s\n", err.message);
    rt_config_free(config);
    return (int)rt_exit_status(code);
}
