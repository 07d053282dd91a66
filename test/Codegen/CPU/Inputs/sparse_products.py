"""Products with pruned weights against onnxruntime: sparse_products.py FOLDER.
Or writes a model with nine of ten weights pruned: sparse_products.py --model FILE.

Prints the cases that differ and ends with their number. Shapes have tails in every
direction; shares of zeros go from none to all.
"""

import pathlib
import sys

import onnx
import products
from comparing import count_failures


def pruned(case, zeros):
    """The case with this share of zeros in its first constant."""
    case.name += f" zeros={zeros}"
    weight = case.constants["c0"]
    weight[products.random.random(weight.shape) < zeros] = 0
    return case


def cases():
    for zeros in (0, 0.5, 0.9, 1):
        yield pruned(products.matmul((64, 96), (96, 64), True), zeros)
        yield pruned(products.matmul((37, 1009), (1009, 53), True), zeros)
        yield pruned(products.matmul((131, 101), (101, 211), True), zeros)
    for zeros in (0.7, 0.95):
        yield pruned(products.matmul((1, 61), (61, 200), True), zeros)
        yield pruned(products.matmul((13, 3), (3, 1), True), zeros)
        yield pruned(products.matmul((2, 3, 17, 8), (8, 19), True), zeros)
        yield pruned(products.matmul((3, 300), (300, 40), True, symbols=(0,)), zeros)
        yield pruned(products.matmul((133, 300), (300, 1000), True, symbols=(0,)), zeros)
        yield pruned(products.matmul((2, 61, 300), (300, 40), True, symbols=(0, 1)), zeros)
        yield pruned(products.gemm(131, 129, 67, transA=1), zeros)
        yield pruned(products.gemm(131, 129, 67, bias=(129,), activation="Relu"), zeros)
        yield pruned(products.gemm(31, 29, 167, bias=(31, 1), transB=1), zeros)
        yield pruned(products.gemm(31, 29, 67, bias=(1, 29), alpha=0.5, beta=2.0), zeros)
        relu = products.gemm(77, 97, 267, bias=(97,), activation="Relu", symbols=(0,), transB=1)
        yield pruned(relu, zeros)


def main():
    if sys.argv[1] == "--model":
        onnx.save(pruned(products.gemm(128, 768, 768, bias=(768,)), 0.9).model(), sys.argv[2])
        return 0
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    return count_failures(cases(), folder)


if __name__ == "__main__":
    sys.exit(main())
