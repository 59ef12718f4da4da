/* gate.c: who is let in. */
#include "runtime/rest/gate.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "runtime/rest/rest.h"

/* ---- what a request looks like ---- */

static const char *header(struct MHD_Connection *c, const char *name)
{
    return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

/* localhost, 127.…, [::1], with any port. */
static bool local_host(const char *host)
{
    size_t n = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    return (n == 9 && !strncasecmp(host, "localhost", 9)) || (n == 5 && !strncmp(host, "[::1]", 5)) ||
           (n >= 7 && !strncmp(host, "127.", 4) && strspn(host, "0123456789.") == n);
}

static bool json_type(const char *type)
{
    static const char *const known[] = {"application/json", "application/vnd.schemaregistry",
                                        "application/octet-stream"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strncasecmp(type, known[i], strlen(known[i])))
            return true;
    return false;
}

/* What is refused before a body is read; 0: nothing. */
static int refuse_early(const rt_gate *g, struct MHD_Connection *c, const char *method, const char **why)
{
    const char *host = header(c, "Host"), *type = header(c, "Content-Type"), *length = header(c, "Content-Length");
    const char *coding = header(c, "Transfer-Encoding");
    bool body = (length && strcmp(length, "0") != 0) || coding;
    *why = "pages of browsers are not served";
    if (header(c, "Origin"))
        return MHD_HTTP_FORBIDDEN;
    *why = "this server listens on this machine alone, and is not called by that name";
    if (g->local && host && !local_host(host))
        return MHD_HTTP_MISDIRECTED_REQUEST;
    *why = "the content type is application/vnd.schemaregistry.v1+json or application/json";
    if (body && (!type || !json_type(type)))
        return MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
    *why = "a body has a Content-Length or comes in chunks, not both";
    if (length && coding)
        return MHD_HTTP_BAD_REQUEST;
    *why = "the body is too large";
    if (length && (strlen(length) > 9 || strtoul(length, NULL, 10) > RT_REST_BODY_MAX))
        return MHD_HTTP_CONTENT_TOO_LARGE;
    *why = "HTTP 405 Method Not Allowed";
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "DELETE"};
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (!strcmp(method, methods[i]))
            return 0;
    return MHD_HTTP_METHOD_NOT_ALLOWED;
}

/* ---- who it is ---- */

static rt_gate_says shut(rt_visit *v, int status, const char *why)
{
    v->status = status;
    v->why = why;
    return RT_GATE_SHUT;
}

static rt_gate_says let_in(const rt_gate *g, rt_visit *v, const rt_user *user)
{
    v->access = (rt_access){g->roles, user};
    v->let_in = &v->access;
    return RT_GATE_OPEN;
}

static rt_gate_says unauthorized(rt_visit *v, const char *why)
{
    v->challenge = true;
    return shut(v, MHD_HTTP_UNAUTHORIZED, why);
}

/* "Basic BASE64" in two; false: it is none, or too long for a name and a password. */
static bool take_basic(const char *text, char name[RT_TLS_NAME], fl_secret *password)
{
    enum { MOST = RT_NAME_MOST + 1 + RT_PASSWORD_MOST };
    size_t n = strlen(text);
    if (strncasecmp(text, "Basic ", 6) != 0)
        return false;
    text += 6 + strspn(text + 6, " ");
    n = strlen(text);
    if (!n || n > FL_B64_LEN(MOST))
        return false;
    fl_secret both = fl_secret_new(FL_B64_ROOM(n) + 1);
    ptrdiff_t len = fl_b64_decode(both.bytes, text, n, FL_B64_LAX);
    const uint8_t *colon = len > 0 ? memchr(both.bytes, ':', (size_t)len) : NULL;
    size_t nname = colon ? (size_t)(colon - both.bytes) : 0;
    bool ok = colon && nname <= RT_NAME_MOST && (size_t)len > nname + 1 &&
              (size_t)len - nname - 1 <= RT_PASSWORD_MOST && !memchr(both.bytes, 0, (size_t)len);
    if (ok) {
        memcpy(name, both.bytes, nname);
        name[nname] = 0;
        *password = fl_secret_copy(colon + 1, (size_t)len - nname - 1);
    }
    fl_secret_free(&both);
    return ok;
}

static const struct sockaddr *address(struct MHD_Connection *c)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    return info ? info->client_addr : NULL;
}

static rt_gate_says by_password(rt_gate *g, struct MHD_Connection *c, const char *text, int64_t now, rt_visit *v)
{
    if (!take_basic(text, v->name, &v->password))
        return unauthorized(v, "Unauthorized: the header is not Basic with a name and a password");
    const rt_user *user = rt_users_remembered(g->users, v->name, &v->password);
    if (user) {
        fl_secret_free(&v->password);
        return let_in(g, v, user);
    }
    v->retry_after = rt_guesses_take(g->guesses, address(c), now);
    return v->retry_after ? shut(v, MHD_HTTP_TOO_MANY_REQUESTS, "too many wrong passwords from this address")
                          : RT_GATE_CHECK;
}

/* The whole subject where users or bindings name it, else the common name. */
static rt_gate_says by_certificate(const rt_gate *g, const rt_tls_subject *subject, rt_visit *v)
{
    bool whole =
        *subject->whole && (rt_users_named(g->users, subject->whole) || rt_roles_name(g->roles, subject->whole));
    memcpy(v->name, whole ? subject->whole : subject->common, sizeof v->name);
    if (!*v->name)
        return shut(v, 40301, "the client's certificate names no user: its subject has no single common name");
    const rt_user *listed = rt_users_named(g->users, v->name);
    v->own.name = v->name;
    return let_in(g, v, listed ? listed : &v->own);
}

static bool wants_certificate(const rt_gate *g)
{
    return g->tls && g->tls->client_ca.bytes;
}

bool rt_gate_users(const rt_gate *g)
{
    return g->users || wants_certificate(g);
}

rt_gate_says rt_gate_ask(rt_gate *g, struct MHD_Connection *c, const char *method, int64_t now, rt_visit *v)
{
    const char *why = NULL, *given = header(c, "Authorization");
    rt_tls_subject subject = {0};
    if (wants_certificate(g)) {
        const union MHD_ConnectionInfo *info = MHD_get_connection_info(c, MHD_CONNECTION_INFO_GNUTLS_SESSION);
        why = rt_tls_client(info ? info->tls_session : NULL, &subject);
        if (why)
            return shut(v, 40301, why);
    }
    int status = refuse_early(g, c, method, &why);
    if (status)
        return shut(v, status, why);
    if (g->users && given)
        return by_password(g, c, given, now, v);
    if (wants_certificate(g))
        return by_certificate(g, &subject, v);
    if (g->users)
        return unauthorized(v, "Unauthorized");
    return RT_GATE_OPEN;
}

rt_gate_says rt_gate_checked(rt_gate *g, struct MHD_Connection *c, bool right, int64_t now, rt_visit *v)
{
    if (right) {
        rt_guesses_give_back(g->guesses, address(c), now);
        rt_users_remember(g->users, v->name, &v->password);
    }
    fl_secret_free(&v->password);
    return right ? let_in(g, v, rt_users_named(g->users, v->name)) : unauthorized(v, "Unauthorized");
}

void rt_visit_free(rt_visit *v)
{
    fl_secret_free(&v->password);
}
