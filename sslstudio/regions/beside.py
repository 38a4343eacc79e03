"""One thread for what a tool needs before its answer, so that the pointer never waits (OpenCV lets go of Python)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

BESIDE = ThreadPoolExecutor(1, thread_name_prefix="regions")
