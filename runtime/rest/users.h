/* users.h: who may log in with a name and a password, and how guessing is slowed.
 *
 * A users file, UTF-8, at most RT_USERS_MAX bytes, readable for its owner and group alone:
 *     flec-users 1
 *     # a comment
 *     NAME:$scrypt$ln=14,r=8,p=5$SALT$HASH[:WORD[,WORD]...]
 * A `-` in place of the hash is a user who comes with a certificate only. A WORD is `admin`, who may do everything, or
 * `group=NAME`. SALT and HASH are base64 without padding. `flec serve --hash-password NAME` writes such a line.
 *
 * A password that was right is remembered as an HMAC under a key of this process: a request with it costs no scrypt. */
#ifndef FLEC_RUNTIME_REST_USERS_H
#define FLEC_RUNTIME_REST_USERS_H

#include "runtime/rest/roles.h"

#define RT_USERS_MAX ((size_t)512 << 10)
enum { RT_PASSWORD_LEAST = 8, RT_PASSWORD_MOST = 256, RT_NAME_MOST = 256 }; /* bytes */

typedef struct rt_users rt_users;

/* RT_IO: it cannot be read, or others can; RT_BAD_INPUT: with the line. */
rt_code rt_users_load(const char *path, rt_users **out, rt_error *err);
void rt_users_free(rt_users *u); /* NULL is allowed */

/* NULL: there is none of that name. */
const rt_user *rt_users_named(const rt_users *u, const char *name);
bool rt_users_admin(const rt_users *u); /* is there one? */

/* The user, if name and password were right before. */
const rt_user *rt_users_remembered(const rt_users *u, const char *name, const fl_secret *password);
/* The whole check: as slow for a name that is unknown. Any thread may call it, it changes nothing. */
bool rt_users_check(const rt_users *u, const char *name, const fl_secret *password);
void rt_users_remember(rt_users *u, const char *name, const fl_secret *password);

/* A line of the file, with its line end. RT_BAD_INPUT: the name or the password cannot be one. */
rt_code rt_users_line(const char *name, const fl_secret *password, fl_buf *out, rt_error *err);

/* ---- guessing ---- */

/* An address (of IPv6 the network, /64) may try RT_GUESSES passwords, and after that one in RT_GUESS_S seconds. The
 * table has a fixed size: of many addresses those that were not heard of longest are forgotten. */
enum { RT_GUESSES = 10, RT_GUESS_S = 3 };
typedef struct rt_guesses rt_guesses;

rt_guesses *rt_guesses_new(void);
void rt_guesses_free(rt_guesses *g);
struct sockaddr;
/* 0: go on (one try is used up); else the seconds after which there is one again. */
int rt_guesses_take(rt_guesses *g, const struct sockaddr *from, int64_t now_ms);
void rt_guesses_give_back(rt_guesses *g, const struct sockaddr *from, int64_t now_ms); /* it was right */

#endif
