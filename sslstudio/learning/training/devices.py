"""Which processor trains and in which precision; one process or several started by ``torchrun``."""

from __future__ import annotations

import platform

import torch
from accelerate import Accelerator


def make_accelerator() -> Accelerator:
    """An accelerator for this machine, with bf16 where the processor computes in it."""
    # Without ``cpu`` accelerate takes every process of a torchrun on CPUs for a run of its own.
    cpu = not torch.cuda.is_available() and not torch.backends.mps.is_available()
    return Accelerator(mixed_precision="bf16" if has_bf16() else "no", cpu=cpu)


def has_bf16() -> bool:
    """Whether matrices are multiplied in bf16 by hardware: Ampere GPUs and later, CPUs with AMX or AVX512-bf16."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if torch.backends.mps.is_available():
        return False
    return _cpu_knows("_is_amx_tile_supported") or _cpu_knows("_is_avx512_bf16_supported")


def _cpu_knows(question: str) -> bool:
    ask = getattr(torch.cpu, question, None)
    return bool(ask is not None and ask())


# How allocators say it where torch has no class of its own for it: on processors, and on Apple's GPUs.
_NO_MEMORY = ("out of memory", "allocate memory", "not enough memory")


def memory_ran_out(error: BaseException) -> bool:
    """Whether an error means that there was no room for a tensor, on whatever device."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _NO_MEMORY)


def describe(device: torch.device) -> str:
    """The device in words."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return "Apple GPU"
    return f"CPU ({platform.processor() or platform.machine()}, {torch.get_num_threads()} threads)"
