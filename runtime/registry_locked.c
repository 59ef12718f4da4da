/* registry_locked.c: a registry that takes one thread, for several: a lock around each call. */
#include <pthread.h>
#include <stdlib.h>

#include "runtime/registry.h"

typedef struct locked {
    rt_registry registry;
    rt_registry *inner;
    pthread_mutex_t lock;
} locked;

static locked *enter(rt_registry *r)
{
    locked *l = (locked *)r;
    pthread_mutex_lock(&l->lock);
    return l;
}

static rt_code leave(locked *l, rt_code code)
{
    pthread_mutex_unlock(&l->lock);
    return code;
}

static rt_code register_subject(rt_registry *r, fl_arena *a, rt_subject *s, rt_error *err)
{
    locked *l = enter(r);
    return leave(l, l->inner->ops->register_subject(l->inner, a, s, err));
}

static rt_code subject_version(rt_registry *r, fl_arena *a, const char *subject, int version, rt_subject *out,
                               rt_error *err)
{
    locked *l = enter(r);
    return leave(l, l->inner->ops->subject_version(l->inner, a, subject, version, out, err));
}

static rt_code schema_by_id(rt_registry *r, fl_arena *a, int id, const char *hint, rt_subject *out, rt_error *err)
{
    locked *l = enter(r);
    return leave(l, l->inner->ops->schema_by_id(l->inner, a, id, hint, out, err));
}

static rt_code schema_by_guid(rt_registry *r, fl_arena *a, const char *guid, const char *hint, rt_subject *out,
                              rt_error *err)
{
    locked *l = enter(r);
    if (!l->inner->ops->schema_by_guid)
        return leave(l, rt_fail(err, RT_REFUSED, "this registry does not know schemas by GUID"));
    return leave(l, l->inner->ops->schema_by_guid(l->inner, a, guid, hint, out, err));
}

static rt_code find_subject(rt_registry *r, fl_arena *a, rt_subject *s, rt_error *err)
{
    locked *l = enter(r);
    if (!l->inner->ops->find_subject)
        return leave(l, rt_fail(err, RT_REFUSED, "this registry does not look versions up"));
    return leave(l, l->inner->ops->find_subject(l->inner, a, s, err));
}

static rt_code create_kek(rt_registry *r, const rt_kek *k, rt_error *err)
{
    locked *l = enter(r);
    return leave(l, l->inner->ops->create_kek(l->inner, k, err));
}

static rt_code get_kek(rt_registry *r, fl_arena *a, const char *name, bool deleted, rt_kek *out, rt_error *err)
{
    locked *l = enter(r);
    return leave(l, l->inner->ops->get_kek(l->inner, a, name, deleted, out, err));
}

static rt_code create_dek(rt_registry *r, fl_arena *a, const rt_dek *d, rt_dek *out, rt_error *err)
{
    locked *l = enter(r);
    return leave(l, l->inner->ops->create_dek(l->inner, a, d, out, err));
}

static rt_code get_dek(rt_registry *r, fl_arena *a, const char *kek, const char *subject, rt_alg alg, int version,
                       bool deleted, rt_dek *out, rt_error *err)
{
    locked *l = enter(r);
    return leave(l, l->inner->ops->get_dek(l->inner, a, kek, subject, alg, version, deleted, out, err));
}

static void close_it(rt_registry *r)
{
    locked *l = (locked *)r;
    rt_registry_close(l->inner);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static const rt_registry_ops ops = {
    .register_subject = register_subject,
    .subject_version = subject_version,
    .schema_by_id = schema_by_id,
    .schema_by_guid = schema_by_guid,
    .find_subject = find_subject,
    .create_kek = create_kek,
    .get_kek = get_kek,
    .create_dek = create_dek,
    .get_dek = get_dek,
    .close = close_it,
};

rt_registry *rt_registry_locked(rt_registry *inner)
{
    locked *l = fl_xcalloc(1, sizeof *l);
    l->registry = (rt_registry){.ops = &ops, .threads = true};
    l->inner = inner;
    pthread_mutex_init(&l->lock, NULL);
    return &l->registry;
}
