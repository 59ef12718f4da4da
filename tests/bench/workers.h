/* workers.h: two workers on two cores beside one, each with a codec of its own over one registry. The floor is doubled
 * as well: two cores of a machine may be threads of one, or share their clock. For engine_bench.c. */
#ifndef FLEC_BENCH_WORKERS_H
#define FLEC_BENCH_WORKERS_H

typedef struct worker {
    bench *b;
    int core;
    void (*fn)(bench *b, record *r);
    pthread_barrier_t *start;
    double wall, cpu;
} worker;

static void *work(void *arg)
{
    worker *w = arg;
    pin(w->core);
    pass(w->b, w->fn); /* keys are asked for */
    pthread_barrier_wait(w->start);
    double wall = seconds_of(CLOCK_MONOTONIC), cpu = seconds_of(CLOCK_THREAD_CPUTIME_ID);
    for (int i = 0; i < WORKER_PASSES; i++)
        pass(w->b, w->fn);
    w->cpu = seconds_of(CLOCK_THREAD_CPUTIME_ID) - cpu;
    w->wall = seconds_of(CLOCK_MONOTONIC) - wall;
    return NULL;
}

/* Records a second of n workers together, by the wall clock and by CPU time. */
static void together(bench *b, const int core[2], unsigned n, void (*fn)(bench *b, record *r), double rate[2])
{
    worker w[2];
    pthread_t thread[2];
    pthread_barrier_t start;
    pthread_barrier_init(&start, NULL, n);
    for (unsigned i = 0; i < n; i++) {
        w[i] = (worker){.b = &b[i], .core = core[i], .fn = fn, .start = &start};
        if (pthread_create(&thread[i], NULL, work, &w[i]))
            fl_die(FL_COULD_NOT_RUN, "cannot start a thread");
    }
    rate[0] = rate[1] = 0;
    for (unsigned i = 0; i < n; i++) {
        pthread_join(thread[i], NULL);
        rate[0] += (double)RECORDS * WORKER_PASSES / w[i].wall;
        rate[1] += (double)RECORDS * WORKER_PASSES / w[i].cpu;
    }
    pthread_barrier_destroy(&start);
}

static void two_workers(bench *b, const int core[2])
{
    for (int i = 0; i < 4; i++) {
        kind k = (kind[]){FLOOR_ENCRYPT, ENGINE_ENCRYPT, FLOOR_DECRYPT, ENGINE_DECRYPT}[i];
        double wall[ROUNDS], cpu[ROUNDS];
        for (int round = 0; round < ROUNDS && !skipped(k); round++) {
            double one[2], two[2];
            together(b, core, 1, kinds[k].fn, one);
            together(b, core, 2, kinds[k].fn, two);
            wall[round] = two[0] / one[0];
            cpu[round] = two[1] / one[1];
        }
        if (!skipped(k))
            printf("  two workers beside one: %-32s %4.2f times by the clock, %4.2f in CPU time\n", kinds[k].name,
                   median(wall), median(cpu));
    }
}

#endif
