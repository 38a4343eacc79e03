"""The painting canvas: an image, the mask that is painted on it, and what a model thinks of it."""

from sslstudio.ui.canvas.canvas import Canvas

__all__ = ["Canvas"]
