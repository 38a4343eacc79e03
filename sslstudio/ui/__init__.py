"""The window: Qt and only Qt; it draws and asks, and never trains."""
