/* text.h: small things about text: UTF-8, near misses, versions, dates, hex, base64, digests. */
#ifndef FLEC_BASE_TEXT_H
#define FLEC_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* true if all is well-formed UTF-8 (no surrogates, no overlong forms); else *bad is the offset of the first bad byte.
 */
bool fl_utf8_ok(const char *s, size_t n, size_t *bad);
/* Decodes one code point of well-formed UTF-8 and returns its length in bytes. */
unsigned fl_utf8_next(const char *s, uint32_t *cp);
/* As above for any bytes: n are there; 0 if none of them form a code point. */
unsigned fl_utf8_step(const char *s, size_t n, uint32_t *cp);
/* Columns a terminal gives a code point: 0, 1 or 2. */
unsigned fl_utf8_width(uint32_t cp);
/* Columns of a text as fl_buf_add_shown shows it. */
unsigned fl_shown_width(const char *s, size_t n);
/* Appends a code point to out (at least 4 bytes), returns its length. */
unsigned fl_utf8_put(char *out, uint32_t cp);
/* U+061C, U+200E/F, U+202A-E, U+2066-9: they make a text read otherwise than it is. */
bool fl_bidi_control(uint32_t cp);

/* Damerau-Levenshtein distance, at most max + 1. */
unsigned fl_distance(const char *a, const char *b, unsigned max);
/* The nearest of n candidates, NULL if none is near: the allowed distance grows with the length (1 up to 4 letters, 2
 * up to 8, 3 beyond; a case difference alone always counts as near). Ties: the first. */
const char *fl_nearest(const char *word, const char *const *candidates, size_t n);

/* "7.6.1" into up to 4 numbers, missing ones 0; a suffix from '-' on is ignored. false if it is no version. */
typedef struct fl_version {
    unsigned part[4];
} fl_version;
bool fl_version_parse(const char *s, fl_version *out);
int fl_version_cmp(const fl_version *a, const fl_version *b);

/* "2027-06-30" into days since 1970-01-01; a real day only. */
bool fl_date_parse(const char *s, int64_t *days);
/* Today in UTC, as days. Only cli/ calls it: everything else gets the day as an argument. */
int64_t fl_date_today(void);
void fl_date_print(int64_t days, char out[11]);

/* Hex in lower case; out has room for 2 * n + 1. Parsing takes either case; false on a bad digit or odd length. */
void fl_hex(char *out, const void *p, size_t n);
bool fl_unhex(uint8_t *out, const char *s, size_t n);

/* Standard alphabet, padding always written. Encoding: out has room for FL_B64_LEN(n), no NUL is added, returns the
 * length. Decoding is strict (canonical padding, no line breaks, unused bits zero) and returns the length or -1; out
 * has room for FL_B64_ROOM(n). FL_B64_LAX also takes missing padding, as the vendor's Java and JavaScript readers do.
 * Both are fast paths of the engine. */
#define FL_B64_LEN(n)  (((n) + 2) / 3 * 4)
#define FL_B64_ROOM(n) (((n) + 3) / 4 * 3)
enum { FL_B64_STRICT = 0, FL_B64_LAX = 1 };
size_t fl_b64_encode(char *out, const uint8_t *p, size_t n);
ptrdiff_t fl_b64_decode(uint8_t *out, const char *s, size_t n, int flags);

/* SHA-256 as 64 hex digits and a NUL. */
void fl_sha256_hex(char out[65], const void *p, size_t n);

#endif
