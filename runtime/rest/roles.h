/* roles.h: who may do what: role bindings of a policy (docs/build-directory.md), as the vendor's registry applies them.
 *
 * A binding gives a principal, "User:NAME" or "Group:NAME", a role on subjects or KEKs: one by its name, all that begin
 * with a text (PREFIXED), or all ("*"). Several add up; there is no denial. A DEK belongs to its KEK. */
#ifndef FLEC_RUNTIME_REST_ROLES_H
#define FLEC_RUNTIME_REST_ROLES_H

#include "runtime/error.h"

/* Whom a request comes from. */
typedef struct rt_user {
    const char *name; /* without "User:" */
    const char *const *groups;
    size_t ngroups;
    bool admin; /* may do everything */
} rt_user;

enum { /* rights, a set */
       RT_MAY_READ = 1,
       RT_MAY_WRITE = 2, /* versions of a subject; a KEK, and DEKs under it */
       RT_MAY_DELETE = 4,
       RT_MAY_SEE_CONFIG = 8, /* config and mode of a subject */
       RT_MAY_CONFIG = 16
};
typedef enum { RT_ON_SUBJECT, RT_ON_KEK } rt_resource;

typedef struct rt_roles rt_roles;

/* access/role-bindings.json. Rows for topics and groups are Kafka's, and not looked at; of the others a role, a pattern
 * or a principal that is not known is refused: RT_BAD_INPUT with the row. */
#define RT_ROLES_MAX ((size_t)16 << 20)
rt_code rt_roles_load(const char *path, rt_roles **out, rt_error *err);
void rt_roles_free(rt_roles *r);                         /* NULL is allowed */
bool rt_roles_name(const rt_roles *r, const char *user); /* has "User:…" a grant? r NULL: no */

/* What of it a call is allowed by. A NULL rt_access is a server without users: everybody may do everything. */
typedef struct rt_access {
    const rt_roles *roles; /* NULL: there are none, and only admins may do something */
    const rt_user *user;
} rt_access;

/* name: of a subject in normal form (rt_subject_normal), or of a KEK. */
unsigned rt_access_rights(const rt_access *a, rt_resource on, const char *name);
bool rt_access_may(const rt_access *a, rt_resource on, const char *name, unsigned right);
bool rt_access_admin(const rt_access *a);
bool rt_access_known(const rt_access *a); /* has any right on anything */

#endif
