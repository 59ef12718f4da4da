/* users.c: the users file, hashed passwords, those that were right before. */
#include "runtime/rest/users.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/rest/private.h"

#define FIRST_LINE "flec-users 1"

/* What --hash-password writes: 16 MiB, a fifth of a second (OWASP's cheat sheet names it: N 2^14, r 8, p 5). */
enum { LN = 14, R = 8, P = 5, SALT = 16, HASH = 32, SALT_MOST = 64, MEMORY_MOST = 64 << 20, REMEMBERED = 256 };

typedef struct hashed {
    unsigned ln, r, p;
    uint8_t salt[SALT_MOST], hash[HASH];
    size_t nsalt;
} hashed;

typedef struct entry {
    rt_user user;
    const hashed *password; /* NULL: by certificate only */
} entry;

typedef struct remembered {
    uint8_t digest[HASH];
    const rt_user *user;
} remembered;

struct rt_users {
    fl_arena *arena;
    fl_map *by_name; /* entry */
    const hashed *decoy;
    bool admin;
    fl_secret key; /* of the digests below */
    remembered seen[REMEMBERED];
};

static void random_bytes(void *p, int n)
{
    if (RAND_priv_bytes(p, n) != 1)
        fl_die(FL_COULD_NOT_RUN, "OpenSSL gives no random bytes");
}

static bool derive(const hashed *h, const fl_secret *password, uint8_t out[HASH])
{
    return EVP_PBE_scrypt((const char *)password->bytes, password->len, h->salt, h->nsalt, UINT64_C(1) << h->ln, h->r,
                          h->p, 2 * (uint64_t)MEMORY_MOST, out, HASH) == 1;
}

/* ---- reading ---- */

static const char *name_wrong(const char *name)
{
    size_t n = strlen(name), bad;
    if (!n || n > RT_NAME_MOST)
        return "a name has 1 to 256 bytes";
    if (!fl_utf8_ok(name, n, &bad))
        return "the name is not UTF-8";
    for (const char *s = name; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f || *s == ':')
            return "the name holds a colon or a control character";
    return NULL;
}

/* Base64 without padding; the number of bytes, 0: it is none, or too long. */
static size_t take_base64(const char *s, size_t n, uint8_t *out, size_t room)
{
    uint8_t bytes[FL_B64_ROOM(96)];
    if (n > 96)
        return 0;
    ptrdiff_t got = fl_b64_decode(bytes, s, n, FL_B64_LAX);
    if (got <= 0 || (size_t)got > room)
        return 0;
    memcpy(out, bytes, (size_t)got);
    return (size_t)got;
}

static const char *take_hash(const char *text, hashed *h)
{
    int at = 0;
    if (sscanf(text, "$scrypt$ln=%2u,r=%2u,p=%2u$%n", &h->ln, &h->r, &h->p, &at) != 3 || !at)
        return "the hash is none: $scrypt$ln=…,r=…,p=…$SALT$HASH, or - for a user who comes with a certificate";
    size_t n = strcspn(text + at, "$");
    if (h->ln < LN || h->ln > 20 || h->r < R || h->p < 1 || h->p > 16 || ((uint64_t)128 << h->ln) * h->r > MEMORY_MOST)
        return "the parameters of scrypt are too weak, or take more than 64 MiB: at least ln=14,r=8,p=1";
    h->nsalt = take_base64(text + at, n, h->salt, sizeof h->salt);
    if (h->nsalt < 8 || !text[(size_t)at + n])
        return "the salt is no base64 of 8 to 64 bytes";
    const char *hash = text + at + n + 1;
    return take_base64(hash, strlen(hash), h->hash, HASH) == HASH ? NULL : "the hash is no base64 of 32 bytes";
}

static const char *take_words(rt_users *u, rt_user *user, char *words)
{
    FL_VEC(const char *) groups = {0};
    for (char *word; words && (word = strsep(&words, ","));)
        if (!strcmp(word, "admin"))
            user->admin = true;
        else if (!strncmp(word, "group=", 6) && word[6])
            FL_PUSH(u->arena, &groups, fl_strdup(u->arena, word + 6));
        else
            return "behind the hash stand only admin and group=NAME, with commas between them";
    user->groups = groups.v;
    user->ngroups = groups.n;
    return NULL;
}

static const char *take_line(rt_users *u, char *line)
{
    char *name = strsep(&line, ":"), *hash = line ? strsep(&line, ":") : NULL;
    const char *wrong = name_wrong(name);
    if (wrong || !hash)
        return wrong ? wrong : "a line is NAME:HASH, or NAME:HASH:WORDS";
    entry *e = FL_NEW(u->arena, entry);
    e->user.name = fl_strdup(u->arena, name);
    if (strcmp(hash, "-") != 0) {
        hashed *h = FL_NEW(u->arena, hashed);
        wrong = take_hash(hash, h);
        e->password = h;
        u->decoy = u->decoy ? u->decoy : h;
    }
    if (!wrong)
        wrong = take_words(u, &e->user, line);
    if (!wrong && fl_map_put(u->by_name, name, e))
        wrong = "the name stands there twice";
    u->admin |= e->user.admin;
    return wrong;
}

static rt_code take_file(rt_users *u, const char *path, char *text, rt_error *err)
{
    size_t number = 0;
    for (char *line; (line = strsep(&text, "\n"));) {
        size_t n = strlen(line);
        if (n && line[n - 1] == '\r')
            line[n - 1] = 0;
        if (!number++ && strcmp(line, FIRST_LINE) != 0)
            return rt_fail(err, RT_BAD_INPUT,
                           "%s: its first line is not \"%s\": it is no users file that this flec reads", path,
                           FIRST_LINE);
        const char *wrong = number == 1 || !*line || *line == '#' ? NULL : take_line(u, line);
        if (wrong)
            return rt_fail(err, RT_BAD_INPUT, "%s:%zu: %s", path, number, wrong);
    }
    return RT_OK;
}

rt_code rt_users_load(const char *path, rt_users **out, rt_error *err)
{
    static const hashed usual = {.ln = LN, .r = R, .p = P, .nsalt = SALT};
    fl_secret text;
    rt_code code = rt_read_private(path, RT_USERS_MAX, &text, err);
    if (code != RT_OK)
        return code;
    rt_users *u = fl_xcalloc(1, sizeof *u);
    u->arena = fl_arena_new();
    u->by_name = fl_map_new();
    u->key = fl_secret_new(HASH);
    random_bytes(u->key.bytes, HASH);
    if (memchr(text.bytes, 0, text.len))
        code = rt_fail(err, RT_BAD_INPUT, "%s: it holds a zero byte", path);
    else
        code = take_file(u, path, (char *)text.bytes, err);
    fl_secret_free(&text);
    u->decoy = u->decoy ? u->decoy : &usual;
    if (code == RT_OK)
        *out = u;
    else
        rt_users_free(u);
    return code;
}

void rt_users_free(rt_users *u)
{
    if (!u)
        return;
    fl_secret_free(&u->key);
    fl_map_free(u->by_name);
    fl_arena_free(u->arena);
    free(u);
}

const rt_user *rt_users_named(const rt_users *u, const char *name)
{
    const entry *e = u ? fl_map_get(u->by_name, name) : NULL;
    return e ? &e->user : NULL;
}

bool rt_users_admin(const rt_users *u)
{
    return u && u->admin;
}

/* ---- checking ---- */

bool rt_users_check(const rt_users *u, const char *name, const fl_secret *password)
{
    const entry *e = fl_map_get(u->by_name, name);
    const hashed *h = e && e->password ? e->password : u->decoy;
    uint8_t out[HASH];
    bool right = derive(h, password, out) && CRYPTO_memcmp(out, h->hash, HASH) == 0;
    fl_wipe(out, sizeof out);
    return right && e && e->password;
}

static bool digest(const rt_users *u, const char *name, const fl_secret *password, uint8_t out[HASH])
{
    uint8_t text[RT_NAME_MOST + 1 + RT_PASSWORD_MOST];
    size_t n = strlen(name);
    if (n > RT_NAME_MOST || password->len > RT_PASSWORD_MOST)
        return false;
    memcpy(text, name, n + 1);
    memcpy(text + n + 1, password->bytes, password->len);
    bool made = HMAC(EVP_sha256(), u->key.bytes, HASH, text, n + 1 + password->len, out, NULL) != NULL;
    fl_wipe(text, sizeof text);
    return made;
}

const rt_user *rt_users_remembered(const rt_users *u, const char *name, const fl_secret *password)
{
    uint8_t d[HASH];
    if (!digest(u, name, password, d))
        return NULL;
    const remembered *r = &u->seen[d[0]];
    return r->user && CRYPTO_memcmp(r->digest, d, HASH) == 0 ? r->user : NULL;
}

void rt_users_remember(rt_users *u, const char *name, const fl_secret *password)
{
    uint8_t d[HASH];
    const rt_user *user = rt_users_named(u, name);
    if (!user || !digest(u, name, password, d))
        return;
    memcpy(u->seen[d[0]].digest, d, HASH);
    u->seen[d[0]].user = user;
}

/* ---- writing ---- */

static void add_base64(fl_buf *out, const uint8_t *p, size_t n)
{
    char text[FL_B64_LEN(SALT_MOST)];
    size_t len = fl_b64_encode(text, p, n);
    while (len && text[len - 1] == '=')
        len--;
    fl_buf_add(out, text, len);
}

rt_code rt_users_line(const char *name, const fl_secret *password, fl_buf *out, rt_error *err)
{
    hashed h = {.ln = LN, .r = R, .p = P, .nsalt = SALT};
    const char *wrong = name_wrong(name);
    if (wrong)
        return rt_fail(err, RT_BAD_INPUT, "%s", wrong);
    if (password->len < RT_PASSWORD_LEAST || password->len > RT_PASSWORD_MOST)
        return rt_fail(err, RT_BAD_INPUT, "a password has %d to %d bytes", RT_PASSWORD_LEAST, RT_PASSWORD_MOST);
    random_bytes(h.salt, SALT);
    if (!derive(&h, password, h.hash))
        return rt_fail(err, RT_IO, "OpenSSL does not compute scrypt");
    fl_buf_addf(out, "%s:$scrypt$ln=%u,r=%u,p=%u$", name, h.ln, h.r, h.p);
    add_base64(out, h.salt, h.nsalt);
    fl_buf_addc(out, '$');
    add_base64(out, h.hash, HASH);
    fl_buf_addc(out, '\n');
    return RT_OK;
}
