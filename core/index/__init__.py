import os

# ONNX Runtime sends usage data to its makers, from its import on, unless it is told not to.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
