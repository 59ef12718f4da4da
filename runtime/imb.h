/* imb.h: AES-GCM through libipsec-mb's direct calls: a third of OpenSSL's time a field (docs/performance.md). The
 * library is loaded when the first GCM key is made, where it is installed, is the version this program was compiled
 * for, passed its self-test, and finds AES and carry-less multiplication in the processor. For gcm.c and aead.c alone.
 *
 * Each new key is compared with OpenSSL over texts of several lengths, both ways, before its first use; on any
 * difference it is not used. Key schedules lie in the heap for secrets, of which they take at most half. */
#ifndef FLEC_RUNTIME_IMB_H
#define FLEC_RUNTIME_IMB_H

#include "runtime/aead.h"

typedef struct rt_imb_key rt_imb_key;

/* Loads the library once. false: *why says why it is not used (a text that stays). */
bool rt_imb_ready(const char **why);
const char *rt_imb_name(void); /* "libipsec-mb 1.3.0 (AVX2)"; "" unless ready */

/* NULL where the library is not ready, its keys fill their half of the heap, or it and OpenSSL differ (which is
 * logged). */
rt_imb_key *rt_imb_key_new(rt_alg alg, const uint8_t *raw);
void rt_imb_key_free(rt_imb_key *k); /* wipes; NULL is allowed */
/* Each out has its IV already. */
void rt_imb_seal(const rt_imb_key *k, const rt_text *t, size_t n);
/* As rt_open_all; out of the one that failed holds what it decrypted to. */
size_t rt_imb_open(const rt_imb_key *k, const rt_text *t, size_t n);

#endif
