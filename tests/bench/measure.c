/* measure.c: runs a command several times and prints what it took: medians of wall clock, of user and system time
 * together (seconds), and the largest memory it had resident (KiB). Its output goes nowhere.
 * usage: measure RUNS COMMAND ARGUMENT...   prints "WALL CPU RSS STATUS" */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1001 };

typedef struct taken {
    double wall, cpu;
    long rss;
    int status;
} taken;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

static void __attribute__((noreturn)) become(char **command)
{
    int nowhere = open("/dev/null", O_RDWR);
    dup2(nowhere, STDIN_FILENO);
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
    execvp(command[0], command);
    _exit(127);
}

static taken once(char **command)
{
    int status;
    struct rusage used;
    double start = now();
    pid_t pid = fork();
    if (!pid)
        become(command);
    if (pid < 0 || wait4(pid, &status, 0, &used) != pid) {
        perror("measure");
        exit(4);
    }
    return (taken){now() - start, seconds(used.ru_utime) + seconds(used.ru_stime), used.ru_maxrss,
                   WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)};
}

static int by_size(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

int main(int argc, char **argv)
{
    static double wall[MOST], cpu[MOST];
    int runs = argc > 2 ? atoi(argv[1]) : 0, status = 0;
    long rss = 0;
    if (runs < 1 || runs > MOST) {
        fprintf(stderr, "usage: measure RUNS COMMAND ARGUMENT...\n");
        return 2;
    }
    for (int i = 0; i < runs; i++) {
        taken t = once(argv + 2);
        wall[i] = t.wall;
        cpu[i] = t.cpu;
        rss = t.rss > rss ? t.rss : rss;
        status = t.status ? t.status : status;
    }
    qsort(wall, (size_t)runs, sizeof *wall, by_size);
    qsort(cpu, (size_t)runs, sizeof *cpu, by_size);
    printf("%.6f %.6f %ld %d\n", wall[runs / 2], cpu[runs / 2], rss, status);
    return 0;
}
