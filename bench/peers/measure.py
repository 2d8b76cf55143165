#!/usr/bin/env python3
"""measure.py BUILD: times every engine on one core and writes docs/results/peers.json. See `run`.

Rounds go over all engines, so that what else the machine does meets each of them. A value is the median over rounds
of the median of some calls. Of the other engines the call from Python is part of it (`call_overhead_us`, a network of
one addition); Bittern is called from C++.
"""
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import time
from importlib.metadata import version

CORE = min(os.sched_getaffinity(0))
os.sched_setaffinity(0, {CORE})
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ[name] = "1"

import networks  # noqa: E402  (after the threads are limited)
import numpy as np  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROUNDS = 9
WARM_UP = 30  # until the caches hold what they can: the networks before drove all else out
CALLS = 10
PLAN = [("quicknet", exit) for exit in (1, 2, 3, 4, 5)] + [
    (name, exit) for name in ("birealnet-18", "binarydensenet-28", "meliusnet-22") for exit in (1, 5)]
PACKAGES = ("larq-compute-engine", "larq-zoo", "tensorflow", "ai-edge-litert", "onnxruntime", "kaldi-native-fbank", "numpy")


def timed(call):
    """Median of CALLS calls after WARM_UP others, microseconds."""
    times = []
    for turn in range(WARM_UP + CALLS):
        start = time.perf_counter_ns()
        call()
        if turn >= WARM_UP:
            times.append(time.perf_counter_ns() - start)
    return statistics.median(times) / 1000


class Worker:
    def __init__(self, build):
        program = build / "bench/peers/bittern_peers_worker"
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line):
        print(line, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline().strip()
        if not answer:
            sys.exit("bittern_peers_worker: ended")
        return answer

    def timer(self, what, exit="-"):
        return lambda: float(self.ask(f"{what} {exit} {WARM_UP} {CALLS}"))


def lce_timer(file):
    from larq_compute_engine.tflite.python.interpreter import Interpreter

    # Its fastest mode on x86; the default is slower by far.
    interpreter = Interpreter(file, num_threads=1, use_indirect_bgemm=True, use_xnnpack=True)
    x = networks.features()
    return lambda: timed(lambda: interpreter.predict(x))


def lce_wrong(file):
    """Whether the fast mode's logits are not those of Larq Compute Engine's own reference kernel."""
    from larq_compute_engine.tflite.python.interpreter import Interpreter

    fast = Interpreter(file, num_threads=1, use_indirect_bgemm=True, use_xnnpack=True)
    reference = Interpreter(file, num_threads=1, use_reference_bconv=True)
    pairs = [(fast.predict(x), reference.predict(x)) for x in map(networks.features, range(8))]
    # A sign may flip by a rounding in one clip; not in all.
    return all(np.abs(a - b).max() > 1e-2 * np.abs(b).max() for a, b in pairs)


def litert_timer(file):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=file, num_threads=1)
    interpreter.allocate_tensors()
    into, out = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
    x = networks.features()
    if into["dtype"] == np.int8:
        scale, zero = into["quantization"]
        x = np.clip(np.round(x / scale + zero), -128, 127).astype(np.int8)

    def call():
        interpreter.set_tensor(into["index"], x)
        interpreter.invoke()
        interpreter.get_tensor(out["index"])

    return lambda: timed(call)


def onnxruntime_timer(file):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: networks.features()}
    return lambda: timed(lambda: session.run(None, feed))


TIMERS = {"lce": lce_timer, "litert-int8": litert_timer, "litert-f32": litert_timer, "onnxruntime-f32": onnxruntime_timer}


def kaldi_timers():
    """The whole use from Python, and of it the computation alone: samples that are a list already, one call."""
    import kaldi_native_fbank

    options = kaldi_native_fbank.FbankOptions()
    frame, mel = options.frame_opts, options.mel_opts
    frame.dither, frame.preemph_coeff, frame.remove_dc_offset, frame.window_type = 0, 0, False, "hanning"
    mel.num_bins, mel.low_freq, mel.high_freq = 64, 60, 7800
    options.use_power = False
    samples = np.random.default_rng(1).uniform(-0.5, 0.5, 16000).astype("float32")
    as_list = samples.tolist()

    def whole():
        fbank = kaldi_native_fbank.OnlineFbank(options)
        fbank.accept_waveform(16000, samples.tolist())
        return np.stack([fbank.get_frame(i) for i in range(fbank.num_frames_ready)])

    if whole().shape != (98, 64):
        sys.exit("kaldi-native-fbank: gives other features than 98 x 64")

    def compute():
        times = []
        for turn in range(WARM_UP + CALLS):
            fbank = kaldi_native_fbank.OnlineFbank(options)
            start = time.perf_counter_ns()
            fbank.accept_waveform(16000, as_list)
            if turn >= WARM_UP:
                times.append(time.perf_counter_ns() - start)
        return statistics.median(times) / 1000

    return {"kaldi-native-fbank": lambda: timed(whole), "kaldi-native-fbank accept_waveform": compute}


def trivial(engine):
    """A network of one addition: what a call costs."""
    tf = networks.tf
    into = tf.keras.Input((8,), batch_size=1)
    model = tf.keras.Model(into, into + 1.0)
    file = networks.tf.lite.TFLiteConverter.from_keras_model(model).convert()
    if engine == "lce":
        from larq_compute_engine.tflite.python.interpreter import Interpreter

        interpreter = Interpreter(file, num_threads=1, use_indirect_bgemm=True, use_xnnpack=True)
        x = np.zeros((1, 8), np.float32)
        return timed(lambda: interpreter.predict(x))
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=file, num_threads=1)
    interpreter.allocate_tensors()
    a, b = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    x = np.zeros((1, 8), np.float32)

    def call():
        interpreter.set_tensor(a, x)
        interpreter.invoke()
        interpreter.get_tensor(b)

    return timed(call)


def main():
    build = pathlib.Path(sys.argv[1])
    folder = build / "peers/models"
    folder.mkdir(parents=True, exist_ok=True)
    worker = Worker(build)
    timers = {("front end", "-", "bittern"): worker.timer("front-end")}
    for name, timer in kaldi_timers().items():
        timers["front end", "-", name] = timer
    sizes, wrong = {}, {}
    for name, exit in PLAN:
        timers[name, exit, "bittern"] = worker.timer(name, exit)
        for engine, make in TIMERS.items():
            file = networks.converted(engine, name, exit, folder)
            sizes[name, exit, engine] = len(file)
            timers[name, exit, engine] = make(file)
            if engine == "lce":
                wrong[name, exit, engine] = lce_wrong(file)
            print(f"{name} exit {exit}: {engine} ready", file=sys.stderr)
    results = {key: [] for key in timers}
    for turn in range(ROUNDS):
        for key, timer in timers.items():
            results[key].append(timer())
        print(f"round {turn + 1} of {ROUNDS}", file=sys.stderr)
    cpu = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text()).group(1)
    family = dict(re.findall(r"(cpu family|model|stepping)\s*: (\d+)", pathlib.Path("/proc/cpuinfo").read_text()))
    report = {
        "command": "bench/peers/run build/release",
        "cpu": cpu, "cpu_id": family, "system": platform.freedesktop_os_release()["PRETTY_NAME"],
        "python": platform.python_version(),
        "instruction_set": worker.ask("isa"),
        "versions": {"bittern": (ROOT / "VERSION").read_text().strip(), **{p: version(p) for p in PACKAGES}},
        "rounds": ROUNDS, "warm_up_calls": WARM_UP, "calls_per_round": CALLS,
        "call_overhead_us": {engine: round(trivial(engine), 1) for engine in ("lce", "litert")},
        "times": [{"what": what, "exit": exit, "engine": engine, "median_us": round(statistics.median(t), 1),
                   "min_us": round(min(t), 1), "max_us": round(max(t), 1), "bytes": sizes.get((what, exit, engine)),
                   **({"logits_wrong": wrong[what, exit, engine]} if (what, exit, engine) in wrong else {})}
                  for (what, exit, engine), t in results.items()],
    }
    target = ROOT / "docs/results/peers.json"
    temporary = target.with_suffix(".new")
    temporary.write_text(json.dumps(report, indent=1) + "\n")
    os.replace(temporary, target)


if __name__ == "__main__":
    main()
