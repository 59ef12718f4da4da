/* serve_password.c: `flec serve --hash-password NAME`: a password comes from a terminal or a pipe, never from an
 * argument, and leaves as a hash. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/io.h"
#include "cli/serve_safety.h"

enum { LINE_MOST = 1024 };

static struct termios before;

/* A terminal must not stay mute when somebody gives up. */
static void restore(int signal_number)
{
    tcsetattr(STDIN_FILENO, TCSANOW, &before);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void mute(void (*handlers[3])(int))
{
    static const int signals[3] = {SIGINT, SIGTERM, SIGHUP};
    struct termios quiet;
    tcgetattr(STDIN_FILENO, &before);
    for (size_t i = 0; i < 3; i++)
        handlers[i] = signal(signals[i], restore);
    quiet = before;
    quiet.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
}

static void unmute(void (*handlers[3])(int))
{
    static const int signals[3] = {SIGINT, SIGTERM, SIGHUP};
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    for (size_t i = 0; i < 3; i++)
        signal(signals[i], handlers[i]);
    fputc('\n', stderr);
}

/* Up to a line's end, which is not part of it, or the end of the input. */
static bool read_line(fl_secret *out)
{
    fl_secret line = fl_secret_new(LINE_MOST);
    size_t n = 0;
    ssize_t got = 1;
    while (n < LINE_MOST && (got = read(STDIN_FILENO, line.bytes + n, 1)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || line.bytes[n] == '\n')
            break;
        n++;
    }
    bool ok = got >= 0 && n < LINE_MOST;
    n -= n && line.bytes[n - 1] == '\r';
    *out = fl_secret_copy(line.bytes, n);
    fl_secret_free(&line);
    return ok;
}

static bool ask(const char *prompt, fl_secret *out)
{
    void (*handlers[3])(int);
    fputs(prompt, stderr);
    mute(handlers);
    bool ok = read_line(out);
    unmute(handlers);
    return ok;
}

static bool ask_twice(fl_secret *out)
{
    fl_secret again = {0};
    bool ok = ask("password: ", out) && ask("once more: ", &again) && fl_secret_eq(out, &again);
    fl_secret_free(&again);
    return ok;
}

fl_status cli_hash_password(const char *name)
{
    fl_secret password = {0};
    rt_error e = {0};
    fl_buf line;
    fl_buf_init(&line, 4096);
    bool terminal = isatty(STDIN_FILENO);
    rt_code code =
        (terminal ? ask_twice(&password) : read_line(&password))
            ? rt_users_line(name, &password, &line, &e)
            : rt_fail(&e, RT_IO, terminal ? "that was not the same password twice" : "no password on standard input");
    fl_secret_free(&password);
    if (code == RT_OK)
        fwrite(line.p, 1, line.len, stdout);
    else
        fl_log(FL_LOG_ERROR, "%s", e.message);
    fl_buf_wipe(&line);
    return code == RT_OK ? FL_OK : code == RT_BAD_INPUT ? FL_USAGE : FL_COULD_NOT_RUN;
}
