"""Backbones, methods, segmentation, training, evaluation, help with labelling, export. Never Qt.

Importing this package loads no torch; its modules do.
"""
