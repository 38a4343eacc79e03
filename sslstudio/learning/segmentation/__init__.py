"""From painted masks to a model that paints: decoders, losses, crops, fine-tuning, prediction, measurement."""
