"""Views, the image cache, the loop, its time budget and its checkpoints."""
