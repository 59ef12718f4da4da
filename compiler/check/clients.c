/* clients.c: what each client that touches a topic does with the constructs of its schemas. The answers come from the
 * table of measured cases (compiler/clients/, docs/clients.md). */
#include <stdint.h>
#include <string.h>

#include "compiler/check/check.h"
#include "compiler/check/client_use.h"
#include "compiler/check/uses.h"

/* Schemas are shared by topics; so is what is made of them. */
#define KEPT 512
#define SAFE 64
typedef struct kept {
    const sch_schema *schema;
    cl_shape *shape;
    cl_set record; /* constructs of the record, found at first need */
    bool has_record;
} kept;

typedef struct walk {
    const chk_row *row;
    const est_estate *e;
    fl_diags *diags;
    use_estate *uses;
    use_list writers, readers;
    fl_arena *scratch; /* of a number of sides */
    size_t sides;
    kept kept[KEPT];
    struct safe { /* what all clients that are not stated write encrypted, as most leaves of an estate are alike */
        cl_constructs of;
        bool known;
    } safe[SAFE];
} walk;

static void forget(walk *w)
{
    fl_arena_free(w->scratch);
    w->scratch = fl_arena_new();
    memset(w->kept, 0, sizeof w->kept);
    w->sides = 0;
}

static kept *shape_of(walk *w, const sch_schema *s)
{
    kept *k = &w->kept[((uintptr_t)s >> 4) * 2654435761u % KEPT];
    if (k->schema != s)
        *k = (kept){.schema = s, .shape = cl_shape_of(w->scratch, s)};
    return k;
}

/* Calls fn for each side whose fields are encrypted. */
static void each_encrypted(const chk_row *row, const est_estate *e, fl_diags *diags,
                           void (*fn)(walk *w, const est_side *s))
{
    walk w = {.row = row, .e = e, .diags = diags, .uses = use_of(e), .scratch = fl_arena_new()};
    for (size_t i = 0; i < e->topics.n; i++) {
        const est_topic *t = e->topics.v[i];
        const est_side *sides[] = {&t->key, &t->value};
        for (size_t k = 0; k < 2; k++) {
            const est_side *s = sides[k];
            if (!s->schema || s->encrypts.n == (s->payload ? 1u : 0u))
                continue;
            if (++w.sides > KEPT)
                forget(&w);
            use_writers(w.uses, t, &w.writers);
            fn(&w, s);
        }
    }
    use_free(w.uses);
    fl_arena_free(w.scratch);
}

/* ---- a leaf ---- */

static bool has_own_tag(const est_leaf *l)
{
    const sch_field *f = l->hit.field;
    for (size_t i = 0; f && i < f->ntags; i++)
        for (size_t k = 0; k < l->encrypt->tags.n; k++)
            if (!strcmp(f->tags[i], l->encrypt->tags.v[k].s))
                return true;
    return false;
}

/* An encrypted leaf whose way clients walk: the others are reported by cannot-encrypt-type, path-not-walked and the
 * like. */
static bool is_judged(const est_leaf *l)
{
    return l->encrypt && !l->encrypt->payload && !l->hit.unwalked && !l->hit.mixed && sch_is_encryptable(l->hit.type);
}

static cl_constructs constructs_of(walk *w, const est_side *s, const est_leaf *l)
{
    cl_places places = {s->tags_metadata, s->tags_inline, has_own_tag(l)};
    return cl_leaf_constructs(shape_of(w, s->schema)->shape, w->scratch, &l->hit, places);
}

static fl_span place_of(const est_side *s, const est_leaf *l)
{
    return l->line ? l->line->path.at : s->schema_path.at;
}

/* "of the value of crm.customers" */
static const char *of_side(const walk *w, const est_side *s)
{
    return fl_printf(w->diags->arena, "%s of %s", est_side_name(s), s->topic->name.s);
}

/* "confluent-kafka 2.16.1, case avro-recursive: clear: next.ssn"; what is too long for a line is left to the case. */
static const char *evidence(const walk *w, cl_client c, const char *proof, const char *measured)
{
    bool brief = strlen(measured) <= 64;
    return fl_printf(w->diags->arena, "%s, case %s%s%s", cl_client_version(c), proof, brief ? ": " : "",
                     brief ? measured : "");
}

/* ---- client-leaves-clear ---- */

static void leaves_clear(walk *w, const est_side *s, const est_leaf *l, const use_one *by, const cl_verdict *v)
{
    const char *does =
        v->answer == CL_CHANCE ? "leaves it in clear or not by chance at each start" : "leaves it in clear";
    fl_diag *d =
        chk_report(w->row, w->diags, place_of(s, l),
                   "%s in the %s goes out in clear, without an error: %s writes it with %s, which %s (%s)", l->hit.path,
                   of_side(w, s), by->who, cl_client_words[by->client], does, v->construct->words);
    fl_diag_relate(w->diags, d, by->at, "%s", by->who);
    fl_diag_help(w->diags, d, "%s (measured with %s)",
                 v->construct->instead ? v->construct->instead : "write it with another client, or change the schema",
                 evidence(w, by->client, v->proof, v->measured));
    chk_about_side(d, s, l->hit.path);
}

/* Each client once a leaf, by the first who uses it. */
static void declared_leaf(walk *w, const est_side *s, const est_leaf *l)
{
    unsigned said = 0;
    cl_constructs c = constructs_of(w, s, l);
    for (size_t i = 0; i < w->writers.n; i++) {
        const use_one *by = &w->writers.v[i];
        if (!by->stated || said >> by->client & 1)
            continue;
        cl_verdict v = cl_judge(&c, by->client);
        said |= 1u << by->client;
        if (v.answer >= CL_CHANCE)
            leaves_clear(w, s, l, by, &v);
    }
}

static void declared_side(walk *w, const est_side *s)
{
    bool any = false;
    for (size_t i = 0; i < w->writers.n; i++)
        any |= w->writers.v[i].stated;
    for (size_t i = 0; any && i < s->leaves.n; i++)
        if (is_judged(&s->leaves.v[i]))
            declared_leaf(w, s, &s->leaves.v[i]);
}

void chk_client_leaves_clear(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    each_encrypted(row, e, diags, declared_side);
}

/* ---- client-may-leave-clear ---- */

/* What several clients do with one leaf, those with one reason together. */
typedef struct reasons {
    struct reason {
        cl_answer answer;
        const cl_construct_row *construct;
        const char *proof;
        unsigned clients;
    } v[CL_NCLIENTS];
    size_t n;
} reasons;

static void add_reason(reasons *r, cl_client client, const cl_verdict *v)
{
    size_t i = 0;
    while (i < r->n && (r->v[i].construct != v->construct || r->v[i].answer != v->answer))
        i++;
    if (i == r->n)
        r->v[r->n++] = (struct reason){v->answer, v->construct, v->proof, 0};
    r->v[i].clients |= 1u << client;
}

/* "java and go", "java, python and go" */
static void add_clients(fl_buf *b, unsigned clients)
{
    for (unsigned c = 0; c < CL_NCLIENTS; c++) {
        if (!(clients >> c & 1))
            continue;
        fl_buf_adds(b, cl_client_words[c]);
        clients &= ~(1u << c);
        fl_buf_adds(b, !clients ? "" : clients & (clients - 1) ? ", " : " and ");
    }
}

static void add_clause(fl_buf *b, const struct reason *r)
{
    bool several = r->clients & (r->clients - 1);
    add_clients(b, r->clients);
    if (r->answer == CL_NOT_MEASURED)
        fl_buf_addf(b, " %s never measured with %s", several ? "were" : "was", r->construct->words);
    else
        fl_buf_addf(b, " %s it in clear%s (%s: case %s)", several ? "leave" : "leaves",
                    r->answer == CL_CHANCE ? " or not by chance at each start" : "", r->construct->words, r->proof);
}

static const char *clauses(const walk *w, const reasons *r)
{
    fl_buf b;
    fl_buf_init(&b, 1 << 16);
    for (size_t i = 0; i < r->n; i++) {
        fl_buf_adds(&b, i ? "; " : "");
        add_clause(&b, &r->v[i]);
    }
    const char *text = fl_strdup(w->diags->arena, b.p);
    fl_buf_free(&b);
    return text;
}

static void may_leave(walk *w, const est_side *s, const est_leaf *l, const reasons *r, const use_one *unstated)
{
    const cl_construct_row *c = r->v[0].construct;
    fl_diag *d = chk_report(w->row, w->diags, place_of(s, l), "%s in the %s may go out in clear: %s", l->hit.path,
                            of_side(w, s), clauses(w, r));
    if (unstated && unstated->who)
        fl_diag_relate(w->diags, d, unstated->at, "the client of %s is not stated", unstated->who);
    const char *instead = c->instead ? c->instead : "change the schema";
    if (!unstated)
        fl_diag_help(w->diags, d, "%s; or try it, and allow this check with an end date", instead);
    else if (unstated->who)
        fl_diag_help(w->diags, d, "declare what writes it, as `principal %s client java`; or %s", unstated->who,
                     instead);
    else
        fl_diag_help(
            w->diags, d,
            "say who writes the topic, `writers User:…`, and with which client, `principal User:… client java`; or %s",
            instead);
    chk_about_side(d, s, l->hit.path);
}

/* The first writer whose client is not stated; one without a name if nobody is said to write the topic. */
static const use_one *unstated_writer(const walk *w)
{
    static const use_one nobody;
    for (size_t i = 0; i < w->writers.n; i++)
        if (!w->writers.v[i].stated)
            return &w->writers.v[i];
    return w->writers.n ? NULL : &nobody;
}

/* Where a set of constructs is kept that was found safe. */
static struct safe *safe_of(walk *w, const cl_constructs *c)
{
    uint64_t mixed = (c->way.w[0] ^ c->way.w[1] << 1 ^ c->tag.w[0] << 2 ^ c->tag.w[1] << 3) * 0x9e3779b97f4a7c15u;
    return &w->safe[mixed >> 32 & (SAFE - 1)];
}

/* What each of the clients that it may be does with it. */
static void ask_unknown(walk *w, const cl_constructs *c, reasons *r, unsigned *asked)
{
    static const cl_client unknown[] = {CL_CLIENT_JAVA, CL_CLIENT_PYTHON, CL_CLIENT_JAVASCRIPT, CL_CLIENT_GO};
    struct safe *safe = safe_of(w, c);
    bool known = safe->known && !memcmp(&safe->of, c, sizeof *c);
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        cl_verdict v = {.answer = CL_SAFE};
        if (!known)
            v = cl_judge(c, unknown[i]);
        *asked |= 1u << unknown[i];
        if (v.answer != CL_SAFE)
            add_reason(r, unknown[i], &v);
    }
    if (!r->n)
        *safe = (struct safe){*c, true};
}

static void undeclared_leaf(walk *w, const est_side *s, const est_leaf *l, const use_one *unstated)
{
    reasons r;
    unsigned asked = 0;
    cl_constructs c = constructs_of(w, s, l);
    r.n = 0;
    if (unstated)
        ask_unknown(w, &c, &r, &asked);
    for (size_t i = 0; i < w->writers.n; i++) {
        const use_one *by = &w->writers.v[i];
        if (!by->stated || asked >> by->client & 1 || !cl_is_measured(by->client))
            continue;
        cl_verdict v = cl_judge(&c, by->client);
        asked |= 1u << by->client;
        if (v.answer == CL_NOT_MEASURED)
            add_reason(&r, by->client, &v);
    }
    if (r.n)
        may_leave(w, s, l, &r, unstated);
}

/* A declared client of which nothing was ever measured: said once a side. */
static void unmeasured_client(walk *w, const est_side *s, const use_one *by)
{
    fl_diag *d =
        chk_report(w->row, w->diags, s->schema_path.at,
                   "the fields of the %s may go out in clear: %s writes them with %s, which was never measured",
                   of_side(w, s), by->who, cl_client_words[by->client]);
    fl_diag_relate(w->diags, d, by->at, "%s", by->who);
    fl_diag_help(w->diags, d, "look at what it puts on the wire, and allow this check with an end date");
    chk_about_side(d, s, NULL);
}

static void undeclared_side(walk *w, const est_side *s)
{
    const use_one *unstated = unstated_writer(w);
    unsigned said = 0;
    for (size_t i = 0; i < w->writers.n; i++) {
        const use_one *by = &w->writers.v[i];
        if (!by->stated || cl_is_measured(by->client) || by->client == CL_CLIENT_FLEC || said >> by->client & 1)
            continue;
        said |= 1u << by->client;
        unmeasured_client(w, s, by);
    }
    for (size_t i = 0; i < s->leaves.n; i++)
        if (is_judged(&s->leaves.v[i]))
            undeclared_leaf(w, s, &s->leaves.v[i], unstated);
}

void chk_client_may_leave_clear(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    each_encrypted(row, e, diags, undeclared_side);
    chk_payload_by_workers(row, e, diags);
    chk_unknown_converters(row, e, diags);
}

/* ---- client-fails ---- */

/* The constructs of the record, and of the ways to its encrypted leaves. */
static cl_set record_of(walk *w, const est_side *s)
{
    kept *k = shape_of(w, s->schema);
    if (!k->has_record)
        cl_record_constructs(k->shape, &k->record);
    k->has_record = true;
    cl_set all = k->record;
    for (size_t i = 0; i < s->leaves.n; i++)
        if (is_judged(&s->leaves.v[i])) {
            cl_constructs c = constructs_of(w, s, &s->leaves.v[i]);
            cl_join(&all, &c.way);
        }
    for (size_t i = 0; s->format == EST_PROTOBUF && i < s->refs.n; i++)
        if (s->refs.v[i].name.s && s->refs.v[i].subject.s && strcmp(s->refs.v[i].name.s, s->refs.v[i].subject.s) != 0)
            cl_add(&all, CL_PROTO_IMPORT_SUBJECT);
    return all;
}

static void report_trouble(walk *w, const est_side *s, const use_one *by, const cl_trouble *t)
{
    const char *client = cl_client_words[by->client];
    fl_diag *d;
    if (t->fail == CL_WORKS)
        d = chk_report(w->row, w->diags, s->schema_path.at,
                       "%s reads the %s with %s, which cannot decrypt what others write in %s", by->who, of_side(w, s),
                       client, t->construct->words);
    else
        d = chk_report(w->row, w->diags, s->schema_path.at, "%s writes the %s with %s, which %s %s", by->who,
                       of_side(w, s), client,
                       t->fail == CL_DESTROYS ? "writes something else than it is given in" : "fails on",
                       t->construct->words);
    fl_diag_relate(w->diags, d, by->at, "%s", by->who);
    fl_diag_help(w->diags, d, "%s (measured with %s)",
                 t->construct->instead ? t->construct->instead : "use another client, or change the schema",
                 evidence(w, by->client, t->proof, t->measured));
    chk_about_side(d, s, NULL);
}

/* What one client fails on, those constructs that it was not reported for yet. */
static void troubles_of(walk *w, const est_side *s, const use_one *by, const cl_set *record, unsigned writers,
                        cl_set *said)
{
    cl_trouble found[CL_MOST_TROUBLES];
    size_t n = cl_troubles(record, by->client, writers, found);
    for (size_t i = 0; i < n; i++) {
        cl_construct c = (cl_construct)(found[i].construct - cl_construct_rows);
        if (!cl_has(said, c))
            report_trouble(w, s, by, &found[i]);
        cl_add(said, c);
    }
}

/* Connect hands bytes to the JSON serializer as a text in quotes; they are encrypted with them, and the converter
 * cannot make bytes of what it decrypts (docs/wire.md 6). */
static void connect_bytes(walk *w, const est_side *s, const use_one *by)
{
    for (size_t i = 0; s->format == EST_JSON && i < s->leaves.n; i++) {
        const est_leaf *l = &s->leaves.v[i];
        const fl_json *node = is_judged(l) && l->hit.field ? l->hit.field->node : NULL;
        const char *type = node ? fl_json_str(node, "connect.type") : NULL;
        if (!type || strcmp(type, "bytes") != 0)
            continue;
        fl_diag *d = chk_report(w->row, w->diags, place_of(s, l),
                                "%s in the %s holds Connect bytes: encrypted, %s cannot read them back", l->hit.path,
                                of_side(w, s), by->who);
        fl_diag_relate(w->diags, d, by->at, "%s", by->who);
        fl_diag_help(w->diags, d, "make it a string in the schema, or give the topic an Avro schema");
        chk_about_side(d, s, l->hit.path);
    }
}

static const use_one *first_connector(const use_list *const lists[2])
{
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < lists[k]->n; i++)
            if (lists[k]->v[i].connector)
                return &lists[k]->v[i];
    return NULL;
}

static void side_fails(walk *w, const est_side *s)
{
    cl_set record = {{0, 0}}, said[CL_NCLIENTS] = {0};
    unsigned writers = 0;
    bool have = false;
    use_readers(w->uses, s->topic, &w->readers);
    const use_list *const lists[2] = {&w->writers, &w->readers};
    for (size_t i = 0; i < w->writers.n; i++)
        writers |= w->writers.v[i].stated ? 1u << w->writers.v[i].client : CL_ALL_CLIENTS;
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < lists[k]->n; i++) {
            const use_one *by = &lists[k]->v[i];
            if (!by->stated || !cl_is_measured(by->client))
                continue;
            if (!have)
                record = record_of(w, s);
            have = true;
            troubles_of(w, s, by, &record, k ? (writers ? writers : CL_ALL_CLIENTS) : 0, &said[by->client]);
        }
    const use_one *by = first_connector(lists);
    if (by)
        connect_bytes(w, s, by);
}

void chk_client_fails(const chk_row *row, const est_estate *e, fl_diags *diags)
{
    each_encrypted(row, e, diags, side_fails);
}
