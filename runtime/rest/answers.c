/* answers.c: answers that are remembered: a table of fixed size, by the bytes of the request. */
#include "runtime/rest/answers.h"

#include <stdlib.h>
#include <string.h>

enum { WAYS = 4, SETS = 1024, LARGEST = RT_ANSWERS_MOST / 16 };

/* What a question is: who asks, for what, with which body. Compared byte by byte. */
typedef struct question {
    const char *part[3];
    size_t n[3];
    uint64_t hash;
} question;

typedef struct answer {
    const rt_versions *of; /* of the subject; good while `changed` is the store's */
    uint64_t made, changed, all;
    bool wide;
    const char *type;
    uint64_t hash;
    size_t n[3], body, size; /* size: of the whole */
    char bytes[];            /* the question's parts, then the body */
} answer;

struct rt_answers {
    answer *slot[SETS * WAYS];
    unsigned char turn[SETS]; /* which of a set makes room next */
    size_t hand, bytes, found;
};

rt_answers *rt_answers_new(void)
{
    return fl_xcalloc(1, sizeof(rt_answers));
}

static void drop(rt_answers *k, size_t i)
{
    if (!k->slot[i])
        return;
    k->bytes -= k->slot[i]->size;
    free(k->slot[i]);
    k->slot[i] = NULL;
}

void rt_answers_free(rt_answers *k)
{
    for (size_t i = 0; k && i < SETS * WAYS; i++)
        drop(k, i);
    free(k);
}

/* Who makes two questions collide only makes the table forget one of them. */
static uint64_t hash_of(const question *q)
{
    uint64_t h = 0;
    for (int i = 0; i < 3; i++) {
        const char *p = q->part[i];
        size_t n = q->n[i];
        for (h ^= n; n; p += 8, n -= 8) {
            uint64_t word = 0;
            memcpy(&word, p, n < 8 ? n : 8);
            h = (h ^ word) * UINT64_C(0x9E3779B97F4A7C15);
            h ^= h >> 29;
            if (n <= 8)
                break;
        }
    }
    return h;
}

static question question_of(const rt_rest_request *q)
{
    const char *user = q->access ? q->access->user->name : "";
    question out = {.part = {user, q->target, q->body ? q->body : ""}, .n = {strlen(user), strlen(q->target), q->n}};
    out.hash = hash_of(&out) ^ (q->access ? 0 : 1); /* where there are users everybody has a name */
    return out;
}

static bool is(const answer *a, const question *q)
{
    if (a->hash != q->hash || memcmp(a->n, q->n, sizeof a->n) != 0)
        return false;
    const char *p = a->bytes;
    for (int i = 0; i < 3; p += a->n[i++])
        if (memcmp(p, q->part[i], q->n[i]) != 0)
            return false;
    return true;
}

static bool good(const answer *a, const rt_store *st)
{
    return a->changed == st->changed && a->made == a->of->made && (!a->wide || a->all == st->made);
}

static bool asks(const rt_rest_request *q)
{
    return !strcmp(q->method, "POST") && q->n;
}

bool rt_answers_find(rt_answers *k, const rt_store *st, const rt_rest_request *q, rt_rest_reply *out)
{
    if (!k || !asks(q))
        return false;
    question what = question_of(q);
    size_t first = what.hash % SETS * WAYS;
    for (size_t i = first; i < first + WAYS; i++) {
        const answer *a = k->slot[i];
        if (!a || !is(a, &what))
            continue;
        if (!good(a, st)) {
            drop(k, i);
            return false;
        }
        *out = (rt_rest_reply){.status = 200, .type = a->type};
        fl_buf_init(&out->body, RT_REST_ANSWER_MAX);
        fl_buf_add(&out->body, a->bytes + a->size - sizeof *a - a->body, a->body);
        k->found++;
        return true;
    }
    return false;
}

static answer *make(const rt_store *st, const question *q, const rt_rest_reply *reply, size_t size)
{
    answer *a = fl_xmalloc(size);
    *a = (answer){.type = reply->type, .hash = q->hash, .body = reply->body.len, .size = size};
    char *p = a->bytes;
    for (int i = 0; i < 3; p += q->n[i++]) {
        memcpy(p, q->part[i], q->n[i]);
        a->n[i] = q->n[i];
    }
    memcpy(p, reply->body.p, reply->body.len);
    a->changed = st->changed;
    a->all = st->made;
    return a;
}

static size_t place_for(rt_answers *k, uint64_t hash)
{
    size_t set = hash % SETS;
    for (size_t i = set * WAYS; i < set * WAYS + WAYS; i++)
        if (!k->slot[i])
            return i;
    return set * WAYS + k->turn[set]++ % WAYS;
}

void rt_answers_keep(rt_answers *k, const rt_store *st, const rt_rest_request *q, const rt_rest_reply *reply,
                     const char *subject, bool wide)
{
    const rt_versions *of = fl_map_get(st->subjects, subject);
    if (!of || !asks(q))
        return;
    question what = question_of(q);
    size_t size = sizeof(answer) + what.n[0] + what.n[1] + what.n[2] + reply->body.len;
    if (size > LARGEST)
        return;
    for (; k->bytes + size > RT_ANSWERS_MOST; k->hand++)
        drop(k, k->hand % (SETS * WAYS));
    size_t at = place_for(k, what.hash);
    drop(k, at);
    k->slot[at] = make(st, &what, reply, size);
    k->slot[at]->of = of;
    k->slot[at]->made = of->made;
    k->slot[at]->wide = wide;
    k->bytes += size;
}

size_t rt_answers_found(const rt_answers *k)
{
    return k->found;
}

size_t rt_answers_bytes(const rt_answers *k)
{
    return k->bytes;
}
