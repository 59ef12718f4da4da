/* proto_run.c: one call of protoc. Files are written under their import names into a private folder, a file of ours
 * imports the wanted ones, so that nothing of a policy's text becomes an argument. The folder is gone on every way out,
 * a signal included. Names, output, time and memory are bounded; the environment is empty but for the path. */
#include "schema/proto.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_SECONDS 120
#define MAX_ERRORS  ((size_t)256 << 10) /* of protoc's messages; the rest is read and dropped */
#define MAX_MEMORY  ((rlim_t)8 << 30)
#define MAX_PART    200               /* bytes of a folder's or file's name */
#define OURS        ".flec-all.proto" /* hidden names are no import names, so it is nobody's */

/* ---- names ---- */

static bool part_ok(const char *s, size_t n)
{
    if (!n || n > MAX_PART || *s == '.')
        return false;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] < ' ' || s[i] == 0x7f || strchr("\"'\\:*?<>|", s[i]))
            return false;
    return true;
}

bool sch_proto_import_ok(const char *name)
{
    size_t bad;
    if (strlen(name) > SCH_MAX_NAME || !fl_utf8_ok(name, strlen(name), &bad))
        return false;
    for (;; name++) {
        size_t n = strcspn(name, "/");
        if (!part_ok(name, n))
            return false;
        name += n;
        if (!*name)
            return true;
    }
}

/* ---- the program ---- */

const char *sch_proto_program(fl_arena *a, char message[256])
{
    const char *path = getenv("PATH");
    if (!path || !*path)
        path = "/usr/local/bin:/usr/bin:/bin";
    while (*path) {
        size_t n = strcspn(path, ":");
        const char *program = fl_printf(a, "%.*s/protoc", (int)n, path);
        struct stat st;
        if (*path == '/' && !stat(program, &st) && S_ISREG(st.st_mode) && !access(program, X_OK))
            return program;
        path += n + (path[n] == ':');
    }
    snprintf(message, 256,
             "protoc is not there, and Protobuf schemas are read with it: install it (Debian: "
             "protobuf-compiler and libprotobuf-dev)");
    return NULL;
}

/* ---- the folder ---- */

typedef struct run {
    fl_arena *a;
    char *folder;
    char *message;
    const char *program;
    fl_buf errors;
    pid_t child;
    int status; /* of waitpid */
} run;

static bool failed(run *r, const char *what, int error)
{
    snprintf(r->message, 256, "%s: %s", what, strerror(error));
    return false;
}

static bool write_all(int fd, const char *p, size_t n)
{
    while (n) {
        ssize_t done = write(fd, p, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        p += done;
        n -= (size_t)done;
    }
    return true;
}

/* The folder is ours alone, so what stands there was put there by this call: a name that is taken, or a file where a
 * folder should be, is the fault of the names. */
static bool put(run *r, const char *name, const char *text, size_t len)
{
    char *path = fl_printf(r->a, "%s/%s", r->folder, name);
    for (char *slash = path + strlen(r->folder) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        int made = mkdir(path, 0700);
        *slash = '/';
        if (made && errno != EEXIST)
            return failed(r, "a file for protoc cannot be written", errno);
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return failed(r, "a file for protoc cannot be written", errno);
    bool ok = write_all(fd, text, len);
    int error = errno;
    close(fd);
    return ok || failed(r, "a file for protoc cannot be written", error);
}

static bool put_roots(run *r, const char *const *roots, size_t n)
{
    fl_buf text;
    fl_buf_init(&text, (size_t)256 << 20);
    fl_buf_adds(&text, "syntax = \"proto3\";\n");
    for (size_t i = 0; i < n; i++)
        fl_buf_addf(&text, "import public \"%s\";\n", roots[i]); /* public: no warning that it is unused */
    bool ok = !text.full && put(r, OURS, text.p, text.len);
    fl_buf_free(&text);
    return ok;
}

/* Does one of the files speak of it at all? Each new file costs more than looking. */
static bool spoken_of(const char *name, const proto_source *const *files, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (memmem(files[i]->text, files[i]->len, name, strlen(name)))
            return true;
    return false;
}

/* Those that may import something of ours; few in most estates. */
static size_t importing(const proto_source *files, size_t n, const proto_source **out)
{
    static const char *const folders[] = {"confluent/", "google/type/"};
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < 2; k++)
            if (memmem(files[i].text, files[i].len, folders[k], strlen(folders[k]))) {
                out[count++] = &files[i];
                break;
            }
    return count;
}

static bool put_vendor(run *r, const proto_source *files, size_t n)
{
    fl_map *own = fl_map_new();
    const proto_source **some = fl_xcalloc(n + 1, sizeof *some);
    size_t nsome = importing(files, n, some);
    proto_source v;
    bool ok = true;
    for (size_t i = 0; i < n; i++)
        fl_map_put(own, files[i].name, own);
    for (size_t i = 0; ok && nsome && sch_proto_vendor(i, &v); i++)
        if (!fl_map_get(own, v.name) && spoken_of(v.name, some, nsome))
            ok = put(r, v.name, v.text, v.len);
    fl_map_free(own);
    free(some);
    return ok;
}

static bool put_all(run *r, const proto_source *files, size_t n, const char *const *roots, size_t nroots)
{
    for (size_t i = 0; i < n; i++)
        if (!put(r, files[i].name, files[i].text, files[i].len))
            return false;
    return put_vendor(r, files, n) && put_roots(r, roots, nroots);
}

static bool make_folder(run *r)
{
    const char *tmp = getenv("TMPDIR");
    r->folder = fl_printf(r->a, "%s/flec-protoc-XXXXXX", tmp && *tmp == '/' ? tmp : "/tmp");
    return mkdtemp(r->folder) || failed(r, "no temporary folder can be made for protoc", errno);
}

/* ---- the child ---- */

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

static void ending_signals(sigset_t *set)
{
    sigemptyset(set);
    for (size_t i = 0; i < sizeof ending / sizeof *ending; i++)
        sigaddset(set, ending[i]);
}

/* Has one of the signals that end the program come in while they wait? */
static bool told_to_end(void)
{
    sigset_t pending;
    sigpending(&pending);
    for (size_t i = 0; i < sizeof ending / sizeof *ending; i++)
        if (sigismember(&pending, ending[i]))
            return true;
    return false;
}

static void limit(pid_t child)
{
    struct rlimit core = {0, 0}, file = {PROTO_MAX_SET + 1, PROTO_MAX_SET + 1}, memory = {MAX_MEMORY, MAX_MEMORY},
                  seconds = {MAX_SECONDS, MAX_SECONDS};
    prlimit(child, RLIMIT_CORE, &core, NULL);
    prlimit(child, RLIMIT_FSIZE, &file, NULL);
    prlimit(child, RLIMIT_AS, &memory, NULL);
    prlimit(child, RLIMIT_CPU, &seconds, NULL);
}

static int start(run *r, int errors)
{
    char *argv[] = {"protoc",
                    fl_printf(r->a, "--proto_path=%s", r->folder),
                    fl_printf(r->a, "--descriptor_set_out=%s/.set", r->folder),
                    "--include_imports",
                    "--include_source_info",
                    OURS,
                    NULL};
    char *envp[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", NULL};
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, normal;
    sigemptyset(&none);
    ending_signals(&normal);
    sigaddset(&normal, SIGPIPE);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&files, errors, 2);
    posix_spawn_file_actions_addclosefrom_np(&files, 3);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &normal);
    int error = posix_spawn(&r->child, r->program, &files, &attr, argv, envp);
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attr);
    return error;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Reads protoc's messages until it closes them. false: out of time, or told to end. */
static bool listen(run *r, int from, double until)
{
    char part[4096];
    struct pollfd p = {.fd = from, .events = POLLIN};
    for (;;) {
        if (now() > until || told_to_end())
            return false;
        if (poll(&p, 1, 100) <= 0)
            continue;
        ssize_t n = read(from, part, sizeof part);
        if (n == 0)
            return true;
        if (n > 0)
            fl_buf_add(&r->errors, part,
                       r->errors.len + (size_t)n > MAX_ERRORS ? MAX_ERRORS - r->errors.len : (size_t)n);
    }
}

static bool ended(run *r, double until)
{
    for (;;) {
        pid_t p = waitpid(r->child, &r->status, WNOHANG);
        if (p == r->child)
            return true;
        if ((p < 0 && errno != EINTR) || now() > until || told_to_end())
            return false;
        poll(NULL, 0, 2);
    }
}

/* Starts protoc and waits for its end. */
static bool call(run *r)
{
    int pipes[2];
    if (pipe2(pipes, O_CLOEXEC))
        return failed(r, "protoc cannot be started", errno);
    int error = start(r, pipes[1]);
    close(pipes[1]);
    if (error) {
        close(pipes[0]);
        return failed(r, "protoc cannot be started", error);
    }
    limit(r->child);
    double until = now() + MAX_SECONDS;
    bool ok = listen(r, pipes[0], until) && ended(r, until);
    close(pipes[0]);
    if (ok)
        return true;
    kill(r->child, SIGKILL);
    while (waitpid(r->child, &r->status, 0) < 0 && errno == EINTR)
        ;
    if (told_to_end())
        snprintf(r->message, 256, "protoc was stopped by a signal");
    else
        snprintf(r->message, 256, "protoc was stopped: it took longer than %d seconds", MAX_SECONDS);
    return false;
}

/* ---- results ---- */

static proto_run_status result(run *r, const char **set, size_t *len, const char **errors)
{
    *errors = fl_strndup(r->a, r->errors.p ? r->errors.p : "", r->errors.len);
    if (WIFSIGNALED(r->status)) {
        snprintf(r->message, 256, "protoc was ended by signal %d", WTERMSIG(r->status));
        return PROTO_RUN_FAILED;
    }
    if (WEXITSTATUS(r->status))
        return PROTO_RUN_REFUSED;
    char *bytes;
    const char *path = fl_printf(r->a, "%s/.set", r->folder);
    int error = fl_read_regular(r->a, path, PROTO_MAX_SET, &bytes, len);
    if (error) {
        snprintf(r->message, 256, "protoc's descriptors cannot be read: %s", fl_read_error(r->a, error, PROTO_MAX_SET));
        return PROTO_RUN_FAILED;
    }
    *set = bytes;
    return PROTO_RUN_OK;
}

proto_run_status sch_proto_run(fl_arena *a, const char *program, const proto_source *files, size_t n,
                               const char *const *roots, size_t nroots, const char **set, size_t *len,
                               const char **errors, char message[256])
{
    run r = {.a = a, .message = message, .program = program};
    message[0] = '\0';
    *errors = "";
    sigset_t wait, before;
    ending_signals(&wait);
    sigprocmask(SIG_BLOCK, &wait, &before);
    fl_buf_init(&r.errors, MAX_ERRORS);
    proto_run_status status = PROTO_RUN_FAILED;
    if (make_folder(&r)) {
        if (put_all(&r, files, n, roots, nroots) && call(&r))
            status = result(&r, set, len, errors);
        fl_remove_tree(r.folder);
    }
    fl_buf_free(&r.errors);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return status;
}
