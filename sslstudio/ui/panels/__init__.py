"""The panels at the right, one per step: each draws a state (``states.py``) and emits wishes."""
