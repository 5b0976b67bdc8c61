#!/usr/bin/env python3
"""Prints Tests/TensorsTests/KnownAnswers.swift: values of random blocks as the PyPI package `gguf` dequantises them.

Usage: pip install gguf; python3 known_answers.py > ../Tests/TensorsTests/KnownAnswers.swift
"""
import gguf
import numpy as np

MASK = (1 << 64) - 1
HALVES = {
    "Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "IQ4_NL": [0], "IQ4_XS": [0],
    "Q2_K": [80, 82], "Q3_K": [108], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "MXFP4": [],
}


def numbers(seed):
    """SplitMix64."""
    while True:
        seed = (seed + 0x9E3779B97F4A7C15) & MASK
        z = seed
        z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
        z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
        yield z ^ z >> 31


def blocks(kind, count):
    """Random blocks whose f16 factors have the exponent −7."""
    source = numbers(kind.value)
    size = gguf.GGML_QUANT_SIZES[kind][1]
    data = bytearray(next(source) & 255 for _ in range(count * size))
    for start in range(0, len(data), size):
        for offset in HALVES[kind.name]:
            half = next(source) & 0x83FF | 0x2000
            data[start + offset:start + offset + 2] = half.to_bytes(2, "little")
    return np.frombuffer(bytes(data), np.uint8).reshape(1, -1)


def fnv(data):
    """64-bit FNV-1a."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 & MASK
    return value


print("// Values of random blocks as the PyPI package `gguf` dequantises them; printed by Kernels/known_answers.py.\n")
print("import GGUF\n")
print("/// Two blocks of a type: some of their values, and a hash of all.")
print("struct KnownAnswer: Sendable {")
print("    /// The weights' type.\n    let type: TensorType")
print("    /// Byte offsets of the f16 factors in a block, which are drawn after all bytes.\n    let halves: [Int]")
print("    /// Eight values at even distances, from the first.\n    let values: [Float]")
print("    /// 64-bit FNV-1a over the little-endian bytes of all values.\n    let hash: UInt64\n")
print("    /// One for each quantised type.\n    static let all: [KnownAnswer] = [")
for name, halves in HALVES.items():
    kind = gguf.GGMLQuantizationType[name]
    values = gguf.quants.dequantize(blocks(kind, 2), kind).astype("<f4").ravel()
    some = [repr(float(v)) for v in values[:: len(values) // 8]]
    lines = [", ".join(some[i:i + 4]) for i in (0, 4)]
    swift = name.lower().replace("_k", "_K")
    print(f"        KnownAnswer(\n            type: .{swift}, halves: {halves},")
    print(f"            values: [\n                {lines[0]},\n                {lines[1]},\n            ],")
    print(f"            hash: 0x{fnv(values.tobytes()):016x}),")
print("    ]\n}")
