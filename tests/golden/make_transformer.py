"""Writes networks/transformer*.npz and networks/transformers.json: small transformer encoders by
PyTorch's own torch.nn.TransformerEncoderLayer in double.

    python3 make_transformer.py

Arrays as make_networks.py describes them, parameters under Kappa's names. No fast path of PyTorch
takes part: the layers run in training mode with dropout 0.
"""
import json
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch.autograd.functional import hessian as dense_hessian, jacobian as dense_jacobian
from torch.nn.utils.stateless import functional_call

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "bench"))
from torch_transformer import Encoder  # noqa: E402

FOLDER = os.path.join(HERE, "networks")
NUM_DIRECTIONS = 3


def representable(array):
    return np.asarray(array, dtype=np.float32).astype(np.float64)


def case(name, tokens, features, width, heads, layers, feed_forward, outputs, activation,
         num_samples, seed, batch=None):
    rng = np.random.default_rng(seed)
    model = Encoder(tokens, features, width, heads, layers, outputs, activation, feed_forward)
    shapes = {key: tuple(p.shape) for key, p in model.named_parameters()}
    values = []
    for key, shape in shapes.items():
        bound = 1.5 / np.sqrt(shape[-1] if len(shape) > 1 else width)
        gain = 1.0 if "norm" in key and key.endswith("weight") else 0.0
        values.append(representable(gain + rng.uniform(-bound, bound, shape)).ravel())
    w = torch.tensor(np.concatenate(values))
    x = torch.tensor(representable(rng.normal(size=(num_samples, tokens * features))))
    y = torch.tensor(rng.integers(0, outputs, num_samples))
    v = torch.tensor(representable(rng.normal(size=(NUM_DIRECTIONS, w.numel()))))

    def parameters(w):
        start, result = 0, {}
        for key, shape in shapes.items():
            size = int(np.prod(shape))
            result[key] = w[start:start + size].view(shape)
            start += size
        return result

    def outputs_of(w):
        return functional_call(model, parameters(w), x)

    leaf = w.clone().requires_grad_()
    z = outputs_of(leaf)
    value = F.cross_entropy(z, y)
    gradient, = torch.autograd.grad(value, leaf)
    hessian = dense_hessian(lambda w: F.cross_entropy(outputs_of(w), y), w)
    assert (hessian - hessian.T).abs().max() < 1e-12 * hessian.abs().max()
    jacobian = dense_jacobian(outputs_of, w).reshape(-1, w.numel())
    loss_hessian = dense_hessian(lambda z: F.cross_entropy(z, y), z.detach())
    gauss_newton = jacobian.T @ loss_hessian.reshape(z.numel(), z.numel()) @ jacobian
    np.savez(
        os.path.join(FOLDER, name + ".npz"), x=x.numpy(), y=y.numpy(),
        **{key: p.numpy() for key, p in parameters(w).items()}, directions=v.numpy(),
        outputs=z.detach().numpy(), value=np.array(value.item()), gradient=gradient.numpy(),
        hessian_products=(v @ hessian).numpy(), gauss_newton_products=(v @ gauss_newton).numpy(),
        hessian_eigenvalues=torch.linalg.eigvalsh(hessian).numpy(),
        gauss_newton_eigenvalues=torch.linalg.eigvalsh(gauss_newton).numpy())
    text = (f"transformer:{tokens}x{features}-d{width}-h{heads}-l{layers}-f{feed_forward}-{outputs}"
            f":{activation}")
    return {"name": name, "file": name + ".npz", "model": text, "loss": "cross-entropy", "l2": 0.0,
            "num_samples": num_samples, "batch": batch, "num_parameters": w.numel()}


def main():
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    records = [
        case("transformer-gelu", 5, 3, 4, 2, 2, 6, 3, "gelu", 9, seed=21),
        case("transformer-relu-ragged", 4, 2, 6, 3, 1, 5, 3, "relu", 7, seed=22, batch=3),
    ]
    with open(os.path.join(FOLDER, "transformers.json"), "w") as file:
        file.write("[\n" + ",\n".join(map(json.dumps, records)) + "\n]\n")


if __name__ == "__main__":
    main()
