"""SSL Studio: from a folder of unlabelled images to a segmentation model."""
