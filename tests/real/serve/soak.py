#!/usr/bin/env python3
"""soak.py: `flec serve` on a directory under a mixed load for a time: versions registered, looked up, deleted for good, data keys made and deleted, from four
connections. After a warm-up its memory, its descriptors and its log no longer grow; in the end, and after it was opened again, it holds what was acknowledged.
usage: soak.py FLEC REPORT.xml [--seconds N] [--seed N] [--pause MS]"""
import argparse, os, random, shutil, sys, tempfile, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from junit import Report
from registry import Client, Server, Worker, filling

WORKERS = 4
MIB = 1 << 20
LOG_MOST = 6 * MIB  # live records of 4 workers are below 1.5 MiB; the log is written anew at twice that and 1 MiB, and then grows by a request or two
MEMORY_GROWTH = 8 * MIB  # from the middle of the run to its end
WARM = 0.4


class Load:
    def __init__(self, port, workers, pause):
        self.port, self.pause, self.over, self.wrong, self.lookups = port, pause, threading.Event(), [], 0
        self.threads = [threading.Thread(target=self.work, args=(w,)) for w in workers]
        for t in self.threads:
            t.start()

    def look_up(self, worker, client):
        slot = worker.rng.choice(worker.slots[:3])
        alive = [v for v in slot.versions if not v[2]]
        if not alive:
            return
        n = worker.rng.choice(alive)[1]
        status, body = client.call("POST", slot.path, {"schema": '"string"', "metadata": {"properties": {"n": str(n), "filling": filling(n)}}})
        if status != 200 or body["metadata"]["properties"]["n"] != str(n):
            raise ValueError(f"{slot.name}: a lookup answers {status}")
        self.lookups += 1

    def work(self, worker):
        client = Client(self.port)
        try:
            while not self.over.is_set():
                worker.step(client)
                self.look_up(worker, client)
                if worker.acknowledged % 200 == 0:
                    client.close()  # and another connection
                time.sleep(self.pause)
        except Exception as e:  # told by the main thread
            self.wrong.append(f"{worker.name}: {type(e).__name__}: {e}")
            self.over.set()
        finally:
            client.close()

    def stop(self):
        self.over.set()
        for t in self.threads:
            t.join(150)


def watch(load, server, log, seconds):
    """Samples (share of the time, memory, descriptors, bytes of the log)."""
    samples, started = [], time.monotonic()
    step = max(seconds / 400, 0.25)
    while (now := time.monotonic() - started) < seconds and not load.over.wait(step):
        samples.append((now / seconds, server.rss(), server.fds(), os.path.getsize(log)))
    return samples


def judge(samples, checked):
    late = [s for s in samples if s[0] >= WARM]
    middle = max(s[1] for s in late if s[0] < (1 + WARM) / 2)
    end = max(s[1] for s in late if s[0] >= (1 + WARM) / 2)
    anew = sum(1 for a, b in zip(samples, samples[1:]) if b[3] < a[3])
    said = (f"memory {middle / MIB:.1f} MiB at most in the middle, {end / MIB:.1f} later; {max(s[2] for s in late)} descriptors at most; "
            f"log {max(s[3] for s in late) / MIB:.1f} MiB at most, written anew {anew} times at least")
    print("       " + said, flush=True)
    if not checked and end > middle + MEMORY_GROWTH:
        raise AssertionError("memory grows: " + said)
    if max(s[2] for s in late) > min(s[2] for s in samples) + 2 * WORKERS + 4:
        raise AssertionError("descriptors grow: " + said)
    if max(s[3] for s in late) > LOG_MOST:
        raise AssertionError("the log grows: " + said)


def soak(flec, seconds, seed, pause, work):
    with open(flec, "rb") as f:
        checked = b"__asan_init" in f.read()  # its allocator keeps what was freed
    workers = [Worker(f"w{i}", seed) for i in range(WORKERS)]
    server = Server(flec, f"file://{work}/store", errors=open(work + "/errors", "wb"))
    try:
        client = Client(server.port)
        for w in workers:
            w.prepare(client)
        load = Load(server.port, workers, pause)
        try:
            samples = watch(load, server, work + "/store/registry.log", seconds)
        finally:
            load.stop()
        if load.wrong:
            raise AssertionError(str(load.wrong))
        print(f"       {sum(w.acknowledged for w in workers)} changes, {load.lookups} lookups", flush=True)
        for w in workers:
            w.verify(client)
        client.close()
        judge(samples, checked)
        if server.stop() != -15:
            raise AssertionError(f"it ends with {server.process.returncode}")
    finally:
        if server.process.poll() is None:
            server.kill()
    server = Server(flec, f"file://{work}/store")
    try:
        client = Client(server.port)
        for w in workers:
            w.verify(client)
        client.close()
    finally:
        server.kill()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("flec")
    p.add_argument("report")
    p.add_argument("--seconds", type=float, default=30)
    p.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    p.add_argument("--pause", type=float, default=0, help="milliseconds between two changes of a connection")
    o = p.parse_args()
    print(f"soak.py --seconds {o.seconds:g} --seed {o.seed} --pause {o.pause:g}", flush=True)
    work, report = tempfile.mkdtemp(prefix="flec-soak-"), Report("soak")
    report.run(f"{o.seconds:g} s of load without growth, seed {o.seed}", lambda: soak(o.flec, o.seconds, o.seed, o.pause / 1000, work))
    if not any(row[2] for row in report.rows):
        shutil.rmtree(work)
    report.write(o.report)


main()
