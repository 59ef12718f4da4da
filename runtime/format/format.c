/* format.c: which formats are executed, and what programs of all formats have in common. */
#include "runtime/format/format.h"

static const rt_encoding *const encodings[] = {
    [SCH_AVRO] = &rt_avro, [SCH_JSON] = &rt_json, [SCH_PROTOBUF] = &rt_proto};

const rt_encoding *rt_encoding_of(sch_format format)
{
    return (size_t)format < sizeof encodings / sizeof *encodings ? encodings[format] : NULL;
}

rt_code rt_program_compile(fl_arena *a, const rt_compile *in, rt_program **out, rt_error *err)
{
    const rt_encoding *e = rt_encoding_of(in->schema->format);
    *out = NULL;
    if (!e)
        return rt_fail(err, RT_REFUSED, "subject %s: schemas of type %s are beyond this version of flec",
                       in->rules->subject, sch_format_name(in->schema->format));
    if (!in->opening && in->rules->no_write)
        return rt_fail(err, RT_REFUSED, "subject %s: %s", in->rules->subject, in->rules->no_write);
    return e->compile(a, in, out, err);
}

void rt_program_print(const rt_program *p, fl_buf *out)
{
    p->encoding->print(p, out);
}

void rt_chain_print(const rt_program *p, const rt_chain *chain, fl_buf *out)
{
    for (size_t i = 0; i < chain->n; i++) {
        const rt_rule *r = &p->rules->v[chain->rule[i]];
        fl_buf_addf(out, "%s %s with %s, %s", i ? ", then" : "", r->name, r->key.kek, rt_alg_name(r->key.alg));
    }
}
