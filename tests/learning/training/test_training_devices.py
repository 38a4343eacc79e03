"""Memory that runs out, several devices, and a worker that is killed: real processes where they matter."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from sslstudio.errors import UserError
from sslstudio.learning.methods.base import Method, StepResult, ViewSpec
from sslstudio.learning.training.batches import Batch
from sslstudio.learning.training.budget import StepBudget
from sslstudio.learning.training.devices import make_accelerator
from sslstudio.learning.training.loop import Rates, Trainer
from sslstudio.recipes.presets import Augmentation
from sslstudio.recipes.pretrain import PretrainRecipe
from sslstudio.runs.request import PretrainRequest


def raise_as(device, views):
    """Memory that runs out: as torch says it of a GPU, and on this processor by wanting far more than there is."""
    if device == "cuda":
        raise torch.OutOfMemoryError("CUDA out of memory")
    torch.empty(views << 50)


class SmallDevice(Method):
    """Pulls its weights to the mean colour; runs out of memory above ``room`` views."""

    def __init__(self, room, device="cuda"):
        super().__init__()
        self.seen, self.device = [], device
        self.encoder = nn.Linear(3, 1)
        self.encoder.kind = "vit"
        nn.init.ones_(self.encoder.weight)
        self.views = (ViewSpec(8, 1, (1.0, 1.0), Augmentation(jitter=0, grey=0, blur=0, flip_horizontal=0)),)
        self.room = room

    def forward(self, views):
        self.seen.append(len(views[0]))
        if len(views[0]) > self.room:
            raise_as(self.device, len(views[0]))
        return StepResult(self.encoder(views[0].mean((2, 3))).square().mean())


def trained(room, device="cuda", images=8, pieces=1):
    torch.manual_seed(0)
    method = SmallDevice(room, device)
    optimiser = torch.optim.SGD(method.parameters(), 0.01)
    # One colour per image: whatever the crop shows is the same.
    colours = (torch.arange(3 * images) * 240 // (3 * images)).to(torch.uint8)
    tiles = colours.view(images, 1, 1, 3).expand(images, 8, 8, 3).contiguous()
    batch = Batch(tiles, torch.ones(images), (0, images))
    trainer = Trainer(
        method,
        optimiser,
        make_accelerator(),
        StepBudget(3),
        Rates(0.01, 0.0, 0.0),
        torch.Generator().manual_seed(0),
        pieces=pieces,
    )
    return trainer, list(trainer.run(lambda: batch)), method


@pytest.mark.parametrize("device", ["cuda", "cpu"])
def test_where_memory_runs_out_the_batch_is_worked_through_in_parts(device):
    trainer, steps, method = trained(room=2, device=device)
    assert (trainer.pieces, trainer.out_of_memory, len(steps)) == (4, True, 3)
    assert [step.images for step in steps] == [8, 8, 8]
    whole, all_steps, same = trained(room=8)
    assert whole.pieces == 1
    # Accumulated parts make the same update as the whole batch, up to bf16's digits.
    assert [s.loss for s in steps] == pytest.approx([s.loss for s in all_steps], rel=5e-3)
    assert torch.allclose(method.encoder.weight, same.encoder.weight, rtol=5e-3)


def test_no_room_even_for_two_images_is_said_plainly():
    with pytest.raises(UserError, match="not enough memory"):
        trained(room=1)


def test_no_part_of_a_batch_is_a_single_image_which_could_not_be_compared():
    _, steps, method = trained(room=3, images=10)
    assert len(steps) == 3
    assert method.seen[-4:] == [3, 3, 2, 2]
    _, _, method = trained(room=4, images=5, pieces=8)  # a resumed run that has fewer images now
    assert method.seen[-2:] == [3, 2]


def test_other_errors_are_not_taken_for_memory():
    trainer, _, method = trained(room=8)
    method.forward = lambda views: views[0] @ views[0].new_zeros(3, 3)
    with pytest.raises(RuntimeError, match=r"shapes|size"):
        trainer._step(Batch(torch.zeros(8, 8, 8, 3, dtype=torch.uint8), torch.ones(8), (0, 8)))
    assert trainer.pieces == 1


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for n in range(16):
        cv2.imwrite(str(folder / f"{n}.png"), rng.integers(0, 255, (64, 64, 3), dtype=np.uint8))
    asked = PretrainRequest(
        images_root=str(folder),
        images=tuple(sorted(p.name for p in folder.iterdir())),
        recipe=PretrainRecipe(backbone="test_vit", resolution=32, batch_size=8),
    )
    (tmp_path / "request.json").write_text(asked.model_dump_json())
    return tmp_path


SCRIPT = Path(__file__).with_name("several_devices.py")
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


def test_torchrun_trains_on_several_devices_with_the_same_loop(place):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", str(SCRIPT)]
    done = subprocess.run(
        [*command, str(place)], env=ENVIRONMENT, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    first = [json.loads(line) for line in (place / "told-0.jsonl").read_text().splitlines()]
    assert first[-1]["kind"] == "finished"
    assert first[-1]["result"]["steps"] == 4
    assert (place / "told-1.jsonl").read_text() == ""  # only the first process tells
    assert (place / "checkpoints" / "last" / "encoder.safetensors").exists()


def test_a_killed_worker_leaves_a_checkpoint_that_resumes(place):
    code = """
import sys, torch
from pathlib import Path
from sslstudio.learning.training.control import Control
from sslstudio.learning.training.pretrain import pretrain
from sslstudio.runs.request import PretrainRequest
torch.set_num_threads(1)
place, steps = Path(sys.argv[1]), int(sys.argv[2])
asked = PretrainRequest.model_validate_json((place / "request.json").read_bytes())
for event in pretrain(asked, checkpoints=place / "c", previews=place / "p", cache=place / "cache",
                      control=Control(), steps=steps):
    print(event.model_dump_json(), flush=True)
"""
    command = [sys.executable, "-c", code, str(place)]
    worker = subprocess.Popen([*command, "100000"], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
    for line in worker.stdout:
        if json.loads(line)["kind"] == "metric":
            worker.send_signal(signal.SIGKILL)
            break
    worker.communicate(timeout=30)
    done = subprocess.run([*command, "3"], capture_output=True, text=True, env=ENVIRONMENT, timeout=120, check=False)
    assert json.loads(done.stdout.splitlines()[-1])["kind"] == "finished", done.stderr[-2000:]
