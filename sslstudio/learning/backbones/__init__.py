"""Encoders by timm name: dense features, attention maps, checkpoints loaded safely."""
