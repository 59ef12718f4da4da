"""junit.py: the least of a JUnit report, for test scripts in Python."""
import sys
import time
from xml.sax.saxutils import escape, quoteattr


class Report:
    def __init__(self, suite):
        self.suite, self.rows, self.skipped = suite, [], {}

    def run(self, name, test):
        """Runs one test: a function that raises where something is wrong."""
        started, problem = time.time(), None
        try:
            test()
        except Exception as e:  # whatever went wrong is a failure of that test
            problem = f"{type(e).__name__}: {e}"
        self.rows.append((name, time.time() - started, problem))
        print(("FAILED " if problem else "ok     ") + name + (f"\n       {problem}" if problem else ""), flush=True)

    def skip(self, name, why):
        """A test that could not run here: counted, and said by name."""
        self.rows.append((name, 0, None))
        self.skipped[name] = why
        print(f"skip   {name}: {why}", flush=True)

    def write(self, path):
        failed = sum(1 for r in self.rows if r[2])
        with open(path, "w", encoding="utf-8") as f:
            f.write(f'<testsuite name={quoteattr(self.suite)} tests="{len(self.rows)}" failures="{failed}" errors="0" skipped="{len(self.skipped)}">\n')
            for name, seconds, problem in self.rows:
                f.write(f'<testcase name={quoteattr(name)} time="{seconds:.3f}">')
                if problem:
                    f.write("<failure>" + escape("".join(c if c >= " " or c == "\n" else "?" for c in problem)) + "</failure>")
                if name in self.skipped:
                    f.write(f"<skipped message={quoteattr(self.skipped[name])}/>")
                f.write("</testcase>\n")
            f.write("</testsuite>\n")
        sys.exit(1 if failed or not self.rows else 0)
