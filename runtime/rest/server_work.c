/* server_work.c: passwords are checked, and key services called, by threads of their own: meanwhile the connection is
 * suspended, and everybody else is served. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/http.h"
#include "runtime/rest/server_parts.h"

/* Holds all that its thread needs: the request may be gone when it is done. */
typedef struct task {
    rt_work work;
    request *request; /* NULL: nobody waits for it any more */
    int64_t since;
    const rt_users *users; /* NULL: it is a call of a key service */
    char name[RT_TLS_NAME];
    fl_secret password;
    bool right;
    rt_kms_step *step;
    struct task *next, *before; /* of those that a request waits for */
} task;

static void run_check(rt_work *w)
{
    task *t = (task *)w;
    t->right = rt_users_check(t->users, t->name, &t->password);
}

static void run_step(rt_work *w)
{
    rt_kms_step_run(((task *)w)->step);
}

static void free_task(task *t)
{
    fl_secret_free(&t->password);
    rt_kms_step_free(t->step);
    free(t);
}

static void link_task(rt_server *s, task *t, request *q)
{
    t->request = q;
    t->since = server_now();
    t->next = s->tasks;
    if (s->tasks)
        s->tasks->before = t;
    s->tasks = t;
    q->task = t;
}

static void unlink_task(rt_server *s, task *t)
{
    if (!t->request)
        return;
    if (t->next)
        t->next->before = t->before;
    if (t->before)
        t->before->next = t->next;
    else
        s->tasks = t->next;
    t->request->task = NULL;
    t->request = NULL;
}

static bool start(request *q, task *t, rt_pool *pool)
{
    if (!rt_pool_put(pool, &t->work)) {
        free_task(t);
        return false;
    }
    link_task(q->server, t, q);
    MHD_suspend_connection(q->connection);
    return true;
}

bool server_check(request *q)
{
    task *t = fl_xcalloc(1, sizeof *t);
    t->work.run = run_check;
    t->users = q->server->gate.users;
    memcpy(t->name, q->visit.name, sizeof t->name);
    t->password = fl_secret_copy(q->visit.password.bytes, q->visit.password.len);
    return start(q, t, q->server->logins);
}

bool server_call(request *q, rt_kms_step *step)
{
    task *t = fl_xcalloc(1, sizeof *t);
    t->work.run = run_step;
    t->step = step;
    bool started = start(q, t, q->server->calls);
    q->server->calling += started;
    return started;
}

/* The request goes on where it stopped. */
static void hand_over(rt_server *s, task *t)
{
    request *q = t->request;
    unlink_task(s, t);
    s->calling -= !t->users;
    if (q && t->users) {
        rt_gate_says says = rt_gate_checked(&s->gate, q->connection, t->right, server_now(), &q->visit);
        q->stage = says == RT_GATE_OPEN ? REQUEST_PASSED : REQUEST_CHECKING;
    } else if (q) {
        rt_kms_later_done(&q->later, t->step);
        t->step = NULL;
        q->stage = REQUEST_LET_IN;
    }
    if (q)
        MHD_resume_connection(q->connection);
    free_task(t);
}

static void hand_all(rt_server *s, rt_work *list)
{
    for (rt_work *next; list; list = next) {
        next = list->next;
        hand_over(s, (task *)list);
    }
}

void server_collect(rt_server *s)
{
    uint64_t count;
    if (read(s->wake, &count, sizeof count) != sizeof count)
        return;
    hand_all(s, rt_pool_done(s->logins));
    hand_all(s, rt_pool_done(s->calls));
    MHD_run(s->daemon);
}

void server_give_up(rt_server *s, int64_t age)
{
    int64_t limit = server_now() - age;
    for (task *t = s->tasks, *next; t; t = next) {
        next = t->next;
        request *q = t->request;
        if (t->since > limit)
            continue;
        bool call = !t->users;
        unlink_task(s, t);
        rt_rest_refuse(&q->reply, call ? 50002 : MHD_HTTP_SERVICE_UNAVAILABLE,
                       call ? "the key service did not answer in time" : "the server is busy");
        q->stage = REQUEST_ANSWERED;
        MHD_resume_connection(q->connection);
    }
}

void server_end_work(rt_server *s)
{
    rt_work *list;
    server_give_up(s, 0);
    rt_pool *pools[] = {s->logins, s->calls};
    for (size_t i = 0; i < 2; i++) {
        hand_all(s, pools[i] ? rt_pool_withdraw(pools[i]) : NULL);
        if (s->calling)
            rt_http_end();
        rt_pool_free(pools[i], &list);
        hand_all(s, list);
    }
}
