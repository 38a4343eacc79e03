"""Which processor trains and in which precision; one process or several started by ``torchrun``."""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import Any, TypeVar

import torch
from accelerate import Accelerator

from sslstudio.errors import UserError
from sslstudio.language import tr

Done = TypeVar("Done")


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


def with_room(update: Callable[[], Done], divide: Callable[[], None], optimiser: Any) -> Done:
    """What ``update()`` gives; where memory runs out, ``divide()`` halves its parts and it is tried again.

    ``divide`` raises where they cannot be halved (see ``no_room``).
    """
    while True:
        try:
            return update()
        except (RuntimeError, MemoryError) as error:
            if not memory_ran_out(error):
                raise
        # Not within the clause above: the error holds on to the tensors of the step that failed.
        divide()
        optimiser.zero_grad()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def no_room() -> UserError:
    """Told when even the smallest part of a batch does not fit."""
    return UserError(
        tr("There is not enough memory on the device, even for the smallest batch."),
        tr("Choose a smaller view size, batch or backbone, or close other programs."),
    )


def describe(device: torch.device) -> str:
    """The device in words."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return tr("Apple GPU")
    return tr("CPU ({processor}, {get_num_threads} threads)").format(
        processor=platform.processor() or platform.machine(), get_num_threads=torch.get_num_threads()
    )
