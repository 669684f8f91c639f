"""Bad input: one line on standard error, exit code 2, nothing written."""
import gzip
import os
import unittest

from support import CliTest, main, np, run

F = "x^2 + y^2"
AT = ["--at", "x=1,y=2"]


class Errors(CliTest):
    def refused(self, *arguments, says=()):
        """`says`: what the one line must name."""
        before = sorted(os.listdir(self.folder))
        result = run(*arguments, cwd=self.folder)
        with self.subTest(" ".join(map(str, arguments))[:120]):
            self.assertEqual(result.returncode, 2, result.stdout + result.stderr)
            self.assertEqual(result.stdout, "")
            lines = result.stderr.splitlines()
            self.assertEqual(len(lines), 1, result.stderr)
            self.assertTrue(lines[0].startswith("kappa: "), lines[0])
            self.assertLess(len(lines[0]), 500)
            self.assertNotIn("internal error", lines[0])
            for word in [says] if isinstance(says, str) else says:
                self.assertIn(word, lines[0])
            self.assertEqual(sorted(os.listdir(self.folder)), before)

    def test_usage(self):
        self.refused("analize", F, *AT, says="did you mean 'analyze'")
        self.refused("analyze", says="no OBJECTIVE")
        self.refused("analyze", "", says="no OBJECTIVE")
        self.refused("analyze", F, *AT, "--tpo", "3", says="did you mean '--top'")
        self.refused("analyze", F, *AT, "--top", says="--top needs a value")
        self.refused("analyze", F, *AT, "--top", "--quiet", says="--top needs a value")
        self.refused("analyze", F, *AT, "--top", "three", says=["--top", "three"])
        self.refused("analyze", F, *AT, "--top", "-1", says=["--top", "-1"])
        self.refused("analyze", F, *AT, "--top", "0", "--bottom", "0", says="at least one")
        self.refused("analyze", F, *AT, "--dtype", "f16", says=["f16", "f32"])
        self.refused("analyze", F, *AT, "--quiet=yes", says="takes no value")
        self.refused("analyze", F, *AT, "--top", "3", "--top", "4", says="twice")
        self.refused("analyze", "x^2", "+", "y^2", says="quotes")
        self.refused("analyze", F, *AT, "--tolerance", "0", says="tolerance")
        self.refused("analyze", F, *AT, "--tolerance", "nan", says="--tolerance")
        self.refused("analyze", F, *AT, "--memory", "lots", says=["--memory", "lots"])
        self.refused("analyze", F, *AT, "--l2", "-1", says="--l2")
        self.refused("analyze", F, *AT, "--learning-rate", "-0.1", says="rate")
        self.refused("analyze", F, *AT, "--momentum", "0.9", says="--learning-rate")
        self.refused("analyze", F, *AT, "--loss", "mse", says="--loss")
        self.refused("analyze", F, *AT, "--loss", "mes", says="did you mean 'mse'")
        self.refused("analyze", "model.onnx", says="model.onnx")
        self.refused("derive", F, *AT, says="nothing to derive")
        self.refused("compare", F, *AT, says="--methods")

    def test_formulas(self):
        self.refused("analyze", "x +", "--at", "x=1", says="position")
        self.refused("analyze", "(x", "--at", "x=1", says="position")
        self.refused("analyze", "sine(x)", "--at", "x=1", says="sin")
        self.refused("analyze", "x + z", "--at", "x=1", says="z")
        self.refused("analyze", F, says="'x' and 'y' have no value")
        with open(self.path("t.csv"), "w") as file:
            file.write("a,b\n1,2\n")
        self.refused("analyze", "(c - p*b)^2", "--data", self.path("t.csv"), "--at", "p=1",
                     says=["c=VALUE", "columns are a, b"])
        self.refused("analyze", "x@y", "--at", "x=[1,2],y=[1,2,3]", says="position")
        self.refused("analyze", "x[5]", "--at", "x=[1,2]", says="position")
        self.refused("analyze", "sum(range(1e12))*x", "--at", "x=1")
        self.refused("analyze", "1 + 1", says="param")

    def test_points(self):
        self.refused("analyze", F, "--at", "x=1,y", says=["--at", "NAME=VALUE"])
        self.refused("analyze", F, "--at", "x=1,x=2", says="twice")
        self.refused("analyze", F, "--at", "x=one,y=2", says=["x", "one"])
        self.refused("analyze", F, "--at", "x=,y=2", says="x")
        self.refused("analyze", F, "--at", "x=nan,y=2", says="finite")
        self.refused("analyze", F, "--at", "x=1e999,y=2", says="x")
        self.refused("analyze", F, "--at", "x=[1,2],[3],y=2")
        self.refused("analyze", "sum(x)", "--at", "x=[[1,2],[3]]", says="length")
        self.refused("analyze", F, "--at", "missing.npz", says="missing.npz")
        self.refused("analyze", F, "--at", "x=@missing.npy,y=1", says="missing.npy")
        self.refused("analyze", "sum(x)", "--at", "x=1*1000000000000", says="entries")
        self.refused("analyze", F, *AT, "--params", "z*", says=["z*", "x, y"])
        self.refused("analyze", "a*x^2", "--at", "x=1", "--const", "a", says="--const")

    def test_files_of_vectors(self):
        self.refused("analyze", F, *AT, "--direction", self.save("v.npy", np.ones(3)),
                     says=["v.npy", "3"])
        self.refused("derive", F, *AT, "--hvp", self.path("v.npy"), "--out", "o.npy", says="(3,)")
        self.refused("derive", F, *AT, "--hvp", self.path("v.npy"), says="--out")
        self.refused("derive", F, *AT, "--gradient", "no/such/folder/g.npy", says="folder")
        self.refused("analyze", F, *AT, "--json", "no/such/folder/r.json", says="folder")
        self.refused("minimize", F, *AT, "--out", "p.txt", says=".npz")

    def test_vectors_refuse_scalar_questions(self):
        vector = ["(x, x*y)", *AT]
        self.refused("analyze", *vector, "--learning-rate", "0.1", says="Jacobian")
        self.refused("analyze", *vector, "--density", says="Jacobian")
        self.refused("minimize", *vector, says="minimize")
        self.refused("derive", *vector, "--hessian", "h.npy", says="--hessian")

    def test_operators_that_do_not_exist(self):
        self.refused("analyze", "sin(x)", "--at", "x=1", "--operator", "ggn", says="sum of squares")
        self.refused("analyze", "(x - 1)^2", "--at", "x=0", "--operator", "fisher", says="ggn")

    def test_networks(self):
        np.savez(self.path("d.npz"), x=np.ones((4, 3)), y=np.array([0, 1, 2, 5]))
        d = ["--data", self.path("d.npz")]
        self.refused("analyze", "mlp:3-2:tanh", says="--data")
        self.refused("analyze", "mlp:3-2:tahn", *d, says="tanh")
        self.refused("analyze", "mlp:3", *d)
        self.refused("analyze", "mlp:3-2", "--data", "fashion-mnst", says="'fashion-mnist'")
        self.refused("analyze", "mlp:3-2", *d, "--loss", "mse", says=["(1)", "(2)", "cross-entropy"])
        self.refused("analyze", "cnn:1x2x2-2:tanh", *d, says="multiply to 3")
        self.refused("analyze", "mlp:3-x-2:tanh", *d)
        self.refused("analyze", "mlp:4-2", *d, says=["4", "3"])
        self.refused("analyze", "mlp:3-2", *d, "--loss", "cross-entropy", says="label")
        self.refused("analyze", "mlp:3-6", *d, "--at", "x=1", says="--weights")
        self.refused("analyze", "mlp:3-6", *d, "--init", "xaver", says="xavier")
        self.refused("analyze", "mlp:3-6", *d, "--samples", "9", says=["9", "4"])
        self.refused("analyze", "mlp:3-6", *d, "--samples", "0", says="--samples")
        np.savez(self.path("w.npz"), **{"layers.0.weight": np.ones((3, 6))})
        self.refused("analyze", "mlp:3-6", *d, "--weights", self.path("w.npz"),
                     says=["layers.0.weight", "(6, 3)"])
        np.savez(self.path("w.npz"), **{"layer.0.weight": np.ones((6, 3))})
        self.refused("analyze", "mlp:3-6", *d, "--weights", self.path("w.npz"), says="layers.I")
        self.refused("analyze", "mlp:3-6", *d, "--memory", "1", says="--memory")
        self.refused("analyze", "mlp:1000000-1000000:tanh", *d)

    def test_damaged_data(self):
        x = np.ones((4, 3))
        np.savez(self.path("d.npz"), x=x, y=np.arange(4) % 2)
        self.save("x.npy", x)
        self.save("y.npy", np.arange(4) % 2)
        for name in ("d.npz", "x.npy"):
            with open(self.path(name), "rb") as file:
                whole = file.read()
            for cut in (0, 5, len(whole) // 2, len(whole) - 3):
                damaged = self.path("cut-" + name)
                with open(damaged, "wb") as file:
                    file.write(whole[:cut])
                data = damaged if name == "d.npz" else f"{damaged},{self.path('y.npy')}"
                self.refused("analyze", "mlp:3-2", "--data", data, says="cut-" + name)
        bad = x.copy()
        bad[2, 1] = np.nan
        np.savez(self.path("nan.npz"), x=bad, y=np.arange(4) % 2)
        self.refused("analyze", "mlp:3-2", "--data", self.path("nan.npz"), says=["2", "1"])
        np.savez(self.path("short.npz"), x=x, y=np.arange(3) % 2)
        self.refused("analyze", "mlp:3-2", "--data", self.path("short.npz"), says=["4", "3"])
        np.savez(self.path("empty.npz"), x=np.ones((0, 3)), y=np.ones(0, int))
        self.refused("analyze", "mlp:3-2", "--data", self.path("empty.npz"))
        header = np.lib.format.magic(1, 0) + (118).to_bytes(2, "little") + (
            "{'descr': '<f8', 'fortran_order': False, 'shape': (100000000000, 1000), }"
            .ljust(117) + "\n").encode()
        with open(self.path("huge.npy"), "wb") as file:
            file.write(header)
        self.refused("analyze", "mlp:3-2", "--data",
                     f"{self.path('huge.npy')},{self.path('y.npy')}", says="huge.npy")
        with gzip.open(self.path("t.csv.gz"), "wb") as file:
            file.write(b"a,b\n1,2\n" * 400)
        with open(self.path("t.csv.gz"), "rb") as file:
            whole = file.read()
        with open(self.path("t.csv.gz"), "wb") as file:
            file.write(whole[:-9])
        self.refused("analyze", "(a - p*b)^2", "--data", self.path("t.csv.gz"), "--at", "p=1",
                     says="t.csv.gz")
        with open(self.path("t.csv"), "w") as file:
            file.write("a,b\n1,2\n3,oops\n")
        self.refused("analyze", "(a - p*b)^2", "--data", self.path("t.csv"), "--at", "p=1",
                     says=["t.csv", "b"])
        self.refused("analyze", "mlp:1-1", "--data", self.path("t.csv"), "--target", "c", says="c")

    def test_methods(self):
        self.refused("minimize", F, *AT, "--method", "lbgfs", says="did you mean 'lbfgs'")
        self.refused("minimize", F, *AT, "--method", "sgd, lbgfs", says="did you mean 'lbfgs'")
        self.refused("minimize", F, *AT, "--method", "best", says="there are auto, adahessian")
        self.refused("compare", F, *AT, "--methods", "gd,newtn", says="did you mean 'newton'")
        self.refused("minimize", F, *AT, "--option", "rate", says="KEY=VALUE")
        self.refused("minimize", F, *AT, "--option", "learnig-rate=1", "--method", "gd",
                     says="did you mean 'learning-rate'")
        self.refused("minimize", F, *AT, "--option", "rho=1", "--method", "gd",
                     says="there are learning-rate")
        self.refused("minimize", F, *AT, "--option", "learning-rate=-1", "--method", "gd",
                     says="must be >= 0")
        self.refused("minimize", "sin(x)", "--at", "x=1", "--standard-errors", says="squares")
        self.refused("minimize", F, *AT, "--resume", says="--checkpoint")


class NotErrors(CliTest):
    def test_points_without_a_derivative_are_answers_of_code_1(self):
        for formula, at in [("log(x)", "x=-1"), ("1/x", "x=0"), ("sqrt(x)", "x=0")]:
            result = run("analyze", formula, "--at", at, "--json", "-")
            with self.subTest(formula):
                self.assertEqual(result.returncode, 1)
                self.assertIn("warning", result.stderr)


if __name__ == "__main__":
    main()
