#!/usr/bin/env python3
"""Outputs of the models in $KAPPA_TEST_DATA/onnx-models by ONNX Runtime, for tests/onnx/models_test.cpp.

    python3 tests/golden/make_onnx.py            # writes tests/golden/onnx_models.npz

Made with onnxruntime 1.31.1 and numpy (versions are printed); CPU, one thread, no graph optimisation.
Arrays: `MODEL.inK`, uint8 for u / 256, int64 as they are; `MODEL.outK` float32, of large outputs the
elements 0, s, 2 s, ... with s = `MODEL.strideK`. An output that is a list of maps is an array.
tf2onnx-mnist-softmax is not among them: ONNX Runtime has no Add of opset 4.
"""
import os
import sys

import numpy as np
import onnxruntime as ort

LARGEST = 1500  # elements kept of an output
TOKENS = 7
IDS = {"tinybert": 1000, "vespa-dummy-transformer": 16, "vespa-dummy-transformer-mlm": 30000,
       "vespa-random-t5-encoder": 32}
SKIPPED = {"tf2onnx-mnist-softmax", "super-resolution-10"}  # the second has a stored test vector


def extent(model, input_name, i, given):
    if isinstance(given, int):
        return given
    if model.startswith("silero"):
        return 576 if given == "sequence" else 1
    if given in ("sequence", "tokens"):
        return TOKENS
    return 1 if model == "marabou-fc2" else 2  # that one flattens its batch away


def make_input(model, info, rng):
    shape = [extent(model, info.name, i, d) for i, d in enumerate(info.shape)]
    if info.name == "sr":
        return np.array(16000, np.int64)
    if info.type == "tensor(int64)":
        if "mask" in info.name:
            mask = np.ones(shape, np.int64)
            mask[-1, -2:] = 0
            return mask
        high = 2 if "type" in info.name else IDS[model]
        return rng.integers(0, high, shape)
    return rng.integers(0, 256, shape, dtype=np.uint8)


def main():
    folder = os.path.join(os.environ.get("KAPPA_TEST_DATA", "/work/shared/data"), "onnx-models")
    arrays = {}
    ort.set_default_logger_severity(3)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    for file in sorted(os.listdir(folder)):
        model, ending = os.path.splitext(file)
        if ending != ".onnx" or model in SKIPPED:
            continue
        session = ort.InferenceSession(os.path.join(folder, file), options)
        rng = np.random.default_rng(len(arrays))
        feeds = {}
        for k, info in enumerate(session.get_inputs()):
            value = make_input(model, info, rng)
            arrays[f"{model}.in{k}"] = value
            feeds[info.name] = (value / np.float32(256)).astype(np.float32) if value.dtype == np.uint8 else value
        for k, value in enumerate(session.run(None, feeds)):
            if isinstance(value, list):
                value = np.array([[row[key] for key in sorted(row)] for row in value], np.float32)
            stride = max(1, -(-value.size // LARGEST))
            if stride > 1 and stride % 2 == 0:
                stride += 1  # so that every axis is met at different places
            arrays[f"{model}.out{k}"] = value if stride == 1 else value.ravel()[::stride]
            if stride > 1:
                arrays[f"{model}.stride{k}"] = np.array(stride)
        print(model, {i.name: feeds[i.name].shape for i in session.get_inputs()})
    out = os.path.join(os.path.dirname(os.path.abspath(__file__)), "onnx_models.npz")
    np.savez_compressed(out, **arrays)
    print(f"{out}: {os.path.getsize(out)} bytes; onnxruntime {ort.__version__}, numpy {np.__version__}")


if __name__ == "__main__":
    sys.exit(main())
