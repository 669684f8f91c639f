"""What people see: width, plain text where it is not a terminal, help, progress, Ctrl-C."""
import os
import pty
import re
import select
import signal
import subprocess
import time

from support import KAPPA, CliTest, main, np, run

CASES = [
    ["analyze", "100*(y - x^2)^2 + (1 - x)^2", "--at", "x=-1.2,y=1", "--learning-rate", "0.05"],
    ["analyze", "(x + 1, x*y, x - z)", "--at", "x=1,y=2,z=3"],
    ["analyze", "x^2 - y^2", "--at", "x=0,y=0"],
    ["analyze", "sum(x^4)", "--at", "x=1.23456789*6"],
    ["analyze", "sum(x^2)*" * 40 + "1", "--at", "x=1*30", "--density", "--trace"],
    ["minimize", "100*(y - x^2)^2 + (1 - x)^2", "--at", "x=-1.2,y=1"],
    ["compare", "100*(y - x^2)^2 + (1 - x)^2", "--at", "x=-1.2,y=1", "--methods", "gd,lbfgs"],
    ["info", "x^2 + y^2", "--at", "x=1,y=2"],
    ["--help"], ["analyze", "--help"], ["minimize", "--help"], ["derive", "--help"],
    ["compare", "--help"], ["landscape", "--help"], ["report", "--help"], ["info", "--help"],
]


def on_a_terminal(arguments, env=None, interrupt_at=None, timeout=120):
    """Runs with standard output and error on one pseudo-terminal; returns (text, exit code).

    interrupt_at: Ctrl-C a second after the output first matches this expression, however slow the
    machine is."""
    ours, theirs = pty.openpty()
    environment = dict(os.environ, LC_ALL="C.UTF-8", **(env or {}))
    environment.pop("NO_COLOR", None) if not env or "NO_COLOR" not in env else None
    process = subprocess.Popen([KAPPA, *map(str, arguments)], stdout=theirs, stderr=theirs,
                               stdin=subprocess.DEVNULL, env=environment)
    os.close(theirs)
    text, start, seen, sent = b"", time.time(), None, False
    while time.time() - start < timeout:
        if interrupt_at and seen is None and re.search(interrupt_at, text.decode(errors="ignore")):
            seen = time.time()
        if seen is not None and not sent and time.time() - seen > 1:
            process.send_signal(signal.SIGINT)
            sent = True
        if select.select([ours], [], [], 0.1)[0]:
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not chunk:
                break
            text += chunk
        elif process.poll() is not None:
            break
    os.close(ours)
    return text.decode(), process.wait(timeout=10)


class Plain(CliTest):
    def test_at_most_80_columns_and_no_escapes_in_a_pipe(self):
        for arguments in CASES:
            text = run(*arguments).stdout
            with self.subTest(" ".join(arguments)[:60]):
                self.assertNotEqual(text, "")
                self.assertNotIn("\033", text)
                self.assertTrue(text.isascii())
                for line in text.splitlines():
                    self.assertLessEqual(len(line), 80, line)

    def test_no_color_and_quiet_on_a_terminal(self):
        arguments = CASES[0]
        self.assertIn("\033[1m", on_a_terminal(arguments)[0])
        self.assertNotIn("\033", on_a_terminal(arguments, {"NO_COLOR": "1"})[0])
        self.assertNotIn("\033", on_a_terminal([*arguments, "--quiet"])[0])

    def test_a_caret_shows_the_place_on_a_terminal(self):
        text, code = on_a_terminal(["analyze", "x + sine(y)", "--at", "x=1,y=2"])
        self.assertEqual(code, 2)
        lines = text.splitlines()
        self.assertEqual(lines[-1].rstrip().find("^"), lines[-2].find("sine"))

    def test_version_and_help(self):
        self.assertRegex(run("--version").stdout, r"^kappa \d+\.\d+\.\d+\n$")
        self.assertEqual(run().returncode, 2)
        for command in ("analyze", "minimize", "derive", "compare", "info"):
            text = run(command, "--help").stdout
            self.assertIn("Usage: kappa " + command, text)
            self.assertEqual(text, run("help", command).stdout)

    def test_json_file_beside_the_text(self):
        result = run(*CASES[0], "--json", self.path("r.json"))
        self.assertIn("Eigenvalues", result.stdout)
        self.assertTrue(os.path.getsize(self.path("r.json")) > 100)


class LongRuns(CliTest):
    def slow(self):
        random = np.random.default_rng(0)
        np.savez(self.path("d.npz"), x=random.normal(size=(20000, 100)).astype(np.float32),
                 y=random.integers(0, 10, 20000))
        return ["mlp:100-200-10:tanh", "--data", self.path("d.npz"), "--threads", 1]

    def test_interrupt_gives_the_best_so_far(self):
        text, code = on_a_terminal(["analyze", *self.slow(), "--tolerance", "1e-2", "--top", 2,
                                    "--bottom", 1, "--density", "--probes", 1000],
                                   interrupt_at=r"\d+ % \(\d+ of \d+\)")
        self.assertEqual(code, 130, text)
        self.assertIn("Eigenvalues", text)
        self.assertIn("stopped before the end", text)

    def test_interrupted_walk_writes_what_it_has(self):
        weights = self.path("w.npz")
        text, code = on_a_terminal(["train", *self.slow(), "--method", "sgd", "--epochs", 100000,
                                    "--out", weights], interrupt_at=r"\d")
        self.assertEqual(code, 130, text)
        self.assertIn("layers.0.weight", np.load(weights).files)


if __name__ == "__main__":
    main()
