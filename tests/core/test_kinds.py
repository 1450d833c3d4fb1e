"""Parts in their places: of the kind that is asked for, and with all they need."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

import pytest

from voxsphere.core.errors import BadInput
from voxsphere.core.kinds import check_parts, is_of


class Rate(Protocol):
    def __call__(self, progress: int) -> float: ...


class Net(Protocol):
    def __call__(self, features: list) -> list: ...


@dataclass(frozen=True, kw_only=True)
class Falling:
    first: float
    last: float = 0.0

    def __call__(self, progress: int) -> float:
        return self.first


@dataclass(frozen=True)
class Halt:
    def __call__(self, progress: int) -> bool:
        return False


class Dense:
    def __init__(self, in_dim: int, *, width: int = 3, inner: Callable[..., Net] | None = None) -> None: ...

    def forward(self, features: list, mask: None = None) -> list:
        return features


class Dealer:
    def __init__(self, rows: list, *, batch: int) -> None: ...


class Corpus: ...


def corpus(*, path: str) -> Corpus:
    return Corpus()


@dataclass(frozen=True, kw_only=True)
class Whole:
    net: Callable[..., Net] = Dense
    rate: Callable[[], Rate] = field(default=partial(Falling, first=1.0))
    margin: Callable[[], Rate] | None = None
    dealer: Callable[..., Dealer] = Dealer
    data: Callable[[], Corpus] = field(default=partial(corpus, path="here"))
    nets: tuple[Callable[..., Net], ...] = ()
    batch: int = 8


PARTS = {"Falling": Falling, "Halt": Halt, "Dense": Dense, "Dealer": Dealer, "corpus": corpus}


def test_a_protocol_is_kept_by_names_of_methods_arguments_and_plain_results():
    assert [name for name, part in PARTS.items() if is_of(part, Rate)] == ["Falling"]
    assert [name for name, part in PARTS.items() if is_of(part, Net)] == ["Dense"]
    assert [name for name, part in PARTS.items() if is_of(part, Corpus)] == ["corpus"]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"margin": partial(Falling, first=2.0)},
        {"nets": (Dense, partial(Dense, width=2, inner=Dense))},
        {"dealer": partial(Dealer, batch=3)},
    ],
)
def test_what_fits_is_taken(options):
    check_parts(Whole(**options), PARTS)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"net": Falling}, "net: Falling cannot stand there; there are: Dense"),
        ({"rate": Halt}, "rate: Halt cannot stand there; there are: Falling"),
        ({"margin": Dense}, "margin: Dense cannot stand there; there are: Falling"),
        ({"rate": Falling}, "rate: Falling cannot do without first; give it, as in --set rate.first=…"),
        ({"data": corpus}, "data: corpus cannot do without path; give it, as in --set data.path=…"),
        ({"data": Dense}, "data: Dense cannot stand there; there are: corpus"),
        ({"nets": (Dense, Halt)}, "nets.1: Halt cannot stand there; there are: Dense"),
        ({"net": partial(Dense, inner=Dealer)}, "net.inner: Dealer cannot stand there; there are: Dense"),
    ],
)
def test_what_does_not_is_told_with_its_place_and_what_would(options, told):
    with pytest.raises(BadInput) as refused:
        check_parts(Whole(**options), PARTS)
    assert str(refused.value) == told


def test_somebodys_own_part_may_be_of_any_kind_and_still_needs_its_options():
    class Own:
        def __init__(self, *, size: int) -> None: ...

    check_parts(Whole(net=partial(Own, size=3)), PARTS)
    with pytest.raises(BadInput, match="net: Own cannot do without size"):
        check_parts(Whole(net=Own), PARTS)
