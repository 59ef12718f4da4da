/* answer.h: texts out of answers that hold secrets. The JSON reader of base/ copies into ordinary memory; this one
 * finds a member and copies that alone, into the heap for secrets. It reads strictly along its way and takes the first
 * member of a name. */
#ifndef FLEC_RUNTIME_KMS_ANSWER_H
#define FLEC_RUNTIME_KMS_ANSWER_H

#include "base/base.h"

/* path: member names joined by '/', as "data/plaintext". The string there, followed by a NUL that is not counted; false
 * if the text is no JSON up to there, or has no such string. Escapes are decoded; \u0000 is refused. The caller frees.
 */
bool kms_json_text(const fl_secret *text, const char *path, fl_secret *out);
/* The same for the first element of an array there. */
bool kms_json_first(const fl_secret *text, const char *path, fl_secret *out);
/* The same for a whole number, also one written as a string. */
bool kms_json_int(const fl_secret *text, const char *path, int64_t *out);
/* What stands between <NAME> and </NAME> for the first time, the five entities decoded, followed by a NUL that is not
 * counted; none is inside. */
bool kms_xml_text(const fl_secret *text, const char *name, fl_secret *out);

/* Base64, standard or (url) the URL alphabet without padding, which decoding takes in either form. */
fl_secret kms_b64(const uint8_t *p, size_t n, bool url);
bool kms_unb64(const char *s, size_t n, bool url, fl_secret *out);

#endif
