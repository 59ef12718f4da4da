/* may.c: may this user make this call? Asked before a handler runs, so that a refusal does not tell what is there. */
#include "runtime/rest/may.h"

#include <string.h>

static const char *word(unsigned right)
{
    static const struct {
        unsigned right;
        const char *word;
    } words[] = {{RT_MAY_READ, "Read"},
                 {RT_MAY_WRITE, "Write"},
                 {RT_MAY_DELETE, "Delete"},
                 {RT_MAY_SEE_CONFIG, "ReadConfig"},
                 {RT_MAY_CONFIG, "Manage"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (words[i].right == right)
            return words[i].word;
    return "Admin";
}

static rt_code denied(rest_call *c, unsigned right, const char *on, const char *name)
{
    return rt_fail_as(&c->err, RT_REFUSED, 40301, "User is denied operation %s on %s: %s", word(right), on, name);
}

rt_code rest_denied_schema(rest_call *c)
{
    return denied(c, RT_MAY_READ, "Schema", c->arg[0]);
}

/* right may be several: the first that lacks is told. */
static rt_code on_subject(rest_call *c, const char *subject, unsigned right)
{
    unsigned lacks = right & ~rt_access_rights(c->access, RT_ON_SUBJECT, subject);
    return lacks ? denied(c, lacks & (0 - lacks), "Subject", subject) : RT_OK;
}

static rt_code on_kek(rest_call *c, const char *kek, unsigned right)
{
    return rt_access_may(c->access, RT_ON_KEK, kek, right) ? RT_OK : denied(c, right, "Kek", kek);
}

static rt_code granted(rest_call *c)
{
    return rt_access_known(c->access) ? RT_OK : denied(c, RT_MAY_READ, "Cluster", "schema-registry");
}

static rt_code admins(rest_call *c)
{
    return denied(c, 0, "Cluster", "schema-registry");
}

static rt_code scope(rest_call *c, unsigned right)
{
    const char *name;
    rt_code code = rest_scope(c, c->arg[0], &name);
    if (code != RT_OK)
        return code;
    if (*rt_subject_bare(name))
        return on_subject(c, name, right);
    return right == RT_MAY_SEE_CONFIG ? granted(c) : admins(c);
}

static rt_code new_kek(rest_call *c, unsigned right)
{
    const char *name = NULL;
    rt_code code = c->json ? rest_string(c, "name", 42271, &name) : RT_OK;
    return code == RT_OK ? on_kek(c, name ? name : "", right) : code;
}

rt_code rest_allow(rest_call *c, rest_need need, unsigned right)
{
    const char *subject;
    rt_code code;
    if (rt_access_admin(c->access))
        return RT_OK;
    switch (need) {
    case REST_ANYBODY:
        return RT_OK;
    case REST_GRANTED:
        return granted(c);
    case REST_SUBJECT:
        code = rest_subject(c, c->arg[0], &subject);
        return code == RT_OK ? on_subject(c, subject, right) : code;
    case REST_SCOPE:
        return scope(c, right);
    case REST_KEK:
        return on_kek(c, c->arg[0], right);
    case REST_NEW_KEK:
        return new_kek(c, right);
    default:
        return admins(c);
    }
}

rt_code rest_may_read(rest_call *c, const char *subject)
{
    return on_subject(c, subject, RT_MAY_READ);
}

bool rest_visible(const rest_call *c, const char *subject)
{
    return rt_access_may(c->access, RT_ON_SUBJECT, subject, RT_MAY_READ);
}
