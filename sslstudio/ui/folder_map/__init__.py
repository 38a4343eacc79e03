"""The map of the folder: every image a point, alike ones close together; pannable, zoomable, with a lasso."""

from sslstudio.ui.folder_map.map import FolderMap

__all__ = ["FolderMap"]
