"""Where a run computes, in which precision, and how much memory it took there."""

import ctypes
import platform
import resource
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Literal

import torch

from ablate.errors import AblateError

Precision = Literal["auto", "fp32", "bf16"]

MALLOC_TRIM_THRESHOLD, MALLOC_MMAP_THRESHOLD = -1, -3  # of <malloc.h>


def pick_device(name: str = "auto") -> torch.device:
    """`auto` takes CUDA, else the CPU. Raises AblateError for a device that is not here.

    `mps` is taken only when asked for: it has no double precision and is not exact from run to run.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    if device is None or device.type not in ("cpu", "cuda", "mps"):
        raise AblateError(f"unknown device `{name}`", where="--device", hint="use auto, cpu, cuda, cuda:1, or mps")
    if device.type == "cuda":
        _check_cuda(name, device.index or 0)
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise AblateError("this machine has no MPS device", where="--device", hint="use --device cpu")
    return device


def _check_cuda(name: str, index: int) -> None:
    if not torch.cuda.is_available():
        built = torch.version.cuda is not None
        hint = (
            "check the driver with `nvidia-smi`" if built else "this torch is built for the CPU; install one with CUDA"
        )
        raise AblateError("no CUDA device is usable here", where="--device", hint=f"{hint}, or use --device cpu")
    if index >= torch.cuda.device_count():
        last = torch.cuda.device_count() - 1
        raise AblateError(f"there is no device `{name}`", where="--device", hint=f"devices are cuda:0 to cuda:{last}")


def device_name(device: torch.device) -> str:
    """The name of the accelerator or processor, for a run's record."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def device_driver(device: torch.device) -> str | None:
    """The version of the GPU's driver, for a run's record; None without a GPU, empty where it cannot be known."""
    if device.type != "cuda":
        return None
    with suppress(OSError, IndexError):  # NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  ...
        return Path("/proc/driver/nvidia/version").read_text().partition("Kernel Module")[2].split()[0]
    return ""


def resolve_precision(device: torch.device, precision: Precision) -> Literal["fp32", "bf16"]:
    """auto = bf16 on CUDA, fp32 elsewhere."""
    if precision == "auto":
        return "bf16" if device.type == "cuda" else "fp32"
    return precision


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[None]:
    """bfloat16 autocast, or nothing. bfloat16 has the exponent range of float32: no loss scaling is needed."""
    if resolve_precision(device, precision) == "bf16":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return nullcontext()


@contextmanager
def float32_math(device: torch.device, precision: Precision) -> Iterator[None]:
    """TF32 for what autocast leaves in single precision; with `fp32` neither products nor convolutions use it."""
    fast = resolve_precision(device, precision) == "bf16"
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("high" if fast else "highest")
    torch.backends.cudnn.allow_tf32 = fast
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]


def keep_freed_memory(device: torch.device) -> None:
    """Lets this process keep the memory that a step on the CPU frees, for its next step to take.

    glibc hands blocks of more than 32 MiB back to the system at once, and every step then pays for fresh, zeroed pages
    (measured: a tenth to a sixth of the step). Nothing happens with another C library or device.
    """
    libc = _glibc()
    if device.type == "cpu" and libc is not None:
        libc.mallopt(MALLOC_MMAP_THRESHOLD, 2**30)
        libc.mallopt(MALLOC_TRIM_THRESHOLD, 2**31 - 1)


def _glibc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None) if platform.libc_ver()[0] == "glibc" else None


def reset_peak_memory(device: torch.device) -> None:
    """Starts a new measurement; on a CPU other than Linux's the peak is that of the whole process."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return
    libc = _glibc()
    if libc is not None:
        libc.malloc_trim(0)  # what an earlier run in this process freed and kept is not this one's
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # resets VmHWM, the peak of the resident set


def peak_memory(device: torch.device) -> int:
    """Bytes at the peak: tensors allocated on CUDA, the resident set of the process elsewhere."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024  # the kernel's kB are KiB
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def reserved_memory(device: torch.device) -> int | None:
    """Bytes of the GPU that torch held at its peak, what it kept unused among them; None on another device."""
    return torch.cuda.max_memory_reserved(device) if device.type == "cuda" else None


def device_memory(device: torch.device) -> int | None:
    """Bytes of the GPU; None on another device."""
    return torch.cuda.get_device_properties(device).total_memory if device.type == "cuda" else None


def synchronize(device: torch.device) -> None:
    """Waits for the device, so that a clock read afterwards is honest."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
