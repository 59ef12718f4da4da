/* lib_lab.h: what units of the C library share: a plan with a few topics in a folder of its own, and Avro bodies for
 * it. For *_test.c alone. */
#ifndef FLEC_RUNTIME_LIB_LIB_LAB_H
#define FLEC_RUNTIME_LIB_LIB_LAB_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/lib/flec.h"

typedef struct lib_lab {
    char dir[64], plan[80], registry[96];
    const char *settings[8];
} lib_lab;

#define LAB_SCHEMA                                                                                                     \
    "{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"Person\\\",\\\"fields\\\":[{\\\"name\\\":\\\"id\\\",\\\"type\\\":"  \
    "\\\"string\\\"},{\\\"name\\\":\\\"ssn\\\",\\\"type\\\":\\\"string\\\",\\\"confluent:tags\\\":[\\\"PII\\\"]}]}"

/* extra: more parameters of the rule; failure: its onFailure. Both begin with a comma, or are empty. */
static inline void lab_topic(FILE *f, const char *name, const char *extra, const char *failure)
{
    fprintf(f,
            "{\"name\":\"%s\",\"clear\":null,\"key\":{\"format\":\"string\"},\"value\":{\"format\":\"avro\","
            "\"clear\":null,\"subject\":\"%s-value\",\"schemaType\":\"AVRO\",\"schema\":\"" LAB_SCHEMA
            "\",\"references\":[],\"metadata\":null,\"ruleSet\":{\"domainRules\":[{\"name\":\"encrypt-PII\","
            "\"kind\":\"TRANSFORM\",\"type\":\"ENCRYPT\",\"mode\":\"WRITEREAD\",\"tags\":[\"PII\"],\"params\":{"
            "\"encrypt.kek.name\":\"lab-kek\",\"encrypt.kms.type\":\"local-kms\",\"encrypt.kms.key.id\":\"k\"%s}%s}]},"
            "\"encrypted\":[{\"path\":\"ssn\",\"kek\":\"lab-kek\",\"rule\":\"encrypt-PII\"}]},"
            "\"readers\":[],\"writers\":[]}",
            name, name, extra, failure);
}

static inline void lab_plan(const lib_lab *l)
{
    FILE *f = fopen(l->plan, "w");
    assert_non_null(f);
    fputs(
        "{\"format\":\"flec-plan\",\"version\":1,\"environment\":null,\"platform\":{\"kind\":\"cloud\","
        "\"workers\":\"7.9.2\",\"kmsParameters\":\"both\"},\"registry\":{\"url\":\"http://127.0.0.1:9\",\"auth\":null,"
        "\"config\":{}},\"kafka\":{\"bootstrap\":\"b:9092\",\"config\":{}},\"keks\":[{\"name\":\"lab-kek\","
        "\"kmsType\":\"local-kms\",\"kmsKeyId\":\"k\",\"kmsProps\":{},\"doc\":\"\",\"shared\":false}],"
        "\"subjects\":[],\"topics\":[",
        f);
    lab_topic(f, "people", "", "");
    fputc(',', f);
    lab_topic(f, "turning", ",\"encrypt.dek.expiry.days\":\"1\"", "");
    fputc(',', f);
    lab_topic(f, "letters", ",\"dlq.topic\":\"dead\"", ",\"onFailure\":\"DLQ,DLQ\"");
    fputs("],\"connectors\":[],\"principals\":[]}", f);
    assert_int_equal(fclose(f), 0);
}

static inline void lab_make(lib_lab *l)
{
    unsetenv("SCHEMA_REGISTRY_URL");
    strcpy(l->dir, "/tmp/flec-lib-XXXXXX");
    assert_non_null(mkdtemp(l->dir));
    snprintf(l->plan, sizeof l->plan, "%s/plan.json", l->dir);
    snprintf(l->registry, sizeof l->registry, "file://%s/registry", l->dir);
    const char *const settings[] = {"schema.registry.url", l->registry, "rule.executors._default_.param.secret",
                                    "of the lab", NULL};
    memcpy(l->settings, settings, sizeof settings);
    lab_plan(l);
}

static inline void lab_remove(lib_lab *l)
{
    char command[96];
    snprintf(command, sizeof command, "rm -rf %s", l->dir);
    assert_int_equal(system(command), 0);
}

/* A Person in Avro: two strings of less than 64 bytes. */
static inline size_t lab_person(unsigned char *out, const char *id, const char *ssn)
{
    const char *texts[] = {id, ssn};
    size_t n = 0;
    for (int i = 0; i < 2; i++) {
        size_t len = strlen(texts[i]);
        out[n++] = (unsigned char)(2 * len);
        memcpy(out + n, texts[i], len);
        n += len;
    }
    return n;
}

#endif
