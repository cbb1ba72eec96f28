"""What bench/calibrate.ts does, done by the quantizer that comes with ONNX Runtime for Python.

    python bench/peers/ort_quantization.py resnet20|squeezenet [MinMax|Entropy|Percentile] [THREADS]

Needs onnx, onnxruntime, numpy and pillow.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import onnxruntime
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.shape_inference import quant_pre_process

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


def cifar_images(count):
    with open(SHARED / "cifar10" / "train_4000.bin", "rb") as file:
        rows = np.frombuffer(file.read(3073 * count), np.uint8).reshape(-1, 3073)
    pixels = rows[:, 1:].reshape(-1, 3, 32, 32).astype(np.float32) / 255
    mean = np.array([0.485, 0.456, 0.406], np.float32).reshape(3, 1, 1)
    std = np.array([0.229, 0.224, 0.225], np.float32).reshape(3, 1, 1)
    for start in range(0, count, 16):
        yield (pixels[start : start + 16] - mean) / std


def photographs(count):
    from PIL import Image

    mean = np.array([104, 117, 123], np.float32)
    paths = sorted((SHARED / "imagenet" / "images").glob("*.jpg"))[:count]
    for start in range(0, count, 16):
        batch = [
            np.asarray(Image.open(path).convert("RGB").resize((227, 227)), np.float32)[..., ::-1] - mean
            for path in paths[start : start + 16]
        ]
        yield np.ascontiguousarray(np.stack(batch).transpose(0, 3, 1, 2))


CASES = {
    "resnet20": (SHARED / "models" / "cifar10_resnet20.onnx", cifar_images, 512),
    "squeezenet": (SHARED / "models" / "squeezenet1.1.onnx", photographs, 500),
}


class Reader(CalibrationDataReader):
    def __init__(self, name, batches):
        self.name = name
        self.batches = batches

    def get_next(self):
        batch = next(self.batches, None)
        return None if batch is None else {self.name: batch}


def main():
    case = sys.argv[1] if len(sys.argv) > 1 else "resnet20"
    method = sys.argv[2] if len(sys.argv) > 2 else "MinMax"
    path, images, count = CASES[case]
    name = onnxruntime.InferenceSession(str(path)).get_inputs()[0].name
    with tempfile.TemporaryDirectory() as folder:
        prepared, quantized = Path(folder) / "prepared.onnx", Path(folder) / "quantized.onnx"
        start = time.perf_counter()
        quant_pre_process(str(path), str(prepared), skip_symbolic_shape=True)
        middle = time.perf_counter()
        quantize_static(
            str(prepared),
            str(quantized),
            Reader(name, images(count)),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod[method],
        )
        end = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(
        f"{case}, {method}, {count} images, onnxruntime {onnxruntime.__version__}: "
        f"prepare {middle - start:.2f} s, calibrate and quantize {end - middle:.2f} s, "
        f"all {end - start:.2f} s, peak memory {peak / 1e6:.0f} MB"
    )


main()
