/* error.h: how functions of runtime/ say what went wrong. The message is one line for a person: what, where, what to
 * do. It never holds a record's value or key material. */
#ifndef FLEC_RUNTIME_ERROR_H
#define FLEC_RUNTIME_ERROR_H

#include "base/base.h"

typedef enum {
    RT_OK = 0,
    RT_BAD_INPUT, /* a record, a plan, a file that is not what it must be */
    RT_TAMPERED,  /* a ciphertext that does not open under its key */
    RT_NO_KEY,    /* KEK or DEK is not there, may not be used, or its KMS refuses */
    RT_NOT_FOUND, /* subject, schema id, version, KEK, DEK */
    RT_CONFLICT,  /* it exists already (HTTP 409) */
    RT_REFUSED,   /* the engine will not do this: a rule it cannot execute, a field that could leave in clear */
    RT_IO         /* file, lock, network */
} rt_code;

typedef struct rt_error {
    rt_code code;
    int number; /* of the vendor's registry, 40401; 0: it has none */
    char message[512];
} rt_error;

/* Fills err (NULL is allowed) and returns code, so that `return rt_fail(err, RT_NO_KEY, "…", …);` reads well. */
rt_code rt_fail(rt_error *err, rt_code code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The same for what the vendor's registry has a number for: the message ends in it, " (40401)". */
rt_code rt_fail_as(rt_error *err, rt_code code, int number, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* RT_BAD_INPUT, RT_TAMPERED, RT_REFUSED of one record: 1; the rest: 4 */
fl_status rt_exit_status(rt_code code);

#endif
