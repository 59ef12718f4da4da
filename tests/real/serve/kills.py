#!/usr/bin/env python3
"""kills.py: `kill -9` of `flec serve` under load from several connections, again and again on one directory. After each it opens again, and holds all that
was acknowledged and nothing partial. A kill comes after a random number of acknowledged changes, so however slow the machine is, there is load.
usage: kills.py FLEC REPORT.xml [--kills N] [--seed N]"""
import argparse, os, random, shutil, sys, tempfile, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "lib"))
from junit import Report
from registry import GONE, Client, Server, Worker

WORKERS = 4


class Round:
    """The workers at work until the server is gone."""

    def __init__(self, port, workers, target):
        self.port, self.target, self.acknowledged, self.wrong = port, target, 0, []
        self.enough = threading.Condition()
        self.threads = [threading.Thread(target=self.work, args=(w,)) for w in workers]
        for t in self.threads:
            t.start()

    def work(self, worker):
        client = Client(self.port)
        try:
            while True:
                worker.step(client)
                with self.enough:
                    self.acknowledged += 1
                    self.enough.notify()
        except GONE:
            pass
        except Exception as e:  # told by the main thread
            with self.enough:
                self.wrong.append(f"{worker.name}: {type(e).__name__}: {e}")
                self.enough.notify()
        finally:
            client.close()

    def wait(self):
        with self.enough:
            if not self.enough.wait_for(lambda: self.acknowledged >= self.target or self.wrong, timeout=300):
                self.wrong.append(f"only {self.acknowledged} changes in 300 s")

    def join(self):
        for t in self.threads:
            t.join(150)


def kills(flec, count, seed, work):
    rng = random.Random(seed)
    workers = [Worker(f"w{i}", seed) for i in range(WORKERS)]
    store, total, slowest, shrunk, size = f"file://{work}/store", 0, 0.0, 0, 0
    log = work + "/store/registry.log"
    for number in range(count + 1):
        server = Server(flec, store, errors=open(work + "/errors", "ab"))
        slowest = max(slowest, server.opened)
        try:
            client = Client(server.port)
            for w in workers:
                w.prepare(client)
                w.verify(client)
            client.close()
            if number == count:
                break
            round_ = Round(server.port, workers, rng.randrange(1, 80))
            round_.wait()
            time.sleep(rng.random() * 0.003)  # anywhere in a change: what it hits is not what is checked
        finally:
            server.kill()
        round_.join()
        if round_.wrong:
            raise AssertionError(f"kill {number}: {round_.wrong}")
        total += round_.acknowledged
        shrunk += os.path.getsize(log) < size
        size = os.path.getsize(log)
    print(f"{count} kills, {total} acknowledged changes, all there; the log was written anew at least {shrunk} times; opened in {slowest:.2f} s at most")
    if total < count:
        raise AssertionError(f"only {total} changes in {count} rounds")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("flec")
    p.add_argument("report")
    p.add_argument("--kills", type=int, default=50)
    p.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    o = p.parse_args()
    print(f"kills.py --kills {o.kills} --seed {o.seed}", flush=True)
    work, report = tempfile.mkdtemp(prefix="flec-kills-"), Report("kills")
    report.run(f"{o.kills} kills of a server under load, seed {o.seed}", lambda: kills(o.flec, o.kills, o.seed, work))
    if not any(row[2] for row in report.rows):
        shutil.rmtree(work)
    report.write(o.report)


main()
