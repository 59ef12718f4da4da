/* lab.h: an engine for the fuzz targets of records: a registry in memory, keys under two rules, codecs by number. */
#ifndef FLEC_FUZZ_LAB_H
#define FLEC_FUZZ_LAB_H

#include <string.h>

#include "runtime/engine.h"
#include "tests/fuzz/must.h"

static rt_registry *registry;
static rt_keys *keys;

#define RULE(name, tag, kek, alg)                                                                                      \
    "{\"name\":\"" name "\",\"type\":\"ENCRYPT\",\"tags\":[\"" tag "\"],\"params\":{\"encrypt.kek.name\":\"" kek       \
    "\",\"encrypt.kms.type\":\"local-kms\",\"encrypt.kms.key.id\":\"k\",\"encrypt.dek.algorithm\":\"" alg "\"}}"
static const char ruleset[] =
    "{\"domainRules\":[" RULE("pii", "PII", "kek", "AES256_GCM") "," RULE("pci", "PCI", "other", "AES256_SIV") "]}";

static fl_secret secret(void *ctx, const char *kek, const char *name)
{
    return strcmp(name, "secret") == 0 ? fl_secret_copy("fuzz", 4) : (fl_secret){0};
}

static void open_engine(void)
{
    rt_error e;
    random_in_sight();
    fl_secret_setup();
    MUST(rt_registry_open("mem:", NULL, &registry, &e) == RT_OK);
    rt_keys_options opt = {.registry = registry, .params = {.get = secret}};
    keys = rt_keys_new(&opt);
}

/* Registers a subject under the two rules and opens it; the id is that of its schema. */
static int open_codec(rt_subject s, rt_codec **out)
{
    rt_error e;
    fl_arena *a = fl_arena_new();
    s.ruleset = ruleset;
    MUST(registry->ops->register_subject(registry, a, &s, &e) == RT_OK);
    MUST(rt_codec_open(registry, keys, &s, NULL, out, &e) == RT_OK);
    fl_arena_free(a);
    return s.id;
}

#endif
