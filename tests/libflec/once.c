/* once.c: one record through the installed library. usage: once encrypt|decrypt PLAN|- REGISTRY SETTINGS HEX */
#include <flec.h>
#include <stdio.h>
#include <string.h>

static size_t unhex(unsigned char *out, size_t room, const char *hex)
{
    size_t n = 0;
    unsigned v;
    while (n < room && sscanf(hex + 2 * n, "%2x", &v) == 1)
        out[n++] = (unsigned char)v;
    return n;
}

int main(int argc, char **argv)
{
    char message[512];
    unsigned char in[1024];
    const void *out;
    size_t n;
    flec_engine *engine;
    flec_codec *codec;
    if (argc != 6)
        return 2;
    int writes = strcmp(argv[1], "encrypt") == 0;
    const char *const settings[] = {"flec.config.file", argv[4], "schema.registry.url", argv[3], NULL};
    const char *plan = strcmp(argv[2], "-") ? argv[2] : NULL;
    if (flec_engine_open(&engine, plan, settings, message, sizeof message) != FLEC_OK ||
        flec_codec_open(&codec, engine, "people", writes ? FLEC_ENCRYPT : FLEC_DECRYPT, message, sizeof message) !=
            FLEC_OK) {
        fprintf(stderr, "%s\n", message);
        return 1;
    }
    size_t nin = unhex(in, sizeof in, argv[5]);
    flec_code code = writes ? flec_encrypt(codec, in, nin, &out, &n) : flec_decrypt(codec, in, nin, &out, &n);
    if (code != FLEC_OK)
        fprintf(stderr, "%s: %s\n", flec_code_name(code), flec_error(codec));
    for (size_t i = 0; code == FLEC_OK && i < n; i++)
        printf("%02x", ((const unsigned char *)out)[i]);
    puts("");
    flec_codec_close(codec);
    flec_engine_close(engine);
    return code != FLEC_OK;
}
