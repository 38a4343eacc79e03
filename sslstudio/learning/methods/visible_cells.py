"""Lets a convolutional network see some square cells of its images only, at the cost of those cells only.

Images are divided into cells of the network's stride. Only the visible ones enter, as a batch of small images
(cells), so that norms, activations and pointwise layers neither compute nor count what is hidden. Where a layer
looks beyond its own position, the cells get the border of their visible neighbours, and zeros where nothing is
seen: sparse convolution (SparK, section 3.1) without a library of sparse kernels. The layers' own methods are put
back afterwards: what is kept is an ordinary network.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from timm.layers import BlurPool2d, EcaModule, EffectiveSEModule, SEModule
from timm.layers.grn import GlobalResponseNorm
from timm.models._efficientnet_blocks import SqueezeExcite
from torch import Tensor, nn
from torch.nn import functional as F

SMALLEST_BORDERED = 4
"""Pixels per cell from which giving each cell a border costs less than computing what is hidden too."""
AROUND = [(y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
WHOLE_IMAGE = (GlobalResponseNorm, SEModule, EffectiveSEModule, EcaModule, SqueezeExcite)
POOLS = (nn.MaxPool2d, nn.AvgPool2d, BlurPool2d)


class VisibleCells:
    """Which K cells of each of B images are seen, and the ways from images to cells and back.

    ``keep`` (B, K) holds their numbers in row order; cells are (B * K, C, h, w), the first image's first.
    """

    def __init__(self, keep: Tensor, rows: int, columns: int) -> None:
        self.batch, self.kept = keep.shape
        self.rows, self.columns = rows, columns
        image = torch.arange(self.batch, device=keep.device)[:, None].expand_as(keep).reshape(-1)
        row, column = keep.reshape(-1) // columns, keep.reshape(-1) % columns
        self._place = (image, row, column)
        nothing = len(image)  # the number of a cell that is not seen
        numbers = torch.full((self.batch, rows + 2, columns + 2), nothing, device=keep.device)
        numbers[image, row + 1, column + 1] = torch.arange(nothing, device=keep.device)
        self._neighbours = [numbers[image, row + 1 + y, column + 1 + x] for y, x in AROUND]

    def cut(self, images: Tensor) -> Tensor:
        """The visible cells of (B, C, H, W), as (B * K, C, h, w)."""
        return _Cut.apply(images, self)

    def put(self, cells: Tensor) -> Tensor:
        """Cells at their places in (B, C, H, W), zeros everywhere else."""
        return _Put.apply(cells, self)

    def bordered(self, cells: Tensor, border: int) -> Tensor:
        """Cells (B * K, C, h, w) with what is visible around them, (B * K, C, h + 2 border, w + 2 border)."""
        return _Bordered.apply(cells, self, border)

    def _cut(self, images: Tensor) -> Tensor:
        image, row, column = self._place
        x = images.permute(0, 2, 3, 1).contiguous()  # (B, H, W, C), no copy in channels-last memory
        x = x.unflatten(2, (self.columns, -1)).unflatten(1, (self.rows, -1))  # (B, rows, h, columns, w, C)
        return x[image, row, :, column].permute(0, 3, 1, 2)

    def _put(self, cells: Tensor) -> Tensor:
        image, row, column = self._place
        _, channels, height, width = cells.shape
        x = cells.new_zeros(self.batch, self.rows, height, self.columns, width, channels)
        x[image, row, :, column] = cells.permute(0, 2, 3, 1)
        return x.flatten(3, 4).flatten(1, 2).permute(0, 3, 1, 2)

    def _give_border(self, cells: Tensor, border: int) -> Tensor:
        x = _with_empty(cells)
        out = x.new_empty(len(cells), x.shape[1] + 2 * border, x.shape[2] + 2 * border, x.shape[3])
        for numbers, (y, x_) in zip(self._neighbours, AROUND, strict=True):
            inner = (slice(None), _near(y, border, opposite=True), _near(x_, border, opposite=True))
            outer = (slice(None), _outside(y, border), _outside(x_, border))
            out[outer] = x[inner][numbers]
        return out.permute(0, 3, 1, 2)

    def _take_border(self, bordered: Tensor, border: int) -> Tensor:
        """The transpose of ``_give_border``: what was lent to neighbours is added to its owner."""
        x = _with_empty(bordered)
        out = x[:-1, border:-border, border:-border].clone()  # a cell itself
        for numbers, (y, x_) in zip(self._neighbours, AROUND, strict=True):
            if (y, x_) == (0, 0):
                continue
            # The neighbour above sees this cell below itself.
            lent = (slice(None), _outside(-y, border), _outside(-x_, border))
            mine = (slice(None), _near(y, border), _near(x_, border))
            out[mine] += x[lent][numbers]
        return out.permute(0, 3, 1, 2)


def _with_empty(cells: Tensor) -> Tensor:
    """(n, C, h, w) as (n + 1, h, w, C), the last one zero, for all that is not seen."""
    return F.pad(cells.permute(0, 2, 3, 1), (0, 0, 0, 0, 0, 0, 0, 1))


def _near(side: int, border: int, *, opposite: bool = False) -> slice:
    """The part of a cell that touches its neighbour on ``side`` (-1, 0, 1), or on the opposite one."""
    side = -side if opposite else side
    return {-1: slice(None, border), 0: slice(None), 1: slice(-border, None)}[side]


def _outside(side: int, border: int) -> slice:
    """The part of a bordered cell that belongs to the neighbour on ``side``."""
    return {-1: slice(None, border), 0: slice(border, -border), 1: slice(-border, None)}[side]


class _Cut(torch.autograd.Function):
    """Images to visible cells; every place is taken once, so the gradient is put back without adding."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, cells: VisibleCells) -> Tensor:
        """Cells (B * K, C, h, w) of images (B, C, H, W)."""
        ctx.cells = cells
        return cells._cut(images)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        """Gradient (B, C, H, W): that of each cell at its place, zeros elsewhere."""
        return ctx.cells._put(grad), None


class _Put(torch.autograd.Function):
    """Visible cells to images with zeros elsewhere; what comes back there is dropped."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, cells: VisibleCells) -> Tensor:
        """Images (B, C, H, W) of cells (B * K, C, h, w)."""
        ctx.cells = cells
        return cells._put(x)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:  # type: ignore[override]
        """Gradient (B * K, C, h, w): the cells' part of the images'."""
        return ctx.cells._cut(grad), None


class _Bordered(torch.autograd.Function):
    """Cells to cells with their visible neighbours' border; its gradient goes to the neighbour who lent it."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, cells: VisibleCells, border: int) -> Tensor:
        """Cells (B * K, C, h + 2 border, w + 2 border) of (B * K, C, h, w)."""
        ctx.cells, ctx.border = cells, border
        return cells._give_border(x, border)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:  # type: ignore[override]
        """Gradient (B * K, C, h, w): a cell's own and what its neighbours had of it."""
        return ctx.cells._take_border(grad, ctx.border), None, None


# layers that look beyond their own position --------------------------------------------------------------


@contextmanager
def seeing_only(net: nn.Module, cells: VisibleCells) -> Iterator[None]:
    """Within it ``net`` takes cells in place of images, and gives cells at every stage."""
    changed: list[nn.Module] = []
    try:
        for module in net.modules():
            work = _work_for(module)
            if work is not None:
                module.forward = functools.partial(work, module, module.forward, cells)  # type: ignore[method-assign]
                changed.append(module)
        yield
    finally:
        for module in changed:
            del module.forward  # the class's own is in force again


Forward = Callable[[Tensor], Tensor]


def _work_for(module: nn.Module) -> Callable[..., Tensor] | None:
    """How a layer is carried out on cells; None where it does not look beyond one position."""
    if isinstance(module, nn.Conv2d):
        return None if module.kernel_size == (1, 1) else _convolve
    if isinstance(module, POOLS):
        return _on_images
    return _on_all_visible if isinstance(module, WHOLE_IMAGE) else None


def _convolve(module: nn.Conv2d, whole: Forward, cells: VisibleCells, x: Tensor) -> Tensor:
    size, stride, padding = module.kernel_size, module.stride, module.padding
    if padding == (0, 0) and size == stride and x.shape[-1] % stride[1] == 0 and x.shape[-2] % stride[0] == 0:
        return whole(x)  # never looks over the border
    border = padding[0]
    if type(module) is not nn.Conv2d or not _pays(module, x):
        return _on_images(module, whole, cells, x)
    x = cells.bordered(x, int(border))
    return F.conv2d(x, module.weight, module.bias, stride, 0, module.dilation, module.groups)


def _pays(module: nn.Conv2d, x: Tensor) -> bool:
    """Whether bordered cells are right and quicker than the whole image with its hidden parts."""
    border, side = module.padding[0], min(x.shape[-2:])
    plain = module.padding_mode == "zeros" and module.groups == 1 and module.padding == (border, border)
    same = all(2 * int(border) == d * (k - 1) for k, d in zip(module.kernel_size, module.dilation, strict=True))
    fits = all(n % s == 0 for n, s in zip(x.shape[-2:], module.stride, strict=True))
    return plain and same and fits and side >= max(SMALLEST_BORDERED, int(border))


def _on_images(module: nn.Module, whole: Forward, cells: VisibleCells, x: Tensor) -> Tensor:
    """On the whole images, zeros where nothing is seen; then the visible cells again."""
    return cells.cut(whole(cells.put(x)))


def _on_all_visible(module: nn.Module, whole: Forward, cells: VisibleCells, x: Tensor) -> Tensor:
    """For layers that take a mean or norm over the image: all visible cells of an image as one column."""
    last = getattr(module, "channel_dim", 1) == -1  # (B * K, h, w, C)
    tall = x.permute(0, 3, 1, 2) if last else x
    count, _, height, width = tall.shape
    tall = tall.unflatten(0, (-1, cells.kept)).transpose(1, 2).flatten(2, 3)  # (B, C, K h, w)
    out = whole(tall.permute(0, 2, 3, 1) if last else tall)
    out = out.permute(0, 3, 1, 2) if last else out
    out = out.unflatten(2, (cells.kept, height)).transpose(1, 2).reshape(count, -1, height, width)
    return out.permute(0, 2, 3, 1) if last else out
