/* private.c: reads a file after a look at who else can. */
#include "runtime/rest/private.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static rt_code look_at(int fd, const char *path, size_t max, size_t *size, rt_error *err)
{
    struct stat st;
    if (fstat(fd, &st))
        return rt_fail(err, RT_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return rt_fail(err, RT_IO, "%s: not a regular file", path);
    if (st.st_mode & (S_IWGRP | S_IROTH | S_IWOTH))
        return rt_fail(err, RT_IO, "%s: others may read or change it (mode %03o): chmod 600, or 640 for a group", path,
                       (unsigned)st.st_mode & 0777);
    if (st.st_size < 0 || (uintmax_t)st.st_size > max)
        return rt_fail(err, RT_IO, "%s: larger than %zu KiB", path, max >> 10);
    *size = (size_t)st.st_size;
    return RT_OK;
}

static rt_code read_all(int fd, const char *path, size_t size, fl_secret *out, rt_error *err)
{
    fl_secret s = fl_secret_new(size + 1);
    size_t got = 0;
    ssize_t n = 1;
    while (n > 0 && got < size && (n = read(fd, s.bytes + got, size - got)) != 0)
        if (n > 0)
            got += (size_t)n;
        else if (errno == EINTR)
            n = 1;
    if (n < 0 || got < size) {
        fl_secret_free(&s);
        return rt_fail(err, RT_IO, "%s: it cannot be read", path);
    }
    s.bytes[got] = 0;
    s.len = got; /* freed by address */
    *out = s;
    return RT_OK;
}

rt_code rt_read_private(const char *path, size_t max, fl_secret *out, rt_error *err)
{
    size_t size = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    *out = (fl_secret){0};
    if (fd < 0)
        return rt_fail(err, RT_IO, "%s: %s", path, strerror(errno));
    rt_code code = look_at(fd, path, max, &size, err);
    if (code == RT_OK)
        code = read_all(fd, path, size, out, err);
    close(fd);
    return code;
}
