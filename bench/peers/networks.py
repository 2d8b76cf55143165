"""The networks as larq_zoo builds them, cut after an exit's block, in the formats of the other engines.

An exit: global average pool, dense layer with 12 outputs, one-bit kernel. The other engines cannot leave early, so
"exit k" is a network that ends there. A twin is the same topology with ordinary convolutions: another network,
which shows what float or int8 arithmetic costs, not the binary network's answers.
"""
import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import larq as lq
import larq_zoo as lqz
import numpy as np
import tensorflow as tf

SHAPE = (98, 64, 1)

# Builder, how layers that end a block are called, blocks before each exit.
NETWORKS = {
    "quicknet": (lqz.sota.QuickNet, "add", (4, 8, 12, 14, 16)),
    "birealnet-18": (lqz.literature.BiRealNet, "add", (4, 8, 12, 14, 16)),
    "binarydensenet-28": (lqz.literature.BinaryDenseNet28, "concatenate", (6, 12, 18, 21, 23)),
    "meliusnet-22": (lqz.literature.MeliusNet22, "_merge", (4, 9, 13, 15, 17)),
}


def ordinary_convolution(*shape, **options):
    kept = {k: v for k, v in options.items() if "quantizer" not in k and k not in ("kernel_constraint", "pad_values")}
    return tf.keras.layers.Conv2D(*shape, **kept)


def cut(name, exit, twin):
    """A Keras model up to `exit`, from 1, with random weights and batch norms that are not the identity."""
    build, block_end, blocks = NETWORKS[name]
    quantized = lq.layers.QuantConv2D
    if twin:
        lq.layers.QuantConv2D = ordinary_convolution
    try:
        tf.keras.utils.set_random_seed(1)
        whole = build(input_shape=SHAPE, weights=None, include_top=False)
    finally:
        lq.layers.QuantConv2D = quantized
    ends = [layer for layer in whole.layers if block_end in layer.name]
    if len(ends) != blocks[-1]:
        raise RuntimeError(f"{name}: {len(ends)} blocks found, {blocks[-1]} expected")
    x = tf.keras.layers.GlobalAveragePooling2D()(ends[blocks[exit - 1] - 1].output)
    x = lq.layers.QuantDense(12, kernel_quantizer="ste_sign", kernel_constraint="weight_clip")(x)
    model = tf.keras.Model(whole.input, x)
    random = np.random.default_rng(1)
    for layer in model.layers:
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            layer.set_weights([random.uniform(0.5, 1.5, w.shape).astype("float32") for w in layer.get_weights()])
    return model


def features(seed=1):
    return np.random.default_rng(seed).uniform(-13, 4, (1, *SHAPE)).astype("float32")


def litert(model, int8):
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if int8:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([features(seed)] for seed in range(8))
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def onnx(model):
    import tf2onnx

    signature = (tf.TensorSpec((1, *SHAPE), tf.float32, name="features"),)
    proto, _ = tf2onnx.convert.from_function(tf.function(model), input_signature=signature, opset=17)
    return proto.SerializeToString()


def lce(model):
    import larq_compute_engine

    return larq_compute_engine.convert_keras_model(model)


# Engine: (is it a twin, converter).
FORMATS = {
    "lce": (False, lce),
    "litert-int8": (True, lambda model: litert(model, True)),
    "litert-f32": (True, lambda model: litert(model, False)),
    "onnxruntime-f32": (True, onnx),
}


def converted(engine, name, exit, folder):
    """The file of a cut network, made once."""
    path = folder / f"{name}-{exit}.{engine}"
    if not path.exists():
        twin, convert = FORMATS[engine]
        temporary = path.with_suffix(".new")
        temporary.write_bytes(convert(cut(name, exit, twin)))
        os.replace(temporary, path)
    return path.read_bytes()
