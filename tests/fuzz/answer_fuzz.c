/* answer_fuzz.c: any bytes as what a key service or a token endpoint answers. What is taken out of it ends in a NUL and
 * holds none; where the text is JSON by the reader of base/, both read the same; base64 comes back as it was. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/kms/answer.h"
#include "runtime/kms/aws_identity.h"
#include "tests/fuzz/must.h"

enum { SIMPLE_DEPTH = 24 }; /* below what either reader takes */

/* What the drivers ask for. */
static const char *const paths[] = {"CiphertextBlob",
                                    "Plaintext",
                                    "KeyId",
                                    "__type",
                                    "code",
                                    "message",
                                    "Message",
                                    "AccessKeyId",
                                    "Expiration",
                                    "access_token",
                                    "error",
                                    "error_description",
                                    "error/code",
                                    "error/message",
                                    "error/status",
                                    "error/innererror/code",
                                    "key/kid",
                                    "value",
                                    "ciphertext",
                                    "plaintext",
                                    "data/ciphertext",
                                    "data/plaintext",
                                    "auth/client_token"};
static const char *const numbers[] = {"expires_in", "auth/lease_duration", "plaintextCrc32c", "ciphertextCrc32c"};
static const char *const tags[] = {"AccessKeyId", "SecretAccessKey", "SessionToken", "Code", "Message"};

static void whole(const fl_secret *s, bool found)
{
    MUST(found == (s->bytes != NULL));
    MUST(!found || strlen((char *)s->bytes) == s->len);
}

/* Neither escapes nor deep nesting: what one of the readers takes, and the other needn't. */
static bool simple(const char *text, size_t n)
{
    int depth = 0, most = 0;
    for (size_t i = 0; i < n; i++) {
        depth += text[i] == '{' || text[i] == '[';
        depth -= text[i] == '}' || text[i] == ']';
        most = depth > most ? depth : most;
        if (text[i] == '\\')
            return false;
    }
    return most < SIMPLE_DEPTH;
}

static const char *by_base(const fl_json *root, const char *path)
{
    char name[64];
    for (const char *slash; root && (slash = strchr(path, '/')); path = slash + 1) {
        snprintf(name, sizeof name, "%.*s", (int)(slash - path), path);
        root = fl_json_get(root, name);
    }
    return root ? fl_json_str(root, path) : NULL;
}

static void read_json(const fl_secret *text)
{
    fl_arena *a = fl_arena_new();
    const fl_json *root = fl_json_parse(a, (char *)text->bytes, text->len, 0, &(fl_json_error){0});
    bool plain = root && simple((char *)text->bytes, text->len);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        fl_secret s;
        bool found = kms_json_text(text, paths[i], &s);
        const char *other = root ? by_base(root, paths[i]) : NULL;
        whole(&s, found);
        MUST(!plain || found == (other != NULL));
        MUST(!found || !other || !strcmp((char *)s.bytes, other));
        fl_secret_free(&s);
    }
    fl_arena_free(a);
}

static void read_others(const fl_secret *text)
{
    fl_secret s;
    int64_t n;
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        kms_json_int(text, numbers[i], &n);
    whole(&s, kms_json_first(text, "errors", &s));
    fl_secret_free(&s);
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        whole(&s, kms_xml_text(text, tags[i], &s));
        fl_secret_free(&s);
    }
    for (int status = 400; status < 404; status++) {
        rt_http_answer a = {.status = status, .body = *text};
        MUST(aws_problem(&a) <= KMS_ODD);
        aws_again(&a);
    }
}

static void base64(const fl_secret *text)
{
    for (int url = 0; url < 2; url++) {
        fl_secret out, coded = kms_b64(text->bytes, text->len, url);
        MUST(strlen((char *)coded.bytes) == coded.len);
        MUST(kms_unb64((char *)coded.bytes, coded.len, url, &out));
        MUST(out.len == text->len && (!text->len || !memcmp(out.bytes, text->bytes, text->len)));
        fl_secret_free(&out);
        fl_secret_free(&coded);
        if (kms_unb64((char *)text->bytes, text->len, url, &out))
            MUST(out.len <= text->len);
        fl_secret_free(&out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > (1 << 20)) /* no answer is longer: http.h */
        return 0;
    uint8_t *copy = fl_xmalloc(size + 1); /* in ordinary memory, so that a read past its end is seen */
    if (size)
        memcpy(copy, data, size);
    copy[size] = 0; /* as an answer's body has it */
    fl_secret text = {copy, size};
    read_json(&text);
    read_others(&text);
    base64(&text);
    free(copy);
    return 0;
}
