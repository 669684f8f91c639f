"""The Hessian of ADBench's Gaussian mixture by JAX: gmm_problem.py says what is printed.

    pip install --target build/peers/jax jax
    PYTHONPATH=build/peers/jax taskset -c 0 python3 bench/gmm_jax.py FILE [FORM...]

Forms: `all`, jax.hessian; `N`, the gradient linearised once and applied to N unit vectors at a time;
`component-N`, the same for the variables of one component only, so that tangents touch nothing else,
with components in turn put first. That f is symmetric in them is a help by hand.
"""
import os
import time

os.environ.setdefault(
    "XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1")

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import logsumexp

import gmm_problem

jax.config.update("jax_enable_x64", True)


def objective(p, parts):
    """f of components in arrays (c, 1 + d + width), any number behind each other."""
    d = p.d
    rows, columns = np.tril_indices(d)
    places = p.factor_places()[rows, columns]

    def log_likelihoods(part):
        alpha, mu, q = part[:, 0], part[:, 1:1 + d], part[:, 1 + d:1 + 2 * d]
        entries = jnp.concatenate([jnp.exp(q), part[:, 1 + 2 * d:]], 1)[:, places]
        count = len(part)
        factor = jnp.zeros((count, d, d)).at[:, rows, columns].set(entries)
        scaled = (factor.reshape(count * d, d) @ p.points.T).reshape(count, d, p.n)
        centred = scaled - jnp.einsum("kij,kj->ki", factor, mu)[:, :, None]
        return (alpha + q.sum(1))[:, None] - 0.5 * jnp.sum(centred ** 2, 1)

    def prior(part):
        q, l = part[:, 1 + d:1 + 2 * d], part[:, 1 + 2 * d:]
        return p.gamma ** 2 / 2 * (jnp.sum(jnp.exp(2 * q)) + jnp.sum(l ** 2)) - p.m * jnp.sum(q)

    terms = jnp.concatenate([log_likelihoods(part) for part in parts])
    weights = jnp.concatenate([part[:, 0] for part in parts])
    return (jnp.sum(logsumexp(terms, axis=0)) - p.n * logsumexp(weights) +
            sum(prior(part) for part in parts) + p.constant())


def rows_of(linear, size, block):
    unit = jnp.eye(size)
    return jax.lax.map(linear, unit) if block == 1 else jax.lax.map(linear, unit, batch_size=block)


def whole(p, block):
    places = p.component_places()

    def value(x):
        return objective(p, [x[places]])

    def hessian(x):
        if block is None:
            return value(x), jax.hessian(value)(x)
        _, linear = jax.linearize(jax.grad(value), x)
        return value(x), rows_of(linear, len(x), block)
    return hessian


def by_component(p, block):
    places = p.component_places()
    size = places.shape[1]

    def hessian(x):
        components = x[places]

        def rows_of_component(c):
            first, *others = jnp.split(jnp.roll(components, -c, axis=0), [1])
            gradient = jax.grad(lambda a, b: objective(p, [a, b]), argnums=(0, 1))
            _, linear = jax.linearize(lambda a: gradient(a[None], others[0]), first[0])
            own, coupled = rows_of(linear, size, block)
            return jnp.roll(jnp.concatenate([own, coupled], 1), c, axis=1)
        rows = jax.lax.map(rows_of_component, jnp.arange(p.k))  # k x size x k x size
        return objective(p, [components]), rows.reshape(len(x), len(x))
    return hessian


def main():
    race = gmm_problem.Race("JAX")
    p = race.problem
    order = np.argsort(p.component_places().ravel())  # from components to x
    for form in race.arguments.forms or ["1", "component-6"]:
        help_by_hand = form.startswith("component-")
        block = None if form == "all" else int(form.removeprefix("component-"))
        start = time.time()
        hessian = jax.jit((by_component if help_by_hand else whole)(p, block))
        hessian = hessian.lower(p.x).compile()
        setup = time.time() - start
        x = jnp.asarray(p.x)

        def result(outputs):
            value, h = (np.asarray(output) for output in outputs)
            return value, h[np.ix_(order, order)] if help_by_hand else h
        race.time(form, setup, lambda: jax.block_until_ready(hessian(x)), result)


main()
