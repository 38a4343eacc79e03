"""Lets these tests paint the same small world as those of fine-tuning."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "segmentation"))
