#!/usr/bin/python3
"""Node tests of our own in the format of ONNX's, where the official ones are few: recurrent networks
with both directions, lengths, clipping, peepholes and other activations; the operators of ai.onnx.ml;
Loop; products of three arrays.

    /usr/bin/python3 tests/golden/make_onnx_nodes.py     # writes tests/golden/onnx/node/test_*

Models by the onnx package of Debian's Python, outputs by ONNX Runtime, which the `python3` of the PATH
holds (versions are printed). tests/onnx/node_tests_test.cpp runs them.
"""
import os
import shutil
import subprocess
import sys
import tempfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(HERE, "onnx", "node")


def run_models(folder):
    """In the Python that holds ONNX Runtime."""
    import onnxruntime as ort
    ort.set_default_logger_severity(3)
    for name in sorted(os.listdir(folder)):
        session = ort.InferenceSession(os.path.join(folder, name, "model.onnx"))
        feeds = dict(np.load(os.path.join(folder, name, "inputs.npz")))
        outputs = session.run(None, feeds)
        np.savez(os.path.join(folder, name, "outputs.npz"),
                 **{f"out{k}": np.asarray(v) for k, v in enumerate(outputs)})
    print("onnxruntime", ort.__version__)


def tests():
    """name -> (operator, domain, inputs, number of outputs, attributes)"""
    rng = np.random.default_rng(7)
    steps, batch, width, hidden = 4, 3, 2, 3

    def normal(*shape):
        return (rng.integers(-12, 13, shape) / 8).astype(np.float32)

    def recurrent(kind, gates, directions, names, lengths=False, initial=False, peephole=False, **attributes):
        inputs = {"X": normal(steps, batch, width), "W": normal(directions, gates * hidden, width),
                  "R": normal(directions, gates * hidden, hidden),
                  "B": normal(directions, 2 * gates * hidden)}
        if lengths:
            inputs["sequence_lens"] = np.array([4, 2, 3], np.int32)
        if initial:
            inputs["initial_h"] = normal(directions, batch, hidden)
        if initial and kind == "LSTM":
            inputs["initial_c"] = normal(directions, batch, hidden)
        if peephole:
            inputs["P"] = normal(directions, 3 * hidden)
        order = ["X", "W", "R", "B", "sequence_lens", "initial_h"] + ["initial_c", "P"] * (kind == "LSTM")
        return (kind, "", {"order": order, **inputs}, 3 if kind == "LSTM" else 2,
                {"hidden_size": hidden, "direction": names, **attributes})

    both = "bidirectional"
    yield "lstm_bidirectional", recurrent("LSTM", 4, 2, both, True, True)
    yield "lstm_bidirectional_peephole_clip", recurrent("LSTM", 4, 2, both, True, True, True, clip=0.8)
    yield "lstm_reverse", recurrent("LSTM", 4, 1, "reverse", initial=True)
    yield "lstm_activations", recurrent(
        "LSTM", 4, 1, "forward", activations=["HardSigmoid", "Softsign", "LeakyRelu"],
        activation_alpha=[0.3, 0.1], activation_beta=[0.4])
    yield "gru_bidirectional", recurrent("GRU", 3, 2, both, True, True, clip=0.9)
    yield "gru_linear_before_reset", recurrent("GRU", 3, 2, both, True, True, linear_before_reset=1)
    yield "gru_activations", recurrent("GRU", 3, 1, "reverse", linear_before_reset=1,
                                       activations=["Sigmoid", "ScaledTanh"],
                                       activation_alpha=[1.2], activation_beta=[0.7])
    yield "rnn_bidirectional", recurrent("RNN", 1, 2, both, True, True, activations=["Relu", "Tanh"])
    yield "rnn_affine", recurrent("RNN", 1, 1, "forward", activations=["Affine"],
                                  activation_alpha=[0.5], activation_beta=[0.1])

    ml = "ai.onnx.ml"
    x = normal(4, 3)
    weights = [float(v) for v in normal(9)]
    for transform in ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO"):
        yield f"linear_classifier_{transform.lower()}", (
            "LinearClassifier", ml, {"X": x}, 2,
            {"coefficients": weights, "intercepts": weights[:3], "classlabels_ints": [3, 1, 7],
             "post_transform": transform})
    yield "linear_regressor", ("LinearRegressor", ml, {"X": x}, 1,
                               {"coefficients": weights[:6], "intercepts": weights[:2], "targets": 2})
    for norm in ("MAX", "L1", "L2"):
        yield f"normalizer_{norm.lower()}", ("Normalizer", ml, {"X": x}, 1, {"norm": norm})
    yield "scaler", ("Scaler", ml, {"X": x}, 1, {"offset": weights[:3], "scale": weights[3:6]})
    holed = x.copy()
    holed[1, 2] = np.nan
    yield "imputer", ("Imputer", ml, {"X": holed}, 1, {"imputed_value_floats": weights[:3],
                                                       "replaced_value_float": float("nan")})
    yield "binarizer", ("Binarizer", ml, {"X": x}, 1, {"threshold": 0.25})
    yield "array_feature_extractor", ("ArrayFeatureExtractor", ml,
                                      {"X": x, "Y": np.array([2, 0], np.int64)}, 1, {})
    yield "label_encoder", ("LabelEncoder", ml, {"X": np.array([5, 2, 9, 5], np.int64)}, 1,
                            {"keys_int64s": [2, 5], "values_floats": [0.5, -1.5], "default_float": 3.0})
    # Two trees of depth 2 and 1: nodes 0 (1 (3, 4), 2) and 0 (1, 2).
    nodes = {"nodes_treeids": [0] * 5 + [1] * 3, "nodes_nodeids": [0, 1, 2, 3, 4, 0, 1, 2],
             "nodes_featureids": [0, 2, 0, 0, 0, 1, 0, 0],
             "nodes_values": [0.5, -0.25, 0.0, 0.0, 0.0, 0.125, 0.0, 0.0],
             "nodes_truenodeids": [1, 3, 0, 0, 0, 1, 0, 0], "nodes_falsenodeids": [2, 4, 0, 0, 0, 2, 0, 0]}
    trees, ids = [0, 0, 0, 1, 1], [2, 3, 4, 1, 2]

    def modes(branch):
        return [branch, branch, "LEAF", "LEAF", "LEAF", branch, "LEAF", "LEAF"]

    for branch, how in (("BRANCH_LEQ", "SUM"), ("BRANCH_LT", "AVERAGE"), ("BRANCH_GTE", "MIN"), ("BRANCH_GT", "MAX")):
        yield f"tree_regressor_{how.lower()}", (
            "TreeEnsembleRegressor", ml, {"X": normal(9, 3)}, 1,
            {**nodes, "nodes_modes": modes(branch), "aggregate_function": how, "n_targets": 1,
             "target_treeids": trees, "target_nodeids": ids, "target_ids": [0] * 5,
             "target_weights": [1.0, 2.5, -3.0, 0.5, 4.0]})
    # Every leaf gives every class a weight, as scikit-learn writes it.
    yield "tree_classifier", (
        "TreeEnsembleClassifier", ml, {"X": normal(9, 3)}, 2,
        {**nodes, "nodes_modes": modes("BRANCH_LEQ"), "classlabels_int64s": [4, 6, 9],
         "class_treeids": [t for t in trees for _ in range(3)],
         "class_nodeids": [i for i in ids for _ in range(3)], "class_ids": [0, 1, 2] * 5,
         "class_weights": [float(v) for v in normal(15)], "post_transform": "SOFTMAX"})
    yield "tree_classifier_one_score", (
        "TreeEnsembleClassifier", ml, {"X": normal(9, 3)}, 2,
        {**nodes, "nodes_modes": modes("BRANCH_LEQ"), "classlabels_int64s": [4, 6],
         "class_treeids": trees, "class_nodeids": ids, "class_ids": [0] * 5,
         "class_weights": [0.125, 0.25, 0.375, 0.0625, 0.4375]})
    yield "einsum_three", ("Einsum", "", {"A": normal(2, 3), "B": normal(3, 4, 2), "C": normal(4, 5)}, 1,
                           {"equation": "ij,jki,kl->li"})
    yield "top_k_ties", ("TopK", "", {"X": np.array([[1, 3, 3, 2, 3]], np.float32),
                                      "K": np.array([3], np.int64)}, 2, {})


def write_test(folder, name, op, domain, inputs, num_outputs, attributes):
    import onnx
    from onnx import helper, numpy_helper
    order = inputs.pop("order", list(inputs))
    node = helper.make_node(op, [n if n in inputs else "" for n in order],
                            [f"out{k}" for k in range(num_outputs)], domain=domain, **attributes)
    graph = helper.make_graph(
        [node], name,
        [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(inputs[n].dtype)
                                       if hasattr(helper, "np_dtype_to_tensor_dtype")
                                       else onnx.mapping.NP_TYPE_TO_TENSOR_TYPE[inputs[n].dtype],
                                       inputs[n].shape) for n in order if n in inputs],
        [onnx.ValueInfoProto(name=f"out{k}") for k in range(num_outputs)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14), helper.make_opsetid("ai.onnx.ml", 3)],
                              ir_version=8, producer_name="kappa")
    data = os.path.join(folder, "test_" + name, "test_data_set_0")
    os.makedirs(data)
    model = onnx.shape_inference.infer_shapes(model)
    onnx.save(model, os.path.join(folder, "test_" + name, "model.onnx"))
    for k, n in enumerate(n for n in order if n in inputs):
        with open(os.path.join(data, f"input_{k}.pb"), "wb") as file:
            file.write(numpy_helper.from_array(inputs[n], n).SerializeToString())


def main():
    if len(sys.argv) == 3 and sys.argv[1] == "--run":
        return run_models(sys.argv[2])
    import onnx
    from onnx import numpy_helper
    with tempfile.TemporaryDirectory() as temporary:
        for name, test in tests():
            inputs = dict(test[2])
            write_test(temporary, name, test[0], test[1], inputs, *test[3:])
            inputs.pop("order", None)
            np.savez(os.path.join(temporary, "test_" + name, "inputs.npz"), **inputs)
        subprocess.run(["python3", os.path.abspath(__file__), "--run", temporary], check=True)
        for name in os.listdir(temporary):
            folder = os.path.join(temporary, name)
            outputs = np.load(os.path.join(folder, "outputs.npz"))
            model = onnx.load(os.path.join(folder, "model.onnx"))
            for k in range(len(outputs)):
                value = outputs[f"out{k}"]
                with open(os.path.join(folder, "test_data_set_0", f"output_{k}.pb"), "wb") as file:
                    file.write(numpy_helper.from_array(value, f"out{k}").SerializeToString())
                kind = onnx.mapping.NP_TYPE_TO_TENSOR_TYPE[value.dtype]
                model.graph.output[k].CopyFrom(
                    onnx.helper.make_tensor_value_info(f"out{k}", kind, value.shape))
            onnx.save(model, os.path.join(folder, "model.onnx"))
            os.remove(os.path.join(folder, "inputs.npz"))
            os.remove(os.path.join(folder, "outputs.npz"))
        shutil.rmtree(FOLDER, ignore_errors=True)
        shutil.copytree(temporary, FOLDER)
    size = sum(os.path.getsize(os.path.join(d, f)) for d, _, files in os.walk(FOLDER) for f in files)
    print(f"{FOLDER}: {len(os.listdir(FOLDER))} tests, {size} bytes; onnx {onnx.__version__}, numpy {np.__version__}")


if __name__ == "__main__":
    sys.exit(main())
