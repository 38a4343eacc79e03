"""Looking back at a run: which moments are kept, in how much room, and that they are encoders."""

import torch

from sslstudio.learning.backbones.checkpoints import load_encoder
from sslstudio.learning.backbones.encoder import create_encoder
from sslstudio.learning.training.snapshots import SHARES, Snapshots
from sslstudio.runs.folder import RunFolder
from sslstudio.runs.snapshots import moments_of


def walk(keeper: Snapshots, encoder, shares) -> None:
    for step, share in enumerate(shares, start=1):
        if keeper.due(share):
            keeper.keep(encoder, step, share)


def test_moments_are_kept_once_each_and_load_as_they_were(tmp_path):
    run = RunFolder(tmp_path)
    encoder = create_encoder("test_vit")
    walk(Snapshots(run.checkpoints, encoder), encoder, [step / 100 for step in range(60)])
    found = moments_of(run)
    assert [moment.share for moment in found] == [share for share in SHARES if share <= 0.59]
    assert [moment.step for moment in found] == sorted(moment.step for moment in found)
    loaded = load_encoder(found[0].folder).state_dict()
    assert all(
        torch.allclose(value.float(), loaded[key].float(), atol=1e-3) for key, value in encoder.state_dict().items()
    )
    again = Snapshots(run.checkpoints, encoder)  # resumed
    assert not again.due(0.59)
    assert again.due(0.75)


def test_they_keep_within_their_room(tmp_path):
    encoder = create_encoder("test_vit")
    each = sum(2 * tensor.numel() for tensor in encoder.state_dict().values())
    walk(Snapshots(tmp_path / "a", encoder, room=3 * each), encoder, [step / 50 for step in range(51)])
    assert len(moments_of(RunFolder(tmp_path / "a"))) == 0  # not a run's place
    kept = list((tmp_path / "a" / "past").iterdir())
    assert len(kept) == 3
    assert sum(file.stat().st_size for folder in kept for file in folder.iterdir()) < 3 * each + 60_000
    nothing = Snapshots(tmp_path / "b", encoder, room=0)
    assert not any(nothing.due(share) for share in SHARES)
