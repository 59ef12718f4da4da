/* payload.c: sealing and opening whole bodies, one rule after the other. */
#include "runtime/payload.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/format/format.h"

typedef struct slot { /* the key of one rule, while the keys' epoch is the same */
    const rt_rule *rule;
    uint64_t epoch;
    rt_key *key;
    int32_t version;
} slot;

struct rt_payload {
    rt_keys *keys;
    slot slots[RT_MAX_RULES];
    fl_buf between[2]; /* what one rule left for the next */
};

rt_payload *rt_payload_new(rt_keys *keys)
{
    rt_payload *p = fl_xcalloc(1, sizeof *p);
    p->keys = keys;
    for (int i = 0; i < 2; i++)
        fl_buf_init(&p->between[i], RT_MAX_RECORD);
    return p;
}

void rt_payload_free(rt_payload *p)
{
    if (!p)
        return;
    for (int i = 0; i < 2; i++)
        fl_buf_wipe(&p->between[i]);
    free(p);
}

static bool runs(const rt_rule *r, bool read, const char *skip)
{
    return !r->idle && (read ? r->read : r->write) && !(skip && strcmp(skip, r->name) == 0);
}

bool rt_payload_runs(const rt_rules *rs, bool read)
{
    for (size_t i = 0; i < rs->npayload; i++)
        if (runs(&rs->payload[i], read, NULL))
            return true;
    return false;
}

/* ---- keys ---- */

typedef struct job { /* one rule on one body */
    rt_payload *p;
    const rt_rules *rs;
    const rt_rule *rule;
    slot *slot;
    rt_error *err;
} job;

static rt_code fail(const job *j, rt_code code, const char *why)
{
    bool named = strncmp(why, "KEK ", 4) == 0; /* what the keys say names it already */
    return rt_fail(j->err, code, "subject %s, the whole body, rule %s%s%s: %s", j->rs->subject, j->rule->name,
                   named ? "" : ", KEK ", named ? "" : j->rule->key.kek, why);
}

static void keep(const job *j, rt_key *key, int32_t version)
{
    *j->slot = (slot){j->rule, rt_keys_epoch(j->p->keys), key, version};
}

static bool kept(const job *j)
{
    return j->slot->rule == j->rule && j->slot->epoch == rt_keys_epoch(j->p->keys);
}

/* A key that rotates is asked for at each record, as its age counts. */
static rt_code write_key(const job *j)
{
    rt_key *key;
    int32_t version;
    rt_error e;
    if (kept(j) && !j->rule->head)
        return RT_OK;
    rt_code code = rt_keys_for_write(j->p->keys, &j->rule->key, &key, &version, &e);
    if (code)
        return fail(j, code, e.message);
    keep(j, key, version);
    return RT_OK;
}

static rt_code read_key(const job *j, int32_t version)
{
    rt_key *key;
    rt_error e;
    if (kept(j) && j->slot->version == version)
        return RT_OK;
    rt_code code = rt_keys_for_read(j->p->keys, &j->rule->key, version, &key, &e);
    if (code)
        return fail(j, code, e.message);
    keep(j, key, version);
    return RT_OK;
}

/* ---- one rule ---- */

static rt_code too_big(const job *j, fl_buf *out)
{
    out->full = false;
    return fail(j, RT_BAD_INPUT, "the record grows beyond the largest size allowed");
}

static rt_code seal(const job *j, const uint8_t *in, size_t n, fl_buf *out)
{
    const rt_rule *r = j->rule;
    rt_code code = write_key(j);
    if (code)
        return code;
    if (!fl_buf_reserve(out, n + r->over))
        return too_big(j, out);
    uint8_t *to = (uint8_t *)out->p + out->len;
    if (r->head) {
        to[0] = 0;
        for (int i = 0; i < 4; i++)
            to[1 + i] = (uint8_t)((uint32_t)j->slot->version >> (24 - 8 * i));
    }
    if (!rt_seal(j->slot->key, to + r->head, in, n))
        return rt_key_spent(j->slot->key) ? fail(j, RT_REFUSED, RT_SPENT) : fail(j, RT_IO, "the cipher failed");
    out->len += n + r->over;
    out->p[out->len] = '\0';
    return RT_OK;
}

static rt_code version_of(const job *j, const uint8_t *in, size_t n, int32_t *version)
{
    uint32_t v = 0;
    *version = 1;
    if (n < j->rule->over)
        return fail(j, RT_TAMPERED, "the body is too short to be a ciphertext");
    if (!j->rule->head)
        return RT_OK;
    if (in[0] != 0)
        return fail(j, RT_TAMPERED,
                    "the ciphertext does not begin with the byte 0 and a DEK version, as rotation wants");
    for (int i = 1; i < 5; i++)
        v = v << 8 | in[i];
    *version = (int32_t)v;
    return RT_OK;
}

static rt_code open_it(const job *j, const uint8_t *in, size_t n, fl_buf *out)
{
    const rt_rule *r = j->rule;
    int32_t version;
    rt_code code = version_of(j, in, n, &version);
    if (!code)
        code = read_key(j, version);
    if (code)
        return code;
    if (!fl_buf_reserve(out, n - r->over))
        return too_big(j, out);
    ptrdiff_t len = rt_open(j->slot->key, (uint8_t *)out->p + out->len, in + r->head, n - r->head);
    if (len < 0)
        return fail(j, RT_TAMPERED, "the body does not open under its key: it was changed, or is another key's");
    out->len += (size_t)len;
    out->p[out->len] = '\0';
    return RT_OK;
}

/* ---- all of them ---- */

static size_t last_that_runs(const rt_rules *rs, bool read, const char *skip)
{
    size_t last = rs->npayload;
    for (size_t k = 0; k < rs->npayload; k++) {
        size_t i = read ? rs->npayload - 1 - k : k;
        if (runs(&rs->payload[i], read, skip))
            last = i;
    }
    return last;
}

static rt_code run_rules(rt_payload *p, const rt_rules *rs, bool read, const char *skip, const uint8_t *in, size_t n,
                         fl_buf *out, const rt_rule **failed, rt_error *err)
{
    size_t last = last_that_runs(rs, read, skip), turn = 0;
    *failed = NULL;
    for (size_t k = 0; k < rs->npayload; k++) {
        size_t i = read ? rs->npayload - 1 - k : k;
        const rt_rule *r = &rs->payload[i];
        if (!runs(r, read, skip))
            continue;
        job j = {p, rs, r, &p->slots[i], err};
        fl_buf *to = i == last ? out : &p->between[turn++ & 1];
        if (to != out)
            fl_buf_clear(to);
        rt_code code = read ? open_it(&j, in, n, to) : seal(&j, in, n, to);
        if (code && !read && r->pass_write)
            code = fl_buf_add(to, in, n) ? RT_OK : too_big(&j, to);
        if (code) {
            *failed = r;
            return code;
        }
        if (to != out) {
            in = (const uint8_t *)to->p;
            n = to->len;
        }
    }
    return last < rs->npayload || fl_buf_add(out, in, n) ? RT_OK : RT_BAD_INPUT;
}

rt_code rt_payload_seal(rt_payload *p, const rt_rules *rs, const uint8_t *in, size_t n, fl_buf *out,
                        const rt_rule **failed, rt_error *err)
{
    return run_rules(p, rs, false, NULL, in, n, out, failed, err);
}

rt_code rt_payload_open(rt_payload *p, const rt_rules *rs, const char *skip, const uint8_t *in, size_t n, fl_buf *out,
                        const rt_rule **failed, rt_error *err)
{
    return run_rules(p, rs, true, skip, in, n, out, failed, err);
}
