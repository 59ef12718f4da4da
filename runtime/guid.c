/* guid.c: the vendor's GUID of a schema version: MD5 over its parts without separators, absent ones left out, printed
 * as a UUID. It identifies, it protects nothing. Order of the parts: docs/wire.md 1; proven by the vectors'
 * schema_guid. */
#include <openssl/evp.h>
#include <string.h>

#include "runtime/canon.h"
#include "runtime/registry.h"

typedef EVP_MD_CTX hash;

static void text(hash *h, const char *s)
{
    if (s)
        EVP_DigestUpdate(h, s, strlen(s));
}

static void one(hash *h)
{
    EVP_DigestUpdate(h, "\1", 1);
}

static void strings(hash *h, const rt_strings *s)
{
    for (size_t i = 0; i < s->n; i++)
        text(h, s->v[i]);
}

static void pairs(hash *h, const rt_pairs *p)
{
    for (size_t i = 0; i < p->n; i++) {
        text(h, p->v[i].key);
        text(h, p->v[i].value);
    }
}

static void refs(hash *h, const rt_subject *s)
{
    for (size_t i = 0; i < s->nrefs; i++) {
        uint32_t v = (uint32_t)s->refs[i].version;
        uint8_t be[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};
        text(h, s->refs[i].name);
        text(h, s->refs[i].subject);
        EVP_DigestUpdate(h, be, 4);
    }
}

static void metadata(hash *h, const rt_metadata *m)
{
    one(h);
    for (size_t i = 0; i < m->tags.n; i++) {
        text(h, m->tags.v[i].path);
        strings(h, &m->tags.v[i].tags);
    }
    pairs(h, &m->properties);
    strings(h, &m->sensitive);
}

static void rule(hash *h, const rt_canon_rule *r)
{
    for (int i = 0; i < RT_NTEXTS; i++) {
        text(h, r->text[i]);
        if (i == RT_TYPE) {
            strings(h, &r->tags);
            pairs(h, &r->params);
        }
    }
    if (r->disabled)
        one(h);
}

static void ruleset(hash *h, const rt_ruleset *r)
{
    one(h);
    for (int p = 0; p < RT_NPHASES; p++)
        for (size_t i = 0; i < r->phase[p].n; i++)
            rule(h, &r->phase[p].v[i]);
    text(h, r->enable_at);
}

static void as_uuid(const uint8_t md[16], char out[37])
{
    char hex[33];
    fl_hex(hex, md, 16);
    size_t at = 0;
    for (int i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            out[at++] = '-';
        out[at++] = hex[i];
    }
    out[at] = 0;
}

static rt_code hashed(fl_arena *a, hash *h, const rt_subject *s, char out[37], rt_error *err)
{
    rt_metadata *m = NULL;
    rt_ruleset *r = NULL;
    uint8_t md[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    rt_code code = s->metadata ? rt_canon_metadata(a, s->metadata, &m, err) : RT_OK;
    if (code == RT_OK && s->ruleset)
        code = rt_canon_ruleset(a, s->ruleset, &r, err);
    if (code != RT_OK)
        return code;
    if (EVP_DigestInit_ex(h, EVP_md5(), NULL) != 1)
        return rt_fail(err, RT_IO,
                       "OpenSSL has no MD5 here (a FIPS setting?); the registry's GUID of a schema needs it");
    text(h, s->schema);
    refs(h, s);
    if (m)
        metadata(h, m);
    if (r)
        ruleset(h, r);
    if (EVP_DigestFinal_ex(h, md, &n) != 1 || n != 16)
        return rt_fail(err, RT_IO, "OpenSSL failed to hash a schema");
    as_uuid(md, out);
    return RT_OK;
}

rt_code rt_schema_guid(const rt_subject *s, char out[37], rt_error *err)
{
    fl_arena *a = fl_arena_new();
    hash *h = EVP_MD_CTX_new();
    rt_code code = h ? hashed(a, h, s, out, err) : rt_fail(err, RT_IO, "out of memory");
    EVP_MD_CTX_free(h);
    fl_arena_free(a);
    return code;
}
