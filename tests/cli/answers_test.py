"""Answers of the program against closed forms."""
import json
import math

from support import CliTest, main, np, run

ROSENBROCK = "100*(y - x^2)^2 + (1 - x)^2"


class Formulas(CliTest):
    def test_rosenbrock_at_its_classical_start(self):
        a = self.json("analyze", ROSENBROCK, "--at", "x=-1.2,y=1", "--learning-rate", "0.05")
        hessian = np.array([[1330.0, 480.0], [480.0, 200.0]])
        root = math.sqrt((1330 - 200) ** 2 / 4 + 480**2)
        low, high = 765 - root, 765 + root
        g = np.array([-215.6, -88.0])
        self.close(a["value"], 24.2)
        self.close(a["gradient"]["vector"], g)
        self.close(a["gradient"]["norm_inf"], 215.6)
        self.close(a["hessian"], hessian)
        self.close(a["eigenvalues"]["all"], [low, high])
        self.close(a["condition"]["number"], high / low)
        self.assertEqual(a["shape"], "bowl")
        self.assertEqual(a["critical_point"]["kind"], "not_critical")
        rate = a["learning_rate"]
        self.close(rate["stability_limit"], 2 / high)
        self.close(rate["fastest_fixed"], 2 / (low + high))
        self.close(rate["gradient_descent_rate"], (high - low) / (high + low))
        self.close(rate["steepest_descent_step"], g @ g / (g @ hessian @ g))
        self.close(rate["momentum"]["learning_rate"], (2 / (low**0.5 + high**0.5)) ** 2)
        root_kappa = math.sqrt(high / low)
        self.close(rate["momentum"]["momentum"], ((root_kappa - 1) / (root_kappa + 1)) ** 2)
        self.close([d["contraction"] for d in rate["directions"]],
                   [abs(1 - 0.05 * high), abs(1 - 0.05 * low)])
        self.assertFalse(rate["given"]["stable"])
        step = -np.linalg.solve(hessian, g)
        self.close(a["model"]["newton_step"], step, 1e-11)
        self.close(a["model"]["newton_decrement"], math.sqrt(-g @ step), 1e-11)
        x, y = -1.2 + step[0], 1 + step[1]
        self.close(a["model"]["actual_decrease"],
                   24.2 - (100 * (y - x * x) ** 2 + (1 - x) ** 2), 1e-11)

    def test_kinds_of_points(self):
        for formula, at, kind, shape in [
                ("-x + y^2", "x=0,y=0", "not_critical", "trough"),
                ("x^2 - y^2", "x=0,y=0", "saddle", "saddle"),
                ("x^2", "x=0,y=3", "degenerate", "trough"),
                ("x^4 + y^4", "x=0,y=0", "degenerate", "flat"),
                ("-x^2 - y^2", "x=0,y=0", "maximum", "dome"),
                ("x^2 + y^2", "x=0,y=0", "minimum", "bowl"),
                ("-x^2 + 0*y", "x=0,y=0", "degenerate", "ridge")]:
            with self.subTest(formula):
                a = self.json("analyze", formula, "--at", at)
                self.assertEqual(a["critical_point"]["kind"], kind)
                self.assertEqual(a["shape"], shape)

    def test_an_inconclusive_test_is_said_so(self):
        text = run("analyze", "x^4 + y^4", "--at", "x=0,y=0").stdout
        self.assertIn("inconclusive", text)

    def test_no_steepest_descent_step_where_the_gradient_curves_down(self):
        a = self.json("analyze", "x^2 - y^2", "--at", "x=0,y=1")
        self.assertIsNone(a["learning_rate"]["steepest_descent_step"])
        self.assertTrue(any("along the gradient" in w for w in a["warnings"]))

    def test_vector_of_formulas(self):
        a = self.json("analyze", "(x + 1, x*y, x - z)", "--at", "x=1,y=2,z=3")
        jacobian = np.array([[1.0, 0, 0], [2, 1, 0], [1, 0, -1]])
        self.close(a["jacobian"], jacobian)
        self.close(a["singular_values"], np.linalg.svd(jacobian)[1])
        self.assertNotIn("hessian", a)
        self.assertNotIn("eigenvalues", a)

    def test_quadratic_of_a_non_symmetric_matrix(self):
        A = np.array([[2.0, 1, 0], [-3, 5, 1], [0.5, 0, 4]])
        b = np.array([1.0, -2, 3])
        a = self.json("analyze", "0.5*x@A@x - b@x", "--at", "x=[1,2,3]", "--const",
                      "A=" + self.save("A.npy", A), "--const", "b=" + self.save("b.npy", b))
        self.close(a["hessian"], (A + A.T) / 2)
        self.close(a["gradient"]["vector"], (A + A.T) / 2 @ [1, 2, 3] - b)

    def test_singular_quadratic_has_a_null_space_and_no_single_minimiser(self):
        A = np.outer([1, 2, 2], [1, 2, 2]) + np.outer([0, 1, -1], [0, 1, -1])
        arguments = ["analyze", "0.5*x@A@x", "--at", "x=[1,0,0]", "--const",
                     "A=" + self.save("A.npy", A.astype(float))]
        a = self.json(*arguments)
        self.close(a["eigenvalues"]["all"][1:], [2, 9])
        self.assertEqual(a["condition"]["null_dimension"], 1)
        self.assertEqual(a["shape"], "trough")
        self.assertIn("no single minimiser", run(*arguments).stdout)

    def test_points_in_every_form(self):
        np.savez(self.path("start.npz"), x=np.array([1.0, 2.0]), y=3.0)
        matrix = "[[1,2],[3,4]]"
        for formula, at, value in [
                ("sum(x)", "x=0.5*1000", 500), ("x + y", "x=1/3,y=2*pi", 1 / 3 + 2 * math.pi),
                ("sum(x) + y", self.path("start.npz"), 6), ("sum(X[1,:])", "X=" + matrix, 7),
                ("sum(x)", "x=@" + self.save("v.npy", [1.0, 2.5]), 3.5),
                ("-x", "x=-1e-3", 1e-3), ("-x*y", "x=2,y=3", -6)]:
            with self.subTest(formula + " " + at):
                self.close(self.json("analyze", formula, "--at", at)["value"], value)

    def test_sums_of_different_lengths_add_up(self):
        a = self.json("analyze", "sum(x^2) + sum(x[1:]^3) + sum(y)", "--at", "x=0.5*5,y=2*4")
        self.close(a["value"], 5 * 0.25 + 4 * 0.125 + 8)

    def test_rows_of_a_table(self):
        with open(self.path("t.csv"), "w") as file:
            file.write("x,y\n1,2\n2,3\n3,5\n4,4\n")
        x, y = np.array([1.0, 2, 3, 4]), np.array([2.0, 3, 5, 4])
        for reduce, scale in [("mean", 0.25), ("sum", 1.0)]:
            a = self.json("analyze", "(y - a - b*x)^2", "--data", self.path("t.csv"), "--at",
                          "a=0,b=1", "--reduce", reduce)
            r = y - x
            self.close(a["value"], scale * r @ r)
            self.close(a["hessian"],
                       2 * scale * np.array([[4, x.sum()], [x.sum(), x @ x]]))

    def test_large_problem_takes_products_only(self):
        n = 2000
        d = np.concatenate([np.linspace(1, 2, n - 3), [5.0, 10.0, 20.0]])
        a = self.json("analyze", "0.5*sum(d*x^2)", "--at", f"x=1*{n}", "--const",
                      "d=" + self.save("d.npy", d), "--top", 3, "--bottom", 1, "--tolerance", 1e-6,
                      "--trace")
        self.assertNotIn("hessian", a)
        self.close([e["value"] for e in a["eigenvalues"]["top"]], [20, 10, 5], 1e-9)
        self.close(a["eigenvalues"]["bottom"][0]["value"], 1, 1e-6)
        self.assertLess(abs(a["trace"]["value"] - d.sum()), 0.03 * d.sum())
        for pair in a["eigenvalues"]["top"]:
            self.assertTrue(pair["converged"])

    def test_direction(self):
        a = self.json("analyze", "x^2 + 3*y^2", "--at", "x=1,y=1", "--direction",
                      self.save("v.npy", [1.0, 1.0]))
        self.close(a["direction"]["curvature"], 4)
        self.close(sorted(a["direction"]["weights"]), [0.5, 0.5])

    def test_derivatives_in_files(self):
        at = ["x^2*sin(y)", "--at", "x=2,y=0.5", "--quiet"]
        s, c = math.sin(0.5), math.cos(0.5)
        run("derive", *at, "--gradient", self.path("g.npy"), "--hessian", self.path("h.npy"))
        self.close(np.load(self.path("g.npy")), [4 * s, 4 * c])
        hessian = np.array([[2 * s, 4 * c], [4 * c, -4 * s]])
        self.close(np.load(self.path("h.npy")), hessian)
        v = np.array([[1.0, 0], [0, 1], [2, -1]])
        run("derive", *at, "--hvp", self.save("v.npy", v), "--out", self.path("p.npy"))
        self.close(np.load(self.path("p.npy")), v @ hessian)
        self.assertEqual(run("derive", *at, "--value").stdout, f"{4 * s!r}\n")

    def test_sparse_hessian_reads_in_scipy(self):
        try:
            from scipy.sparse import load_npz
        except ImportError:
            self.skipTest("no SciPy")
        run("derive", "sum((x[1:] - x[:-1])^2)", "--at", "x=0*6", "--sparse-hessian",
            self.path("h.npz"))
        expected = 2 * (np.diag([1.0, 2, 2, 2, 2, 1]) - np.eye(6, k=1) - np.eye(6, k=-1))
        matrix = load_npz(self.path("h.npz"))
        self.close(matrix.toarray(), expected)
        self.assertEqual(matrix.nnz, 16)

    def test_printed_derivatives(self):
        text = run("derive", "x^2*y", "--at", "x=1,y=2", "--print").stdout
        lines = dict(line.split(" = ") for line in text.replace("  ", " ").splitlines())
        self.assertEqual({k.strip(): v.replace(" ", "") for k, v in lines.items()},
                         {"df/dx": "2*x*y", "df/dy": "x^2", "d2f/dx^2": "2*y",
                          "d2f/dx dy": "2*x", "d2f/dy^2": "0"})


class Networks(CliTest):
    def setUp(self):
        super().setUp()
        random = np.random.default_rng(1)
        self.x = random.normal(size=(60, 3))
        self.y = (self.x @ [1.0, -2, 0.5] > 0).astype(np.int64)
        np.savez(self.path("d.npz"), x=self.x, y=self.y)

    def test_linear_regression_in_closed_form(self):
        target = self.x @ np.array([[1.0], [2.0], [3.0]])
        np.savez(self.path("r.npz"), x=self.x, y=target)
        a = self.json("analyze", "mlp:3-1", "--data", self.path("r.npz"), "--loss", "mse",
                      "--dtype", "f64", "--l2", "0.1")
        design = np.hstack([self.x, np.ones((60, 1))])
        self.close(a["hessian"], 2 * design.T @ design / 60 + 0.1 * np.eye(4))

    def test_operators(self):
        base = ["analyze", "mlp:3-4-2:tanh", "--data", self.path("d.npz"), "--dtype", "f64"]
        ggn = self.json(*base, "--operator", "ggn")
        fisher = self.json(*base, "--operator", "fisher")
        self.assertEqual(ggn["ggn"], fisher["fisher"])
        self.assertGreater(ggn["eigenvalues"]["all"][0], -1e-12)
        blocks = self.json(*base, "--per-layer")["per_layer"]
        self.assertEqual([b["name"] for b in blocks],
                         ["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"])
        hessian = np.array(self.json(*base)["hessian"])
        offset = 0
        for block in blocks:
            size = block["num_parameters"]
            part = hessian[offset:offset + size, offset:offset + size]
            self.close(block["lambda_max"]["value"], np.linalg.eigvalsh(part)[-1], 1e-6)
            offset += size

    def test_threads_and_memory_change_no_bit(self):
        base = ["analyze", "mlp:3-4-2:tanh", "--data", self.path("d.npz"), "--batch", 7]
        one = self.json(*base, "--threads", 1)
        two = self.json(*base, "--threads", 2)
        self.assertEqual(one["hessian"], two["hessian"])
        self.assertEqual(one["value"], two["value"])

    def test_train_then_analyze(self):
        weights = self.path("w.npz")
        run_result = self.json("train", "mlp:3-2", "--data", self.path("d.npz"), "--l2", "0.01",
                               "--dtype", "f64", "--out", weights)
        self.assertEqual(run_result["status"], "converged")
        self.assertGreater(run_result["accuracy"], 0.9)
        a = self.json("analyze", "mlp:3-2", "--data", self.path("d.npz"), "--l2", "0.01", "--dtype",
                      "f64", "--weights", weights, "--gradient-tolerance", "1e-6")
        self.assertEqual(a["critical_point"]["kind"], "minimum")
        self.close(a["value"], run_result["value"])
        self.assertEqual(set(np.load(weights).files), {"layers.0.weight", "layers.0.bias"})


class Minimize(CliTest):
    def test_rosenbrock(self):
        m = self.json("minimize", ROSENBROCK, "--at", "x=-1.2,y=1")
        self.assertEqual(m["status"], "converged")
        self.close([m["parameters"]["x"], m["parameters"]["y"]], [1, 1], 1e-7)
        self.assertEqual(m["critical_point"]["kind"], "minimum")
        self.assertEqual(m["iterations"][0]["iteration"], 0)
        self.close(m["start_value"], 24.2)

    def test_limits_are_exit_code_1_with_a_result(self):
        m = self.json("minimize", ROSENBROCK, "--at", "x=-1.2,y=1", "--method", "gd",
                      "--max-iterations", 3, code=1)
        self.assertEqual(m["status"], "max_iterations")
        self.assertEqual(m["reason"]["criterion"], "max_iterations")

    def test_compare(self):
        c = self.json("compare", ROSENBROCK, "--at", "x=-1.2,y=1", "--methods",
                      "lbfgs,newton-cg,trust-region")
        self.assertEqual([r["method"] for r in c["runs"]], ["lbfgs", "newton-cg", "trust-region"])
        for r in c["runs"]:
            self.assertLess(r["value"], 1e-10)

    def test_standard_errors_of_a_line(self):
        with open(self.path("t.csv"), "w") as file:
            file.write("x,y\n1,2\n2,3\n3,5\n4,4\n")
        m = self.json("minimize", "(y - a - b*x)^2", "--data", self.path("t.csv"), "--at",
                      "a=0,b=0", "--reduce", "sum", "--standard-errors")
        design = np.array([[1.0, 1], [1, 2], [1, 3], [1, 4]])
        y = np.array([2.0, 3, 5, 4])
        fit, rss, *_ = np.linalg.lstsq(design, y, rcond=None)
        covariance = rss[0] / 2 * np.linalg.inv(design.T @ design)
        self.close([m["parameters"]["a"], m["parameters"]["b"]], fit, 1e-8)
        self.close(m["residual_sum_of_squares"], rss[0], 1e-8)
        self.close([m["standard_errors"]["a"], m["standard_errors"]["b"]],
                   np.sqrt(np.diag(covariance)), 1e-8)


class Info(CliTest):
    def test_parameters_and_cost(self):
        np.savez(self.path("d.npz"), x=np.zeros((5, 3)), y=np.zeros(5, np.int64))
        i = self.json("info", "mlp:3-4-2:tanh", "--data", self.path("d.npz"))
        self.assertEqual(i["objective"]["num_parameters"], 26)
        self.assertEqual(i["parameters"][0], {"name": "layers.0.weight", "shape": [4, 3],
                                              "varies": True})


if __name__ == "__main__":
    main()
