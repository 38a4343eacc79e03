"""The card over the canvas that says how the image is shown."""

from sslstudio.ui.view.card import ViewCard
from sslstudio.ui.view.state import ViewState

__all__ = ["ViewCard", "ViewState"]
