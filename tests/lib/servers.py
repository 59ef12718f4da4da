"""servers.py: processes that a test starts, on ports of loopback."""
import os
import socket
import subprocess
import time


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A process of ours: its log, and the line that says it is up."""

    def __init__(self, name, command, work, up, env=None):
        self.log = os.path.join(work, name + ".log")
        self.process = subprocess.Popen(command, stdout=open(self.log, "wb"), stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=env)
        deadline = time.time() + 120
        while not up(self.text()):
            if self.process.poll() is not None or time.time() > deadline:
                self.stop()
                raise RuntimeError(f"{name} is not up: {self.text()[-2000:]}")
            time.sleep(0.1)

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
