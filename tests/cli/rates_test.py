"""The learning-rate limit of the report, held against gradient descent run at it."""
from support import CliTest, main, np


class Limits(CliTest):
    def check_limit(self, function, gradient, start, arguments, steps):
        """Just below the limit the iterates settle, just above they run away."""
        limit = self.json("analyze", *arguments)["learning_rate"]["stability_limit"]
        for factor, settles in [(0.99, True), (1.01, False)]:
            w = np.array(start, float)
            for _ in range(steps):
                w = w - factor * limit * gradient(w)
            ratio = function(w) / function(np.array(start, float))
            self.assertEqual(ratio < 1, settles, f"at {factor} of the limit: {ratio}")
        return limit

    def test_quadratic_with_known_spectrum(self):
        random = np.random.default_rng(0)
        q = np.linalg.qr(random.normal(size=(6, 6)))[0]
        spectrum = np.array([0.1, 0.5, 1, 2, 10, 40])
        A = q @ np.diag(spectrum) @ q.T
        arguments = ["0.5*x@A@x", "--at", "x=1*6", "--const", "A=" + self.save("A.npy", A)]
        limit = self.check_limit(lambda w: w @ A @ w, lambda w: A @ w, np.ones(6), arguments, 2000)
        self.close(limit, 2 / 40)

        # The same by the program's own descent.
        for factor, statuses in [(0.99, {"converged"}), (1.01, {"diverged"})]:
            code = 0 if "converged" in statuses else 1
            m = self.json("minimize", *arguments, "--method", "gd", "--learning-rate",
                          repr(factor * limit), "--max-iterations", 20000, code=code)
            self.assertIn(m["status"], statuses)

    def test_steps_to_divergence_are_kept(self):
        a = self.json("analyze", "0.5*x^2 + 2*y^2", "--at", "x=1,y=1", "--learning-rate", 0.6)
        given = a["learning_rate"]["given"]
        self.assertFalse(given["stable"])
        y, count = 1.0, 0
        while abs(y) < 10:
            y, count = (1 - 0.6 * 4) * y, count + 1
        self.assertEqual(given["steps_to_divergence"], count)

    def test_logistic_regression_at_its_minimum(self):
        random = np.random.default_rng(3)
        x = random.normal(size=(200, 3)) * [1, 5, 20]
        y = (x @ [1, 0.3, -0.1] + random.normal(size=200) > 0).astype(np.int64)
        np.savez(self.path("d.npz"), x=x, y=y)
        base = ["mlp:3-2", "--data", self.path("d.npz"), "--l2", "0.01", "--dtype", "f64"]
        weights = self.path("w.npz")
        self.json("minimize", *base, "--out", weights, "--gradient-tolerance", 1e-9)
        limit = self.json("analyze", *base, "--weights", weights)["learning_rate"]["stability_limit"]
        # Pushed off the minimum a little, where the quadratic model holds.
        near = {name: value + 1e-6 * random.normal(size=value.shape)
                for name, value in np.load(weights).items()}
        np.savez(self.path("near.npz"), **near)
        start = self.json("analyze", *base, "--weights", self.path("near.npz"))["gradient"]["norm_2"]
        for factor, settles in [(0.98, True), (1.02, False)]:
            self.json("minimize", *base, "--weights", self.path("near.npz"), "--method", "gd",
                      "--learning-rate", repr(factor * limit), "--max-iterations", 300,
                      "--gradient-tolerance", 1e-30, "--out", self.path("end.npz"), code=1)
            end = self.descend(x, y, near, factor * limit, 300)
            self.assertEqual(end < start, settles, f"at {factor} of the limit")

    def descend(self, x, y, start, rate, steps):
        """Gradient norm after gradient descent written out in NumPy."""
        W, b = start["layers.0.weight"].copy(), start["layers.0.bias"].copy()
        for _ in range(steps + 1):
            z = x @ W.T + b
            p = np.exp(z - z.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            p[np.arange(len(y)), y] -= 1
            dW, db = p.T @ x / len(y) + 0.01 * W, p.mean(axis=0) + 0.01 * b
            norm = np.sqrt((dW**2).sum() + (db**2).sum())
            W, b = W - rate * dW, b - rate * db
        return norm


if __name__ == "__main__":
    main()
