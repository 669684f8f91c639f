"""kappa landscape from the outside: killed and continued, directions, files, refusals.

    landscape_test.py KAPPA
"""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "cli"))
from support import KAPPA, CliTest, main, np, run  # noqa: E402


class Landscape(CliTest):
    def data(self, samples=500):
        rng = np.random.default_rng(1)
        x = rng.normal(size=(samples, 30))
        path = self.path("d.npz")
        np.savez(path, x=x, y=rng.integers(0, 4, samples))
        return path

    def test_killed_and_restarted_it_continues(self):
        network = ["landscape", "mlp:30-64-4:tanh", "--data", self.data(), "--along", "top,random",
                   "--points", "41"]
        started = time.monotonic()
        whole = self.json(*network)
        lasted = time.monotonic() - started
        points = 41 * 41
        folder = self.path("kept")
        continued = [*network, "--checkpoint", folder, "--resume"]
        kills = 0
        for share in (0.3, 0.5, 0.8):
            process = subprocess.Popen(
                [KAPPA, *continued, "--checkpoint-every", "0.01", "--quiet"],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(share * lasted)
            process.send_signal(signal.SIGKILL)
            kills += process.wait() == -signal.SIGKILL
        self.assertGreater(kills, 0)
        file = os.path.join(folder, "checkpoint.kappa")
        self.assertTrue(os.path.exists(file), "killed before the first checkpoint")
        kept = (os.path.getsize(file) - 24 - 16) // 8
        self.assertGreater(kept, 0)
        self.assertLessEqual(kept, points)
        result = run(*continued, "--json", self.path("out.json"))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn(f"went on behind {kept} values", result.stderr)
        with open(self.path("out.json"), encoding="utf8") as f:
            after = json.load(f)
        self.assertEqual(after["landscape"]["value"], whole["landscape"]["value"])
        # Another picture's folder is refused, and left as it is.
        before = pathlib.Path(file).read_bytes()
        other = run(*network[:-1], "40", "--checkpoint", folder, "--resume")
        self.assertEqual(other.returncode, 2)
        self.assertEqual(other.stderr.count("\n"), 1, other.stderr)
        self.assertIn("holds another run", other.stderr)
        self.assertEqual(pathlib.Path(file).read_bytes(), before)

    def test_same_values_with_any_number_of_threads(self):
        network = ["landscape", "mlp:30-8-4:tanh", "--data", self.data(300), "--points", "7"]
        one = self.json(*network, "--threads", "1")["landscape"]["value"]
        self.assertEqual(self.json(*network, "--threads", "3")["landscape"]["value"], one)

    def test_line_between_two_points(self):
        result = self.json("landscape", "(x - 1)^2 + y^2", "--at", "x=0,y=0", "--to", "x=2,y=0",
                           "--range", "0:1", "--points", "5")
        self.close(result["landscape"]["axes"][0]["t"], [0, 0.25, 0.5, 0.75, 1])
        self.close(result["landscape"]["value"], [1, 0.25, 0, 0.25, 1])
        self.close(result["landscape"]["axes"][0]["norm"], 2)

    def test_line_between_two_weight_files(self):
        data = self.data(300)
        files = []
        for seed in (1, 2):
            files.append(self.path(f"w{seed}.npz"))
            run("minimize", "mlp:30-8-4:tanh", "--data", data, "--seed", seed, "--max-iterations",
                3, "--out", files[-1])
        line = self.json("landscape", "mlp:30-8-4:tanh", "--data", data, "--weights", files[0],
                         "--to", files[1], "--range", "0:1", "--points", "3")["landscape"]
        for place, file in ((0, files[0]), (2, files[1])):
            here = self.json("derive", "mlp:30-8-4:tanh", "--data", data, "--weights", file,
                             "--value")
            self.close(line["value"][place], here["value"], 1e-6)

    def test_given_direction(self):
        v = self.save("v.npy", [0.0, 2.0])
        result = self.json("landscape", "x^2 + y^2", "--at", "x=1,y=0", "--along", v, "--points", 3)
        self.close(result["landscape"]["value"], [5, 1, 5])

    def test_shapes_of_textbooks(self):
        for text, shape in (("x^2 + 3*y^2", "bowl"), ("-x^2 - y^2", "dome"), ("x^2 + 0*y", "trough"),
                            ("x^2 - y^2", "saddle")):
            result = self.json("landscape", text, "--at", "x=0,y=0")["landscape"]
            self.assertEqual(result["shape"], shape)
            t, u = result["axes"][0]["t"], result["axes"][1]["t"]
            self.assertEqual((len(t), len(u), len(result["value"])), (51, 51, 51))
            expected = [[eval(text.replace("^", "**"), {}, {"x": x, "y": y}) for x in t] for y in u]
            self.close(result["value"], expected)

    def test_pictures_are_files_and_the_plot_is_text(self):
        result = run("landscape", "x^2 - y^2", "--at", "x=0,y=0", "--svg", self.path("svg"), "--plot")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(sorted(os.listdir(self.path("svg"))),
                         ["landscape-surface.svg", "landscape.svg"])
        self.assertTrue(all(len(line) <= 80 for line in result.stdout.splitlines()))

    def test_refusals_are_one_line(self):
        for arguments, words in (
                (["--along", "nonsense"], "is no direction"),
                (["--along", "top,top,top"], "one or two"),
                (["--range", "1:0"], "--range"),
                (["--range", "nonsense"], "--range"),
                (["--points", "1"], "--points"),
                (["--to", "x=0,y=0"], "same point"),
                (["--to", "x=1"], "no value for parameter y"),
                (["--to", "x=1,y=1,z=2"], "no parameter z"),
                (["--resume"], "--checkpoint"),
                (["--plot", "--json", "-"], "--plot"),
                (["--svg", "/proc/nowhere"], "--svg"),
                (["--along", "gradient"], "gradient is zero")):
            result = run("landscape", "x^2 + y^2", "--at", "x=0,y=0", *arguments)
            self.assertEqual(result.returncode, 2, (arguments, result.stderr))
            self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
            self.assertIn(words, result.stderr)
            self.assertEqual(result.stdout, "")


if __name__ == "__main__":
    main()
