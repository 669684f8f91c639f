"""Does `kappa minimize --checkpoint DIR --resume` survive SIGKILL?

Fifty times the program is killed at a random moment, the moments spread over the length of a whole
run, and started again until it is through. Every run must end with the bits of an undisturbed one:
the same parameter file, value and iteration count.

    kill_cli_test.py KAPPA
"""
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import time

KILLS = 50


def table(path):
    draw = random.Random(3)
    rows = ["x,y"]
    for _ in range(50000):
        x = draw.uniform(-2, 2)
        rows.append(f"{x!r},{3 * x - 2 * x * x + draw.gauss(0, 0.3)!r}")
    path.write_text("\n".join(rows) + "\n")


def command(kappa, folder, name):
    return [kappa, "minimize", "(y - a*tanh(b*x + c) - d*tanh(h*x + g))^2 + 1e-3*(a^2 + d^2)/2",
            "--data", str(folder / "t.csv"), "--at", "a=1,b=0.5,c=0.1,d=-1,h=0.7,g=-0.2",
            "--method", "sgd,lbfgs", "--option", "sgd.learning-rate=0.00005",
            "--option", "sgd.momentum=0.9", "--minibatch", "16", "--epochs", "600", "--seed", "4",
            "--checkpoint", str(folder / name), "--checkpoint-every", "0.01", "--resume",
            "--out", str(folder / (name + ".npz")), "--json", str(folder / (name + ".json")),
            "--quiet"]


def answer(folder, name):
    report = json.loads((folder / (name + ".json")).read_text())
    return (folder / (name + ".npz")).read_bytes(), report["value"], report["status"], \
        report["cost"]["num_iterations"]


def main(kappa):
    draw = random.Random(1)
    with tempfile.TemporaryDirectory(prefix="kappa_kill_") as name:
        folder = pathlib.Path(name)
        table(folder / "t.csv")
        begin = time.monotonic()
        subprocess.run(command(kappa, folder, "whole"), check=False, stdout=subprocess.DEVNULL)
        length = time.monotonic() - begin
        expected = answer(folder, "whole")
        kills = resumed = runs = 0
        while kills < KILLS:
            runs += 1
            if runs > 20 * KILLS:
                sys.exit(f"only {kills} of {runs} runs were still going when they were to be killed")
            run = f"run{runs}"
            for attempt in range(4):  # killed up to three times, then left alone
                process = subprocess.Popen(command(kappa, folder, run), stdout=subprocess.DEVNULL)
                if attempt < 3 and kills < KILLS:
                    time.sleep(draw.uniform(0, length))
                    process.send_signal(signal.SIGKILL)
                code = process.wait()
                if code != -signal.SIGKILL:
                    break
                kills += 1
                resumed += os.path.exists(folder / run / "checkpoint.kappa")
            if answer(folder, run) != expected:
                sys.exit(f"{run}, killed {attempt} times, ended otherwise than the undisturbed run")
        print(f"{kills} kills ({resumed} with a checkpoint to go on from) in {runs} runs of "
              f"{length:.2f} s: every run ended with the same bits")
        if resumed < KILLS // 3:
            sys.exit("too few kills left a checkpoint: the test says little")


main(sys.argv[1])
