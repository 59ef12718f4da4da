/* key_share.h: data keys that were unwrapped, for the clients of several threads: what one of them asked the key
 * service, the others need not ask. Who asks for a key that another is asking for waits for that answer, good or bad.
 * Keys lie in the heap for secrets, for half an hour at most, so that what a service takes back is noticed as soon as
 * without (keys.h: asked for again each hour). The registry is asked by every client: a DEK that is deleted is noticed
 * by each. */
#ifndef FLEC_RUNTIME_KEY_SHARE_H
#define FLEC_RUNTIME_KEY_SHARE_H

#include "runtime/registry.h"

typedef struct rt_key_share rt_key_share;

#define RT_KEY_SHARE_MS   (INT64_C(30) * 60 * 1000)
#define RT_KEY_SHARE_MOST 4096 /* keys; no more are kept, and each client asks for itself */

rt_key_share *rt_key_share_new(int64_t good_ms); /* 0: RT_KEY_SHARE_MS */
void rt_key_share_free(rt_key_share *s);         /* NULL is allowed; wipes. Nobody may be asking */

/* The Tink form of the key in `encrypted` (base64, wrapped by kek), for the caller to free: as it is known, or as
 * `open` gives it. */
typedef rt_code rt_key_opener(void *ctx, fl_secret *proto, rt_error *err);
rt_code rt_key_share_get(rt_key_share *s, const rt_kek *kek, const char *encrypted, rt_key_opener *open, void *ctx,
                         fl_secret *proto, rt_error *err);

#endif
