/* check.c: a run of a field program over one record that writes nothing. */
#include "runtime/format/check.h"

#include "runtime/format/walk.h"

rt_code rt_walk_check(rt_walk *w, const rt_program *p, const uint8_t *in, size_t n, rt_error *err)
{
    static const uint8_t nothing[1];
    w->prog = p;
    w->out = &w->scratch[0];
    w->err = err;
    w->off = 0;
    w->failed = -1;
    w->nedits = 0;
    w->code = RT_OK;
    w->in = w->p = w->copied = n ? in : nothing;
    w->end = w->in + n;
    if (n > RT_MAX_RECORD)
        return rt_fail(err, RT_BAD_INPUT, "subject %s: a record of %zu bytes is larger than the %u that are allowed",
                       p->rules->subject, n, RT_MAX_RECORD);
    if (!w->encoding->run(w))
        return w->code;
    if (w->nedits || w->copied != w->in) /* the program would change what it is said to keep */
        return rt_fail(err, RT_REFUSED, "subject %s: the record cannot be passed on as it is", p->rules->subject);
    return RT_OK;
}
