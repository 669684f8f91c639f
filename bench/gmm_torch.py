"""The Hessian of ADBench's Gaussian mixture by PyTorch: gmm_problem.py says what is printed.

    taskset -c 0 /usr/bin/python3 bench/gmm_torch.py FILE [FORM...]

Forms: `N`, the gradient's graph made once and its backward for N unit vectors at a time (what
torch.autograd.functional.hessian does, with vectorize for N > 1). Where n > 100, the first 16 columns
are computed and the time multiplied.
"""
import os

os.environ["OMP_NUM_THREADS"] = "1"

import torch

import gmm_problem

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)


def objective(p, x, points, places):
    """points d x n; places as Problem.factor_places, flat."""
    d, k = p.d, p.k
    alpha, mu, icf = x[:k], x[k:k + k * d].reshape(k, d, 1), x[k + k * d:].reshape(k, p.width)
    q, l = icf[:, :d], icf[:, d:]
    factor = torch.cat([q.exp(), l, torch.zeros(k, 1)], 1)[:, places].reshape(k, d, d)
    scaled = (factor.reshape(k * d, d) @ points).reshape(k, d, p.n) - factor @ mu
    terms = (alpha + q.sum(1))[:, None] - 0.5 * scaled.square().sum(1)
    prior = p.gamma ** 2 / 2 * (q.exp().square().sum() + l.square().sum()) - p.m * q.sum()
    return (torch.logsumexp(terms, 0).sum() - p.n * torch.logsumexp(alpha, 0) + prior +
            p.constant())


def main():
    race = gmm_problem.Race("PyTorch")
    p = race.problem
    points = torch.tensor(p.points).T.contiguous()
    places = torch.tensor(p.factor_places().ravel())
    x = torch.tensor(p.x, requires_grad=True)
    columns = len(p.x) if len(p.x) <= 100 else 16
    unit = torch.eye(len(p.x))[:columns]

    def hessian(block):
        value = objective(p, x, points, places)
        gradient, = torch.autograd.grad(value, x, create_graph=True)

        def products(v):
            return torch.autograd.grad(gradient, x, v if block > 1 else v[0], retain_graph=True,
                                       is_grads_batched=block > 1)[0].reshape(len(v), -1)
        return value.detach(), torch.cat([products(v) for v in unit.split(block)])

    def result(outputs):
        return outputs[0], outputs[1].numpy().T
    for form in race.arguments.forms or ["1", "8"]:
        race.time(form, 0, lambda: hessian(int(form)), result, columns / len(p.x))


main()
