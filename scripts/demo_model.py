"""The model of `make demo`: a small convolutional classifier with seeded weights.

demo_model.py model MODEL INPUT     writes the model and an input for it
demo_model.py check MODEL INPUT DIR compares the outputs in DIR with ONNX Runtime's
"""

import os
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


def make_model(path, seed=0):
    """Conv, Relu and MaxPool twice, then a dense layer and Softmax: image
    f32[1,1,28,28] -> scores f32[1,10]."""
    random = np.random.default_rng(seed)

    def weight(name, *shape):
        fan_in = np.prod(shape[1:])
        values = random.normal(0, fan_in**-0.5, shape)
        return numpy_helper.from_array(values.astype(np.float32), name)

    nodes = [
        helper.make_node("Conv", ["image", "w1", "b1"], ["c1"], name="conv1", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c1"], ["r1"], name="relu1"),
        helper.make_node("MaxPool", ["r1"], ["p1"], name="pool1", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Conv", ["p1", "w2", "b2"], ["c2"], name="conv2", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c2"], ["r2"], name="relu2"),
        helper.make_node("MaxPool", ["r2"], ["p2"], name="pool2", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["p2"], ["f"], name="flatten"),
        helper.make_node("Gemm", ["f", "w3", "b3"], ["logits"], name="dense", transB=1),
        helper.make_node("Softmax", ["logits"], ["scores"], name="softmax"),
    ]
    weights = [
        weight("w1", 16, 1, 3, 3), weight("b1", 16),
        weight("w2", 32, 16, 3, 3), weight("b2", 32),
        weight("w3", 10, 32 * 7 * 7), weight("b3", 10),
    ]
    graph = helper.make_graph(
        nodes, "digit",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, 28, 28])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, 10])],
        weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def make_input(path, seed=1):
    image = np.random.default_rng(seed).random((1, 1, 28, 28))
    np.save(path, image.astype(np.float32))


def check(model, image, directory, tolerance=1e-5):
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    expected = session.run(["scores"], {"image": np.load(image)})[0]
    got = np.load(os.path.join(directory, "scores.npy"))
    error = float(np.abs(got - expected).max()) if got.shape == expected.shape else float("inf")
    print(f"\nlargest difference from ONNX Runtime: {error:.2g}")
    if not error <= tolerance:
        sys.exit(f"demo: the outputs differ by more than {tolerance}")


def main():
    if len(sys.argv) == 4 and sys.argv[1] == "model":
        make_model(sys.argv[2])
        make_input(sys.argv[3])
    elif len(sys.argv) == 5 and sys.argv[1] == "check":
        check(*sys.argv[2:])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
