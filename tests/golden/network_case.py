"""One classifier with everything PyTorch knows of its loss, in double precision, for make_cnn.py and
make_transformer.py."""
import os

import numpy as np
import torch
import torch.nn.functional as F
from torch.autograd.functional import hessian as dense_hessian, jacobian as dense_jacobian

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "networks")
NUM_DIRECTIONS = 3


def representable(array):
    return np.asarray(array, dtype=np.float32).astype(np.float64)


def split(w, shapes):
    start, result = 0, {}
    for key, shape in shapes.items():
        size = int(np.prod(shape))
        result[key] = w[start:start + size].view(shape)
        start += size
    return result


def write_case(name, text, shapes, initial, outputs, num_features, num_samples, classes, seed,
               batch):
    """`initial(rng, name, shape)` gives a parameter, `outputs(parameters, x)` the logits. Returns the
    record that the tests read."""
    rng = np.random.default_rng(seed)
    w = torch.tensor(np.concatenate(
        [representable(initial(rng, key, shape)).ravel() for key, shape in shapes.items()]))
    x = torch.tensor(representable(rng.normal(size=(num_samples, num_features))))
    y = torch.tensor(rng.integers(0, classes, num_samples))
    v = torch.tensor(representable(rng.normal(size=(NUM_DIRECTIONS, w.numel()))))

    def logits(w):
        return outputs(split(w, shapes), x)

    leaf = w.clone().requires_grad_()
    z = logits(leaf)
    value = F.cross_entropy(z, y)
    gradient, = torch.autograd.grad(value, leaf)
    hessian = dense_hessian(lambda w: F.cross_entropy(logits(w), y), w)
    assert (hessian - hessian.T).abs().max() < 1e-12 * hessian.abs().max()
    jacobian = dense_jacobian(logits, w).reshape(-1, w.numel())
    loss_hessian = dense_hessian(lambda z: F.cross_entropy(z, y), z.detach())
    gauss_newton = jacobian.T @ loss_hessian.reshape(z.numel(), z.numel()) @ jacobian
    np.savez(
        os.path.join(FOLDER, name + ".npz"), x=x.numpy(), y=y.numpy(),
        **{key: p.numpy() for key, p in split(w, shapes).items()}, directions=v.numpy(),
        outputs=z.detach().numpy(), value=np.array(value.item()), gradient=gradient.numpy(),
        hessian_products=(v @ hessian).numpy(), gauss_newton_products=(v @ gauss_newton).numpy(),
        hessian_eigenvalues=torch.linalg.eigvalsh(hessian).numpy(),
        gauss_newton_eigenvalues=torch.linalg.eigvalsh(gauss_newton).numpy())
    return {"name": name, "file": name + ".npz", "model": text, "loss": "cross-entropy", "l2": 0.0,
            "num_samples": num_samples, "batch": batch, "num_parameters": w.numel()}
