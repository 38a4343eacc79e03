"""What ``torchrun`` starts in a test: the job on real processes, telling its events as JSON lines."""

import os
import sys
from pathlib import Path

import torch

from sslstudio.learning.training.control import Control
from sslstudio.learning.training.pretrain import pretrain
from sslstudio.runs.request import PretrainRequest

torch.set_num_threads(1)
place = Path(sys.argv[1])
asked = PretrainRequest.model_validate_json((place / "request.json").read_bytes())
told = (place / f"told-{os.environ['RANK']}.jsonl").open("w")
for event in pretrain(
    asked,
    checkpoints=place / "checkpoints",
    previews=place / "previews",
    cache=place / "cache",
    control=Control(),
    steps=4,
):
    told.write(event.model_dump_json() + "\n")
    told.flush()
torch.distributed.destroy_process_group()
