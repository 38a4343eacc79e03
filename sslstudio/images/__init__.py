"""Image files of any kind as arrays; finding them in a folder; thumbnails."""
