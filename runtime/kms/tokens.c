/* tokens.c: tokens of this process until they expire. */
#include "runtime/kms/tokens.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

enum { TOKENS = 64, MARGIN_MS = 60000 };

typedef struct token {
    kms_token_id id;
    fl_secret text; /* bytes NULL: free */
    int64_t until_ms;
} token;

static struct {
    pthread_mutex_t lock;
    token of[TOKENS];
} tokens = {.lock = PTHREAD_MUTEX_INITIALIZER};

static uint8_t salt[32];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_salt(void)
{
    if (RAND_bytes(salt, sizeof salt) != 1)
        fl_die(FL_COULD_NOT_RUN, "OpenSSL gives no random bytes");
}

kms_token_id kms_token_of(const fl_secret *const *parts, size_t n)
{
    uint8_t digest[32];
    kms_token_id id = {0};
    pthread_once(&once, make_salt);
    EVP_MD_CTX *c = EVP_MD_CTX_new();
    bool ok = c && EVP_DigestInit_ex(c, EVP_sha256(), NULL) && EVP_DigestUpdate(c, salt, sizeof salt);
    for (size_t i = 0; i < n; i++) {
        uint64_t len = parts[i]->bytes ? parts[i]->len : UINT64_MAX;
        ok = ok && EVP_DigestUpdate(c, &len, sizeof len) &&
             (!parts[i]->len || EVP_DigestUpdate(c, parts[i]->bytes, parts[i]->len));
    }
    if (!ok || !EVP_DigestFinal_ex(c, digest, NULL))
        fl_die(FL_COULD_NOT_RUN, "OpenSSL gives no SHA-256");
    EVP_MD_CTX_free(c);
    fl_hex(id.hex, digest, sizeof digest);
    return id;
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* With the lock. */
static token *find(const kms_token_id *id)
{
    for (size_t i = 0; i < TOKENS; i++)
        if (tokens.of[i].text.bytes && !strcmp(tokens.of[i].id.hex, id->hex))
            return &tokens.of[i];
    return NULL;
}

/* All are in use: the one that expires first goes. With the lock. */
static token *soonest(void)
{
    token *t = &tokens.of[0];
    for (size_t i = 1; i < TOKENS; i++)
        if (tokens.of[i].until_ms < t->until_ms)
            t = &tokens.of[i];
    return t;
}

static fl_secret with_nul(const fl_secret *s)
{
    fl_secret out = fl_secret_new(s->len + 1);
    if (s->len)
        memcpy(out.bytes, s->bytes, s->len);
    out.len = s->len; /* freed by address */
    return out;
}

bool kms_token_get(const kms_token_id *id, fl_secret *out)
{
    *out = (fl_secret){0};
    pthread_mutex_lock(&tokens.lock);
    token *t = find(id);
    if (t && now_ms() < t->until_ms)
        *out = with_nul(&t->text);
    else if (t)
        fl_secret_free(&t->text);
    pthread_mutex_unlock(&tokens.lock);
    return out->bytes != NULL;
}

void kms_token_put(const kms_token_id *id, const fl_secret *text, int64_t life_s)
{
    int64_t life = life_s > 86400 ? INT64_C(86400000) : life_s * 1000;
    int64_t margin = life / 10 < MARGIN_MS ? life / 10 : MARGIN_MS;
    pthread_mutex_lock(&tokens.lock);
    token *t = find(id);
    for (size_t i = 0; !t && i < TOKENS; i++)
        t = tokens.of[i].text.bytes ? NULL : &tokens.of[i];
    if (!t)
        t = soonest();
    fl_secret_free(&t->text);
    *t = (token){*id, with_nul(text), now_ms() + life - margin};
    pthread_mutex_unlock(&tokens.lock);
}

void kms_token_drop(const kms_token_id *id, const fl_secret *text)
{
    pthread_mutex_lock(&tokens.lock);
    token *t = find(id);
    if (t && fl_secret_eq(&t->text, text))
        fl_secret_free(&t->text);
    pthread_mutex_unlock(&tokens.lock);
}
