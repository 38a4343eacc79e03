"""One of two processes that gather keys; started by a test with its rank and a meeting point, tells as JSON."""

import json
import sys

import torch

from sslstudio.learning.methods.contrast import KeyQueue, gathered, negatives_for

torch.set_num_threads(1)
rank, meeting = int(sys.argv[1]), sys.argv[2]
torch.distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=2)
pictures = torch.tensor([[1, 2], [3, 1]][rank])
keys = pictures[:, None].float()
queue = KeyQueue(3, 1)
queue.add(torch.tensor([[2.0]]), torch.tensor([2]))
found = negatives_for(pictures, keys, queue)
queue.add(gathered(keys), gathered(pictures))
told_from = [found.keys[~row, 0].int().tolist() for row in found.forbidden]
print(json.dumps({"told_from": told_from, "weight": float(found.weight), "queue": queue.pictures.tolist()}))
torch.distributed.destroy_process_group()
