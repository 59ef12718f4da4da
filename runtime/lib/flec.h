/* flec.h: flec as a library: Kafka records encrypted and decrypted as a policy says, as the vendor's clients do, to the
 * byte. Link with `pkg-config --cflags --libs flec`. Manual, a whole program, ABI policy: docs/libflec.md.
 *
 * An engine is a plan (or a registry alone), opened once; any thread may open codecs of it. A codec is one side of one
 * topic for one worker: one thread at a time, as many codecs as there are workers. In the steady state a record takes
 * no lock, allocates nothing and asks nobody.
 *
 * Every call that can fail returns a flec_code and then hands out nothing: no half record, no plaintext of a record
 * that was refused. Nothing is written to standard output or standard error, no signal handler is set. Three things end
 * the process (status 4), since going on would not be safe: no memory, no random bytes from OpenSSL, no room in the 4
 * MiB for key material.
 *
 * fork(): what was opened before is the parent's. In the child its calls are refused with FLEC_USAGE, and closing does
 * nothing. The child may open engines of its own if no other thread was inside a call when it forked.
 *
 * This header is C and C++, and holds no structure whose size could change. */
#ifndef FLEC_H
#define FLEC_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define FLEC_API   __attribute__((visibility("default")))
#define FLEC_CHECK __attribute__((warn_unused_result))
#else
#define FLEC_API
#define FLEC_CHECK
#endif

#define FLEC_ABI 0 /* the number in libflec.so.N */

typedef enum flec_code { /* more may come: what is not FLEC_OK is an error */
                         FLEC_OK = 0,
                         FLEC_BAD_INPUT = 1, /* a record, plan or file is not what it must be */
                         FLEC_TAMPERED = 2,  /* a ciphertext does not open under its key */
                         FLEC_NO_KEY = 3,    /* a key is not there, may not be used, or its key service refuses */
                         FLEC_NOT_FOUND = 4, /* topic, subject, schema or version */
                         FLEC_CONFLICT = 5,  /* it exists already, otherwise */
                         FLEC_REFUSED = 6, /* this will not be done: a rule that cannot be executed, a field that would
                                              leave in clear */
                         FLEC_IO = 7,      /* file, lock, network: it may work later */
                         FLEC_USAGE = 8    /* the call is wrong: an unknown setting, a codec in two threads, a parent's
                                              engine after fork() */
} flec_code;
FLEC_API const char *flec_code_name(flec_code code); /* "BAD_INPUT"; of an unknown one "UNKNOWN" */

FLEC_API const char *flec_version(void); /* "0.2.0", of the library that runs */
FLEC_API const char *flec_crypto(void); /* what encrypts AES-GCM now: "OpenSSL 3.0.17 …", "libipsec-mb 1.3.0 (AVX2)" */

/* ---- the log: of the process. Without a function nothing is logged. ---- */

typedef enum flec_level { FLEC_LOG_ERROR = 0, FLEC_LOG_WARNING = 1, FLEC_LOG_INFO = 2, FLEC_LOG_DEBUG = 3 } flec_level;
/* One line without its end, in UTF-8; never a value of a record, never a secret. Calls come from any thread, one at a
 * time, and must not call flec. */
typedef void flec_log_fn(void *ctx, flec_level level, const char *message);
/* fn NULL: none. When it returns, the function before is not called any more. */
FLEC_API void flec_log(flec_log_fn *fn, void *ctx, flec_level level);

/* ---- the engine: a plan and its registry ---- */

typedef struct flec_engine flec_engine;

/* plan: a build directory or its plan.json; NULL: none, and then codecs only decrypt, by the rules that the registry
 * has.
 *
 * settings: names and values in turn, then NULL; or NULL. Names are those of client settings (docs/kms.md,
 * docs/records.md): schema.registry.url, basic.auth.user.info, rule.executors._default_.param.NAME, …, and
 *     flec.config.file   FILE: settings from a file; those in the list stand before it
 *     flec.crypto        auto, openssl or ipsec-mb; counts for keys made from now on in the whole process
 *     flec.seals.file    FILE: encryptions are counted over processes (docs/records.md); one file a process
 * Values may be references: ${env:NAME}, ${file:PATH:KEY}, ${dir:PATH:FILE}. The texts are copied.
 *
 * message (of size bytes, 512 are enough) says on failure what is wrong and what to do; NULL and 0 are allowed. */
FLEC_API flec_code flec_engine_open(flec_engine **engine, const char *plan, const char *const *settings, char *message,
                                    size_t size) FLEC_CHECK;
/* NULL is allowed. What codecs of it need lives until the last of them is closed. */
FLEC_API void flec_engine_close(flec_engine *engine);

/* ---- codecs: one side of one topic, for one worker ---- */

typedef struct flec_codec flec_codec;

#define FLEC_VALUE   0u /* the record's value */
#define FLEC_KEY     1u /* its key */
#define FLEC_DECRYPT 0u /* decrypts alone */
#define FLEC_ENCRYPT 2u /* encrypts, and decrypts; the engine needs a plan */
#define FLEC_GUID    4u /* writes the newer form: what names the schema goes into a header (flec_header_get) */
/* The caller sends what fails under a rule with onFailure DLQ to that rule's topic (flec_failure). Without it such a
 * rule is refused when the codec is opened. */
#define FLEC_DEAD_LETTERS 8u

/* Any thread. Asks the registry for schemas and rules. Keys are asked for with the first record. */
FLEC_API flec_code flec_codec_open(flec_codec **codec, flec_engine *engine, const char *topic, unsigned flags,
                                   char *message, size_t size) FLEC_CHECK;
FLEC_API void flec_codec_close(flec_codec *codec); /* NULL is allowed. Wipes keys and buffers */

/* body: the encoded value (Avro, JSON, Protobuf without message indexes). record: what goes to Kafka. It is the
 * codec's and good until the next call on it. A null body gives a null record. On failure *record is NULL and *nrecord
 * 0; flec_error says why. */
FLEC_API flec_code flec_encrypt(flec_codec *codec, const void *body, size_t nbody, const void **record,
                                size_t *nrecord) FLEC_CHECK;
/* The other way. body: the encoded value in the schema that the record names (flec_schema). */
FLEC_API flec_code flec_decrypt(flec_codec *codec, const void *record, size_t nrecord, const void **body,
                                size_t *nbody) FLEC_CHECK;

/* One line about the last call on the codec that failed; empty if the last one did not. Good until the next call. */
FLEC_API const char *flec_error(const flec_codec *codec);

/* The rule that made the last call fail, and the topic that it sends failed records to (NULL: none). FLEC_NOT_FOUND: it
 * failed for another reason, or not. The texts are good until the codec is closed. */
FLEC_API flec_code flec_failure(const flec_codec *codec, const char **rule, const char **topic) FLEC_CHECK;

/* Headers that the next flec_decrypt takes into account, once: all headers of a record may be given in turn, those that
 * do not matter are passed over. They matter where the schema is named in a header (__value_schema_id,
 * __key_schema_id), and for dead letters (__rule.name). The value is copied. */
FLEC_API flec_code flec_header_set(flec_codec *codec, const char *name, const void *value, size_t nvalue) FLEC_CHECK;
/* Header i of the record that flec_encrypt made last. FLEC_NOT_FOUND: it has no more. Good until the next call. */
FLEC_API flec_code flec_header_get(const flec_codec *codec, size_t i, const char **name, const void **value,
                                   size_t *nvalue) FLEC_CHECK;

/* The schema of the record that was decrypted last, else of what the codec encrypts: its text, type ("AVRO", "JSON",
 * "PROTOBUF") and id (0 where a GUID named it). type and id may be NULL. NULL: the side has no schema. Good until the
 * next call. */
FLEC_API const char *flec_schema(const flec_codec *codec, const char **type, int *id);

#ifdef __cplusplus
}
#endif

#endif
