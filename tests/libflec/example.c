/* Two workers with one plan: each encrypts records of the topic `people`, and reads them back.
 * usage: example BUILD-DIRECTORY REGISTRY */
#include <flec.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static flec_engine *engine;

static void say(void *ctx, flec_level level, const char *message)
{
    (void)ctx;
    fprintf(stderr, "flec, level %d: %s\n", (int)level, message);
}

/* {"id": id, "ssn": ssn} in Avro: each string behind its length, times two. */
static size_t person(unsigned char *out, const char *id, const char *ssn)
{
    size_t n = 0;
    out[n++] = (unsigned char)(2 * strlen(id));
    n += strlen(strcpy((char *)out + n, id));
    out[n++] = (unsigned char)(2 * strlen(ssn));
    return n + strlen(strcpy((char *)out + n, ssn));
}

static int both_ways(flec_codec *codec, const unsigned char *body, size_t nbody)
{
    const void *record, *back;
    size_t nrecord, nback;
    unsigned char sent[512];
    if (flec_encrypt(codec, body, nbody, &record, &nrecord) != FLEC_OK || nrecord > sizeof sent)
        return -1;
    memcpy(sent, record, nrecord); /* it is good until the next call: produce it, or keep it */
    if (flec_decrypt(codec, sent, nrecord, &back, &nback) != FLEC_OK)
        return -1;
    return nback == nbody && memcmp(back, body, nbody) == 0 ? 0 : -1;
}

static void *work(void *name)
{
    char message[512];
    unsigned char body[256];
    flec_codec *codec;
    if (flec_codec_open(&codec, engine, "people", FLEC_VALUE | FLEC_ENCRYPT, message, sizeof message) != FLEC_OK) {
        fprintf(stderr, "%s: %s\n", (const char *)name, message);
        return NULL;
    }
    size_t n = person(body, name, "078-05-1120");
    for (int i = 0; i < 1000 && name; i++)
        if (both_ways(codec, body, n) != 0) {
            fprintf(stderr, "%s: %s\n", (const char *)name, flec_error(codec));
            name = NULL; /* this worker fails */
        }
    flec_codec_close(codec);
    return name;
}

int main(int argc, char **argv)
{
    char message[512];
    char names[2][8] = {"one", "two"};
    pthread_t workers[2];
    int failed = 0;
    if (argc != 3)
        return 2;
    const char *const settings[] = {"schema.registry.url", argv[2], "rule.executors._default_.param.secret",
                                    "${env:LOCAL_SECRET}", /* of the local KMS */
                                    NULL};
    flec_log(say, NULL, FLEC_LOG_WARNING);
    if (flec_engine_open(&engine, argv[1], settings, message, sizeof message) != FLEC_OK) {
        fprintf(stderr, "%s\n", message);
        return 1;
    }
    for (int i = 0; i < 2; i++)
        if (pthread_create(&workers[i], NULL, work, names[i]) != 0)
            return 1;
    for (int i = 0; i < 2; i++) {
        void *done;
        pthread_join(workers[i], &done);
        failed |= done == NULL;
    }
    flec_engine_close(engine);
    if (!failed)
        printf("flec %s: 2000 records there and back\n", flec_version());
    return failed;
}
