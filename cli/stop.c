/* stop.c: notes signals. */
#include "cli/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/base.h"

static rt_stop stop = {.fd = -1};
static int wake = -1;

static void note(int signal)
{
    int e = errno;
    stop.signal = signal;
    ssize_t put = write(wake, "", 1); /* a pipe that is full wakes as well */
    (void)put;
    errno = e;
}

static void watch(int signal)
{
    struct sigaction old, new = {.sa_handler = note, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&new.sa_mask);
    if (sigaction(signal, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
        sigaction(signal, &new, NULL);
}

const rt_stop *cli_stop_watch(void)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK))
        fl_die(FL_COULD_NOT_RUN, "cannot make a pipe");
    stop.fd = fds[0];
    wake = fds[1];
    watch(SIGINT);
    watch(SIGTERM);
    watch(SIGHUP);
    return &stop;
}

void cli_stop_die(void)
{
    int signal_number = stop.signal;
    if (!signal_number)
        return;
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}
