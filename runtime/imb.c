/* imb.c: AES-GCM through libipsec-mb. */
#include "runtime/imb.h"

#include <stdint.h>
#include <string.h>

#if defined(__x86_64__) && __has_include(<intel-ipsec-mb.h>)

#include <dlfcn.h>
#include <intel-ipsec-mb.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>

enum { IV = 12, TAG = 16 };
#define LIBRARY "libIPSec_MB.so.1"
#define ALIGN   64 /* of a key schedule */

/* The manager is set up once and only read after that: its direct calls keep nothing between them, so any thread may
 * make them. */
static struct {
    pthread_once_t once;
    IMB_MGR *mgr;
    const char *why; /* it is not used */
    char name[80];
} lib = {.once = PTHREAD_ONCE_INIT};

/* The schedule lies in the heap for secrets, where the library wants it aligned. */
struct rt_imb_key {
    fl_secret memory; /* of this struct and the schedule */
    aes_gcm_enc_dec_t enc, dec;
    struct gcm_key_data *schedule;
};

/* ---- loading ---- */

typedef struct functions {
    IMB_MGR *(*alloc)(uint64_t flags);
    void (*init)(IMB_MGR *m, IMB_ARCH *arch);
    void (*release)(IMB_MGR *m);
    unsigned (*version)(void);
} functions;

static bool find(void *library, functions *f)
{
    *(void **)&f->alloc = dlsym(library, "alloc_mb_mgr");
    *(void **)&f->init = dlsym(library, "init_mb_mgr_auto");
    *(void **)&f->release = dlsym(library, "free_mb_mgr");
    *(void **)&f->version = dlsym(library, "imb_get_version");
    return f->alloc && f->init && f->release && f->version;
}

static const char *unfit(const IMB_MGR *m, IMB_ARCH arch)
{
    uint64_t needed = IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ;
    if (arch < IMB_ARCH_SSE || (m->features & needed) != needed || m->features & IMB_FEATURE_AESNI_EMU)
        return "the processor lacks the instructions";
    if (m->features & IMB_FEATURE_SELF_TEST && !(m->features & IMB_FEATURE_SELF_TEST_PASS))
        return "its self-test failed";
    return NULL;
}

static const char *load(void)
{
    static const char *const archs[] = {
        [IMB_ARCH_SSE] = "SSE", [IMB_ARCH_AVX] = "AVX", [IMB_ARCH_AVX2] = "AVX2", [IMB_ARCH_AVX512] = "AVX-512"};
    functions f;
    IMB_ARCH arch = IMB_ARCH_NONE;
    void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL); /* stays until the end */
    if (!library)
        return "it is not installed";
    if (!find(library, &f) || f.version() != IMB_VERSION_NUM) /* structures are those of the header */
        return "it is another version than this program was compiled for";
    IMB_MGR *m = f.alloc(0);
    if (!m)
        return "it could not be set up";
    f.init(m, &arch);
    const char *why = unfit(m, arch);
    if (why) {
        f.release(m);
        return why;
    }
    lib.mgr = m;
    snprintf(lib.name, sizeof lib.name, "libipsec-mb %s (%s)", IMB_VERSION_STR,
             (size_t)arch < sizeof archs / sizeof *archs && archs[arch] ? archs[arch] : "newer");
    return NULL;
}

static void load_once(void)
{
    lib.why = load();
}

bool rt_imb_ready(const char **why)
{
    pthread_once(&lib.once, load_once);
    *why = lib.why;
    return !lib.why;
}

const char *rt_imb_name(void)
{
    return lib.name;
}

/* ---- texts ---- */

/* It holds key stream. Word by word: memset becomes one instruction that takes as long as the cipher of a short text,
 * and fl_wipe a call into OpenSSL, by bytes. */
static inline void wipe(struct gcm_context_data *c)
{
    typedef uint64_t __attribute__((may_alias)) word;
    _Static_assert(sizeof *c % sizeof(word) == 0, "whole words");
#pragma GCC unroll 16
    for (size_t i = 0; i < sizeof *c / sizeof(word); i++)
        ((volatile word *)c)[i] = 0;
}

void rt_imb_seal(const rt_imb_key *k, const rt_text *t, size_t n)
{
    struct gcm_context_data c;
    for (; n; n--, t++)
        k->enc(k->schedule, &c, t->out + IV, t->in, t->n, t->out, NULL, 0, t->out + IV + t->n, TAG);
    wipe(&c);
}

/* In the same time whatever they hold: no branch depends on it. */
static bool same_tag(const uint8_t *a, const uint8_t *b)
{
    uint64_t x[2], y[2];
    memcpy(x, a, TAG);
    memcpy(y, b, TAG);
    uint64_t differ = (x[0] ^ y[0]) | (x[1] ^ y[1]);
    __asm__ volatile("" : "+r"(differ)); /* nothing is known of the halves */
    return differ == 0;
}

/* The library decrypts and leaves the comparison to its caller, who gets nothing before it. */
size_t rt_imb_open(const rt_imb_key *k, const rt_text *t, size_t n)
{
    struct gcm_context_data c;
    uint8_t tag[TAG];
    size_t done = 0;
    for (bool same = true; done < n && same; done += same, t++) {
        k->dec(k->schedule, &c, t->out, t->in + IV, t->n, t->in, NULL, 0, tag, TAG);
        same = same_tag(tag, t->in + IV + t->n);
    }
    wipe(&c);
    return done;
}

/* ---- keys ---- */

static const size_t lengths[] = {0, 1, 15, 16, 17, 40, 64, 129, 500};
#define LONGEST 500

static bool openssl_seal(rt_alg alg, const uint8_t *raw, uint8_t *out, const uint8_t *in, size_t n)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    const EVP_CIPHER *cipher = alg == RT_AES128_GCM ? EVP_aes_128_gcm() : EVP_aes_256_gcm();
    int len = 0, end = 0;
    bool ok = c && EVP_EncryptInit_ex(c, cipher, NULL, raw, out) == 1 &&
              (!n || EVP_EncryptUpdate(c, out + IV, &len, in, (int)n) == 1) &&
              EVP_EncryptFinal_ex(c, out + IV + n, &end) == 1 &&
              EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG, out + IV + n) == 1;
    EVP_CIPHER_CTX_free(c);
    return ok && (size_t)len == n;
}

/* Seals to the same bytes, opens them, and does not open them altered? *compared: false where OpenSSL failed. */
static bool agrees(const rt_imb_key *k, rt_alg alg, const uint8_t *raw, size_t n, bool *compared)
{
    uint8_t in[LONGEST], want[IV + LONGEST + TAG], got[IV + LONGEST + TAG], back[LONGEST];
    for (size_t i = 0; i < n; i++)
        in[i] = (uint8_t)(7 * i + n);
    for (size_t i = 0; i < IV; i++)
        want[i] = got[i] = (uint8_t)(i * n + 1);
    if (!openssl_seal(alg, raw, want, in, n)) {
        *compared = false;
        return false;
    }
    rt_imb_seal(k, &(rt_text){got, in, n}, 1);
    if (memcmp(want, got, IV + n + TAG) != 0 || rt_imb_open(k, &(rt_text){back, want, n}, 1) != 1 ||
        memcmp(back, in, n) != 0)
        return false;
    want[IV + n + TAG - 1] ^= 1;
    return rt_imb_open(k, &(rt_text){back, want, n}, 1) == 0;
}

static bool checked(const rt_imb_key *k, rt_alg alg, const uint8_t *raw)
{
    bool compared = true;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        if (!agrees(k, alg, raw, lengths[i], &compared)) {
            fl_log(FL_LOG_WARN,
                   compared ? "libipsec-mb and OpenSSL differ for a new key: OpenSSL is used for it"
                            : "OpenSSL fails where libipsec-mb is held against it: OpenSSL is used for the new key");
            return false;
        }
    return true;
}

rt_imb_key *rt_imb_key_new(rt_alg alg, const uint8_t *raw)
{
    const char *why;
    if (!rt_imb_ready(&why))
        return NULL;
    fl_secret memory = fl_secret_spare(sizeof(rt_imb_key) + sizeof(struct gcm_key_data) + ALIGN);
    if (!memory.bytes)
        return NULL;
    rt_imb_key *k = (rt_imb_key *)(void *)memory.bytes;
    uintptr_t behind = (uintptr_t)(k + 1);
    k->memory = memory;
    k->schedule = (struct gcm_key_data *)((behind + ALIGN - 1) / ALIGN * ALIGN);
    k->enc = alg == RT_AES128_GCM ? lib.mgr->gcm128_enc : lib.mgr->gcm256_enc;
    k->dec = alg == RT_AES128_GCM ? lib.mgr->gcm128_dec : lib.mgr->gcm256_dec;
    (alg == RT_AES128_GCM ? lib.mgr->gcm128_pre : lib.mgr->gcm256_pre)(raw, k->schedule);
    if (checked(k, alg, raw))
        return k;
    rt_imb_key_free(k);
    return NULL;
}

void rt_imb_key_free(rt_imb_key *k)
{
    fl_secret memory = k ? k->memory : (fl_secret){0};
    fl_secret_free(&memory);
}

#else /* no header, or another processor */

bool rt_imb_ready(const char **why)
{
    *why = "this program was compiled without it";
    return false;
}

const char *rt_imb_name(void)
{
    return "";
}

rt_imb_key *rt_imb_key_new(rt_alg alg, const uint8_t *raw)
{
    (void)alg, (void)raw;
    return NULL;
}

void rt_imb_key_free(rt_imb_key *k)
{
    (void)k;
}

void rt_imb_seal(const rt_imb_key *k, const rt_text *t, size_t n)
{
    (void)k, (void)t, (void)n;
}

size_t rt_imb_open(const rt_imb_key *k, const rt_text *t, size_t n)
{
    (void)k, (void)t, (void)n;
    return 0;
}

#endif
