/* secret.h: raw key material and credentials. A fl_secret lives in OpenSSL's secure heap (locked, wiped on free) and
 * has no printing function on purpose; it is a type of its own so that the compiler refuses to log one. */
#ifndef FLEC_BASE_SECRET_H
#define FLEC_BASE_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct fl_secret {
    uint8_t *bytes;
    size_t len;
} fl_secret;

/* Sets up the heap once (4 MiB) and makes the process undumpable. Returns false where memory could not be locked: the
 * caller warns, the heap works all the same. Safe to call twice. */
bool fl_secret_setup(void);
/* For the library, before anything else: the process is somebody else's, who decides whether it may be dumped. */
void fl_secret_leave_process(void);
/* Ends the program with status 4 when the heap is exhausted. */
fl_secret fl_secret_new(size_t len);
/* Empty (bytes NULL) where more than half of the heap would be in use: for what can do without it. */
fl_secret fl_secret_spare(size_t len);
fl_secret fl_secret_copy(const void *p, size_t len);
void fl_secret_free(fl_secret *s);                         /* wipes; an empty one is allowed */
bool fl_secret_eq(const fl_secret *a, const fl_secret *b); /* constant time for equal lengths */
void fl_wipe(void *p, size_t n);                           /* overwrites what is no fl_secret */

#endif
