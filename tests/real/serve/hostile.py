#!/usr/bin/env python3
"""hostile.py: hostile HTTP against the real `flec serve`: too large, too slow, malformed, many. It never falls over, others are answered meanwhile, and in
the end it holds no more memory and descriptors than before.
usage: hostile.py FLEC REPORT.xml [--seed N]"""
import argparse, os, random, resource, shutil, socket, struct, sys, tempfile, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from junit import Report
from registry import Client, Server

HEAD = b"Host: localhost\r\nConnection: close\r\n"
JSON = b"Content-Type: application/json\r\n"
MIB = 1 << 20
IDLE = 10000
MARGIN = 48 * MIB  # what may stay of 10,000 connections, once
AGAIN = 16 * MIB  # and what more it may keep of the same a second time


def dial(port, timeout=60):
    s = socket.create_connection(("127.0.0.1", port), timeout=timeout)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def receive(s):
    """All until the server closes; what a reset cut off is lost."""
    blocks = []
    try:
        while block := s.recv(65536):
            blocks.append(block)
    except ConnectionError:
        pass
    return b"".join(blocks)


def exchange(port, data, half_close=True):
    """Sends bytes; the status that comes back, 0: closed without one."""
    with dial(port) as s:
        try:
            s.sendall(data)
            if half_close:
                s.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it may close before all is sent
        answer = receive(s)
    return int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else 0


def reset(s):
    """Closes at once, with a reset."""
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


class Attacks:
    def __init__(self, server, store, seed):
        self.server, self.port, self.store, self.rng = server, server.port, store, random.Random(seed)

    def alive(self):
        """Somebody else is answered, in good time."""
        client = Client(self.port, timeout=60)
        started = time.monotonic()
        status, _ = client.call("GET", "/subjects")
        client.close()
        if status != 200:
            raise AssertionError(f"another client gets {status}")
        return time.monotonic() - started

    def refused(self, what, data, allowed, half_close=True):
        status = exchange(self.port, data, half_close)
        if status not in allowed:
            raise AssertionError(f"{what}: answers {status}")
        self.alive()

    # ---- too large ----

    def oversized(self):
        post = b"POST /subjects/a HTTP/1.1\r\n" + HEAD + JSON
        self.refused("a target of 1 MiB", b"GET /" + b"a" * MIB + b" HTTP/1.1\r\n" + HEAD + b"\r\n", (0, 400, 414))
        self.refused("a query of 20,000 parameters", b"GET /subjects?" + b"&".join(b"a=%d" % i for i in range(2000)) + b" HTTP/1.1\r\n" + HEAD + b"\r\n", (0, 400, 414))
        self.refused("a header of 1 MiB", b"GET / HTTP/1.1\r\n" + HEAD + b"X: " + b"a" * MIB + b"\r\n\r\n", (0, 413, 431))
        self.refused("100,000 headers", b"GET / HTTP/1.1\r\n" + HEAD + b"".join(b"X-%d: a\r\n" % i for i in range(100000)) + b"\r\n", (0, 413, 431))
        self.refused("a header line that never ends", b"GET / HTTP/1.1\r\nX" + b"a" * MIB, (0, 400, 413, 431))
        self.refused("a body of 17 MiB, announced", post + b"Content-Length: %d\r\n\r\n" % (17 * MIB), (413,), False)
        self.refused("a body of many digits", post + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n", (0, 400, 413), False)
        chunk = b"40000\r\n" + b"a" * 0x40000 + b"\r\n"
        self.refused("a body of 17 MiB in chunks", post + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 68 + b"0\r\n\r\n", (0, 413))
        self.refused("a chunk size of many digits", post + b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 40 + b"\r\n", (0, 400, 413))

    def endless(self):
        """Chunks without end: it is cut off long before we are tired."""
        with dial(self.port) as s:
            s.sendall(b"POST /subjects/a HTTP/1.1\r\n" + HEAD + JSON + b"Transfer-Encoding: chunked\r\n\r\n")
            chunk, sent = b"10000\r\n" + b"a" * 65536 + b"\r\n", 0
            try:
                while sent < 512 * MIB:
                    s.sendall(chunk)
                    sent += len(chunk)
            except OSError:
                pass
        if sent >= 512 * MIB:
            raise AssertionError("512 MiB of chunks were taken")
        self.alive()

    # ---- malformed ----

    def malformed(self):
        post = b"POST /subjects/a HTTP/1.1\r\n" + HEAD + JSON
        for data in [b"\r\n" * 1000, b"\0" * 1000, b"GET", b"GET /\r\n\r\n", b"GET / HTTP/9.9\r\n" + HEAD + b"\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
                     b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET / HTTP/1.1\r\nHost\r\n\r\n", b"GET / HTTP/1.1\r\n Host: localhost\r\n\r\n",
                     b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", b"GET  /  HTTP/1.1\r\n\r\n", b"G\0T / HTTP/1.1\r\n" + HEAD + b"\r\n",
                     post + b"Content-Length: -1\r\n\r\n{}", post + b"Content-Length: 0x10\r\n\r\n{}", post + b"Content-Length: 2\r\nContent-Length: 20\r\n\r\n{}",
                     post + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n0\r\n\r\n", post + b"Transfer-Encoding: gzip\r\n\r\n",
                     post + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", post + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n",
                     post + b"Content-Length: 6\r\n\r\n{\"a\":\xff", post + b"Content-Length: 50000\r\n\r\n" + b"[" * 50000]:
            status = exchange(self.port, data)
            if 200 <= status < 300 or status >= 500 and status not in (501, 505):
                raise AssertionError(f"{data[:80]!r} answers {status}")
        for _ in range(2000):  # half of a request is waited for, so no answer is
            with dial(self.port) as s:
                s.sendall(self.rng.randbytes(self.rng.randrange(1, 300)))
        self.alive()

    def pipelined(self):
        n = 2000
        with dial(self.port) as s:
            request = b"GET /subjects/none-%d/versions HTTP/1.1\r\nHost: localhost\r\n\r\n"
            got = []
            reader = threading.Thread(target=lambda: got.append(receive(s)))
            reader.start()
            s.sendall(b"".join(request % i for i in range(n)) + b"GET / HTTP/1.1\r\n" + HEAD + b"\r\n")
            reader.join(120)
        answers = got[0].split(b"HTTP/1.1 ")[1:]
        order = [i for i, a in enumerate(answers[:-1]) if b"none-%d " % i not in a]
        if len(answers) != n + 1 or order:
            raise AssertionError(f"{len(answers)} answers to {n + 1} requests; out of order: {order[:5]}")

    # ---- names that are no paths ----

    def traversal(self):
        client = Client(self.port)
        outside = os.path.dirname(self.store)
        before = sorted(os.listdir(outside))
        good = ["..%2f..%2fetc%2fpasswd", "..", ".", "%2fetc%2fpasswd", "a%2f..%2fregistry.log", "..%5c..%5cwindows", "%e2%82%ac", "a" * 4096, "registry.log", "%3a.ctx%3a..%2fx"]
        bad = ["%00", "a%00b", "a" * 4097, "%ff%fe", "a%0ab", "%7f", "%c0%ae%c0%ae%2f", "%ed%a0%80", "%", "%2", "%zz"]
        for name in good:
            status, body = client.call("POST", f"/subjects/{name}/versions", {"schema": '"string"'})
            if status != 200:
                raise AssertionError(f"{name[:60]} answers {status} {body}")
        for name in bad:
            for method, path, body in (("POST", f"/subjects/{name}/versions", {"schema": '"string"'}), ("GET", f"/subjects/{name}/versions", None), ("DELETE", f"/subjects/{name}", None),
                                       ("PUT", f"/config/{name}", {"compatibility": "NONE"}), ("GET", f"/dek-registry/v1/keks/{name}", None)):
                status, answer = client.call(method, path, body)
                if not 400 <= status < 500:
                    raise AssertionError(f"{method} {path[:80]} answers {status} {answer}")
        client.close()
        inside = set(os.listdir(self.store)) - {"lock", "registry.log", "stand-in.key"}
        if inside or sorted(os.listdir(outside)) != before:
            raise AssertionError(f"files were made: {inside}, {os.listdir(outside)}")

    # ---- many ----

    def idle(self):
        """10,000 connections that say nothing, as far as the system lets one process have them, and clients that work."""
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        n, sockets, started = min(IDLE, hard - 300), [], time.monotonic()
        try:
            for _ in range(n):
                sockets.append(dial(self.port))
            slowest = max(self.alive() for _ in range(100))
            held = self.server.fds()
            if held < n and time.monotonic() - started < 25:  # after 30 s the server closes the first ones
                raise AssertionError(f"the server has {held} descriptors for {n} idle connections")
            for s in sockets[: n // 2]:
                try:
                    s.send(b"GET /subj")
                except OSError:
                    pass
            slowest = max(slowest, max(self.alive() for _ in range(100)))
        finally:
            for s in sockets:
                s.close()
        print(f"       {n} idle connections, {self.server.rss() / MIB:.0f} MiB; the slowest of 200 answers beside them took {slowest * 1000:.0f} ms", flush=True)
        if slowest > 20:
            raise AssertionError(f"an answer took {slowest:.1f} s")

    def flood(self):
        """Connections that come and go: closed at once, reset, reset in the middle of a body and while the answer comes."""
        half = b"POST /subjects/a/versions HTTP/1.1\r\n" + HEAD + JSON + b"Content-Length: 1000\r\n\r\n{"
        whole = b"GET /subjects HTTP/1.1\r\nHost: localhost\r\n\r\n" * 20
        for i in range(4000):
            s = dial(self.port)
            try:
                if i % 4 == 1:
                    s.sendall(half)
                if i % 4 == 2:
                    s.sendall(whole)
            except OSError:
                pass
            if i % 4:
                reset(s)
            else:
                s.close()
        self.alive()


class Slow:
    """One byte a second, and answers that nobody reads: from the beginning of the suite on, until the server has enough of them."""

    def __init__(self, port):
        self.port, self.started = port, time.monotonic()
        self.open = {dial(port): True for _ in range(50)}
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        text = b"GET /subjects HTTP/1.1\r\n" + HEAD + b"X-Slow: " + b"a" * 1000
        at = 0
        while self.open and time.monotonic() - self.started < 150:
            for s in list(self.open):
                try:
                    s.send(text[at : at + 1])
                    s.setblocking(False)
                    if not s.recv(1):
                        raise ConnectionResetError
                except BlockingIOError:
                    pass
                except OSError:
                    s.close()
                    del self.open[s]
            at += 1
            time.sleep(1)

    def dropped(self):
        self.thread.join()
        left = len(self.open)
        for s in self.open:
            s.close()
        if left:
            raise AssertionError(f"after 150 s the server still listens to {left} connections that send a byte a second")


def unread(attacks):
    """Large answers that nobody reads: others are answered."""
    client = Client(attacks.port)
    for i in range(20):
        status, _ = client.call("POST", f"/subjects/large-{i}/versions", {"schema": '"string"', "metadata": {"properties": {"a": "b" * 100000 + str(i)}}})
        if status != 200:
            raise AssertionError(f"a large version answers {status}")
    client.close()
    sockets = []
    for _ in range(20):
        s = dial(attacks.port)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        s.sendall(b"GET /schemas HTTP/1.1\r\nHost: localhost\r\n\r\n" * 3)
        sockets.append(s)
    attacks.alive()
    for s in sockets:
        reset(s)
    attacks.alive()


def settled(server, fds):
    """Waits until the ends of all connections have been noticed."""
    until = time.monotonic() + 120
    while server.fds() > fds and time.monotonic() < until:
        time.sleep(0.2)
    if server.fds() > fds:
        raise AssertionError(f"{server.fds()} descriptors are open, {fds} were before")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("flec")
    p.add_argument("report")
    p.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    o = p.parse_args()
    print(f"hostile.py --seed {o.seed}", flush=True)
    with open(o.flec, "rb") as f:
        checked = b"__asan_init" in f.read()  # its allocator keeps what was freed
    work, report = tempfile.mkdtemp(prefix="flec-hostile-"), Report("serve-hostile")
    errors = open(work + "/errors", "wb")
    os.mkdir(work + "/around")
    server = Server(o.flec, f"file://{work}/around/store", errors=errors)
    attacks = Attacks(server, work + "/around/store", o.seed)
    for _ in range(50):
        attacks.alive()
    settled(server, server.fds())
    fds, rss = server.fds(), server.rss()

    def nothing_left():
        settled(server, fds)
        attacks.alive()
        once = server.rss()
        for attack in (attacks.oversized, attacks.endless, attacks.flood, attacks.idle):
            attack()
        settled(server, fds)
        twice = server.rss()
        print(f"       resident memory: {rss / MIB:.1f} MiB before, {once / MIB:.1f} after, {twice / MIB:.1f} after half of it again", flush=True)
        if not checked and (once > rss + MARGIN or twice > once + AGAIN):
            raise AssertionError(f"resident memory: {rss} before, {once} after, {twice} after half of it again")

    def stops():
        status = server.stop()
        errors.close()
        with open(work + "/errors", "rb") as f:
            said = f.read()
        if status != -15 or b"Sanitizer" in said or b"runtime error" in said:
            raise AssertionError(f"it ends with {status}: {said[-2000:]!r}")

    slow = Slow(server.port)
    for name, test in [("too large", attacks.oversized), ("a body without end", attacks.endless), ("malformed", attacks.malformed), ("pipelined", attacks.pipelined),
                       ("names that look like paths", attacks.traversal), ("answers that nobody reads", lambda: unread(attacks)), ("a flood of connections", attacks.flood),
                       ("10,000 idle connections", attacks.idle), ("a byte a second", slow.dropped), ("nothing is left of it", nothing_left), ("it stops as told", stops)]:
        report.run(name, test)
    if server.process.poll() is None:
        server.kill()
    if not any(row[2] for row in report.rows):
        shutil.rmtree(work)
    report.write(o.report)


main()
