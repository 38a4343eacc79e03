"""Figures and pictures of what an encoder has learned, without labels."""
