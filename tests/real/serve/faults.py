#!/usr/bin/env python3
"""faults.py: `flec serve` on a full disk, without permissions, on a taken port, on a directory that another has: a message, exit status 4 or the answer 50001,
and no damage: what was acknowledged is there afterwards.
usage: faults.py FLEC REPORT.xml

The full disk is a tmpfs of 3 MiB where this process may mount one (root); elsewhere a limit on the size of files (RLIMIT_FSIZE) stands in for it."""
import os, resource, shutil, signal, socket, subprocess, sys, tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from junit import Report
from registry import Client, Server, Worker, filling

MIB = 1 << 20
COULD_NOT_RUN = 4
NOBODY = 65534


def as_nobody():
    """Root may do everything; so the server is somebody else."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def refused(flec, store, *parts, listen="127.0.0.1:0", limits=None):
    """It does not start: status 4, and one message that says where and what."""
    done = subprocess.run([flec, "serve", "--listen", listen, "--store", store], capture_output=True, text=True, timeout=120, preexec_fn=limits)
    if done.returncode != COULD_NOT_RUN or done.stdout or not all(p in done.stderr for p in parts):
        raise AssertionError(f"status {done.returncode}, it says {done.stdout!r} {done.stderr!r}; expected: {parts}")


def register(client, subject, n):
    return client.call("POST", f"/subjects/{subject}/versions", {"schema": '"string"', "metadata": {"properties": {"n": str(n), "filling": filling(n)}}})


def holds(client, subject, count):
    status, body = client.call("GET", f"/subjects/{subject}/versions")
    if status != 200 or body != list(range(1, count + 1)):
        raise AssertionError(f"{subject} holds {body}, acknowledged were {count} versions")
    for n in range(1, count + 1):
        status, body = client.call("GET", f"/subjects/{subject}/versions/{n}")
        if status != 200 or body["metadata"]["properties"]["filling"] != filling(n):
            raise AssertionError(f"version {n} of {subject} answers {status}")


class Disk:
    """A small disk, and a way to make room on it."""

    def __init__(self, work):
        self.folder, self.mounted = work + "/disk", False
        os.mkdir(self.folder)
        if os.geteuid() == 0:
            self.mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m,mode=0755", "tmpfs", self.folder], stderr=subprocess.DEVNULL).returncode == 0
        print("       a full disk is " + ("a tmpfs of 3 MiB" if self.mounted else "RLIMIT_FSIZE, as nothing can be mounted here"), flush=True)
        if self.mounted:
            with open(self.folder + "/ballast", "wb") as f:
                f.write(bytes(MIB))

    def limits(self):
        if not self.mounted:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (2 * MIB, resource.RLIM_INFINITY))

    def make_room(self, server):
        if self.mounted:
            os.unlink(self.folder + "/ballast")
        else:
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def fill(self):
        with open(self.folder + "/more", "wb", buffering=0) as f:
            try:
                while f.write(bytes(4096)):
                    pass
            except OSError:
                pass

    def close(self):
        if self.mounted:
            subprocess.run(["umount", "-l", self.folder], check=True)


def full_disk(flec, disk):
    store = f"file://{disk.folder}/store"
    server = Server(flec, store, limits=disk.limits)
    try:
        client, n = Client(server.port), 0
        while n < 4000:
            status, body = register(client, "s", n + 1)
            if status != 200:
                break
            n += 1
        if status != 500 or body.get("error_code") != 50001 or "registry.log" not in body.get("message", ""):
            raise AssertionError(f"version {n + 1} answers {status} {body}")
        for _ in range(3):  # it stays up, reads, and refuses what it cannot keep
            status, body = register(client, "s", 100000)
            if (status, body.get("error_code")) != (500, 50001):
                raise AssertionError(f"on the full disk a version answers {status} {body}")
        holds(client, "s", n)
        disk.make_room(server)
        for _ in range(5):
            status, body = register(client, "s", n + 1)
            if status != 200:
                raise AssertionError(f"with room again a version answers {status} {body}")
            n += 1
        holds(client, "s", n)
    finally:
        server.kill()
    server = Server(flec, store)
    try:
        client = Client(server.port)
        holds(client, "s", n)
    finally:
        server.kill()


def born_full(flec, disk):
    """A registry that cannot be made, and one that cannot be opened for writing: a message, and the second is as it was."""
    if not disk.mounted:
        return
    disk.fill()
    refused(flec, f"file://{disk.folder}/new", disk.folder + "/new", "No space left")
    os.unlink(disk.folder + "/more")
    shutil.rmtree(disk.folder + "/new", ignore_errors=True)


def tidied_in_vain(flec, work):
    """The folder can no longer be written: the log cannot be written anew, which harms nothing."""
    folder = work + "/closed"
    os.mkdir(folder)
    if os.geteuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    errors = open(work + "/errors", "wb")
    server = Server(flec, f"file://{folder}/store", limits=as_nobody, errors=errors)
    try:
        client, worker = Client(server.port), Worker("w", 1)
        worker.prepare(client)
        worker.step(client)
        os.chmod(folder + "/store", 0o500)
        for _ in range(100000):
            worker.step(client)
            if os.path.getsize(folder + "/store/registry.log") > 5 * MIB:
                break
        worker.verify(client)
    finally:
        server.kill()
    with open(work + "/errors", encoding="utf-8") as f:
        said = f.read()
    if "stays in it for now" not in said or "Permission denied" not in said:
        raise AssertionError(f"it says {said!r}")
    os.chmod(folder + "/store", 0o700)
    server = Server(flec, f"file://{folder}/store", limits=as_nobody)
    try:
        client = Client(server.port)
        worker.verify(client)
        if os.path.getsize(folder + "/store/registry.log") > 3 * MIB:
            raise AssertionError("with the permission again the log is not written anew")
        for _ in range(20):
            worker.step(client)
        worker.verify(client)
    finally:
        server.kill()


def permission_lost(flec, work):
    folder, store = work + "/closed/store", f"file://{work}/closed/store"
    for path, mode in ((folder + "/registry.log", 0o000), (folder + "/registry.log", 0o400), (folder, 0o000), (folder + "/lock", 0o000)):
        was = os.stat(path).st_mode & 0o777
        os.chmod(path, mode)
        refused(flec, store, folder, "Permission denied", limits=as_nobody)
        os.chmod(path, was)
    server = Server(flec, store, limits=as_nobody)
    server.kill()


def port_taken(flec, work):
    store = f"file://{work}/port"
    server = Server(flec, store)
    try:
        client = Client(server.port)
        status, body = register(client, "s", 1)
        if status != 200:
            raise AssertionError(f"a version answers {status} {body}")
        refused(flec, f"file://{work}/other", f"127.0.0.1:{server.port}", "another program has the port", listen=f"127.0.0.1:{server.port}")
        refused(flec, store, work + "/port", "another process has it open")
        holds(client, "s", 1)
    finally:
        server.kill()
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        refused(flec, store, "another program has the port", listen=f"127.0.0.1:{s.getsockname()[1]}")
    server = Server(flec, store)
    try:
        holds(Client(server.port), "s", 1)
    finally:
        server.kill()


def main():
    report, work = Report("serve-faults"), tempfile.mkdtemp(prefix="flec-faults-")
    flec = shutil.copy(sys.argv[1], work + "/flec")  # where everybody may run it
    os.chmod(work, 0o755)
    disk = Disk(work)
    try:
        for name, test in [("the disk is full, and has room again", lambda: full_disk(flec, disk)), ("a registry on a disk that is full", lambda: born_full(flec, disk)),
                           ("the folder can no longer be written", lambda: tidied_in_vain(flec, work)), ("permissions are lost", lambda: permission_lost(flec, work)),
                           ("the port, or the directory, is taken", lambda: port_taken(flec, work))]:
            report.run(name, test)
    finally:
        disk.close()
    if not any(row[2] for row in report.rows):
        shutil.rmtree(work)
    report.write(sys.argv[2])


main()
