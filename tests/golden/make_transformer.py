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
from torch.nn.utils.stateless import functional_call

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "bench"))
from network_case import FOLDER, write_case  # noqa: E402
from torch_transformer import Encoder  # noqa: E402


def case(name, tokens, features, width, heads, layers, feed_forward, outputs, activation,
         num_samples, seed, batch=None):
    model = Encoder(tokens, features, width, heads, layers, outputs, activation, feed_forward)
    shapes = {key: tuple(p.shape) for key, p in model.named_parameters()}

    def initial(rng, key, shape):
        bound = 1.5 / np.sqrt(shape[-1] if len(shape) > 1 else width)
        gain = 1.0 if "norm" in key and key.endswith("weight") else 0.0
        return gain + rng.uniform(-bound, bound, shape)

    text = (f"transformer:{tokens}x{features}-d{width}-h{heads}-l{layers}-f{feed_forward}-{outputs}"
            f":{activation}")
    return write_case(name, text, shapes, initial, lambda p, x: functional_call(model, p, x),
                      tokens * features, num_samples, outputs, seed, batch)


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
