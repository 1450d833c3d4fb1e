"""Domains: columns of a manifest, numbered, and carried with each example."""

from functools import partial

import pytest
import torch

from voxsphere.core.errors import BadInput
from voxsphere.data.batch import Item, collate
from voxsphere.data.training_set import training_set


def domain_of(i: int, column: str) -> int:
    return (i // 3 if column == "dataset" else i) % 3


def table(tmp_path, *columns: str, rows: int = 24, blank: bool = False):
    """Eight speakers of three utterances, each in one of three domains by every column; a speaker has one data set."""
    lines = ["\t".join(("path", "speaker", "duration", *columns))]
    for i in range(rows):
        told = [f"{column}{domain_of(i, column)}" if not (blank and i == 5) else "" for column in columns]
        lines.append("\t".join((f"{i}.wav", f"s{i // 3}", "2", *told)))
    path = tmp_path / "m.tsv"
    path.write_text("\n".join(lines) + "\n")
    return partial(training_set, manifest=str(path), held_out=2, targets=None)


@pytest.mark.parametrize("column", ["session", "dataset", "language", "gender", "microphone"])
def test_any_column_tells_domains(column, tmp_path):
    made = table(tmp_path, column)(domain=column)
    assert made.domain_names == (f"{column}0", f"{column}1", f"{column}2")
    assert made.domains == tuple(domain_of(int(u.id[:-4]), column) for u in made.train)


def test_nobody_is_told_domains_who_does_not_ask(tmp_path):
    make = table(tmp_path, "session")
    assert (make().domains, make().domain_names) == (None, ())
    assert make().fingerprint != make(domain="session").fingerprint


def test_copies_at_another_speed_are_of_the_same_domain(tmp_path):
    made = table(tmp_path, "session")(domain="session", speeds=(0.9,))
    half = len(made.train) // 2
    assert made.domains[:half] == made.domains[half:]


def test_an_unknown_column_is_answered_with_those_there_are(tmp_path):
    with pytest.raises(BadInput, match=r"m\.tsv: no column 'room' tells domains; there are: session, microphone$"):
        table(tmp_path, "session", "microphone")(domain="room")


def test_a_column_with_gaps_is_refused(tmp_path):
    with pytest.raises(BadInput, match=r"m\.tsv: 1 of \d+ utterances have no microphone; fill the column"):
        table(tmp_path, "microphone", blank=True)(domain="microphone", held_out=1, seed=3)


def item(speaker: int, domain: int | None = None) -> Item:
    return Item(torch.zeros(4), speaker, "x", None, (), domain)


def test_a_batch_carries_the_domains_to_the_device():
    batch = collate([item(0, 2), item(0, 1)])
    assert batch.domain.tolist() == [2, 1]
    assert batch.to(torch.device("meta")).domain.device.type == "meta"
    assert collate([item(0), item(1)]).domain is None


@pytest.mark.parametrize(
    ("speakers", "each"),
    [
        ([3, 3, 1, 1], 2), ([3, 1, 2], 1), ([4, 4, 4], 3), ([3, 3, 1], None), ([3, 1, 3, 1], None),
        ([3, 3, 1, 1, 3, 3], None), ([7], 1),
    ],
)  # fmt: skip
def test_a_batch_knows_how_many_utterances_stand_side_by_side(speakers, each):
    assert collate([item(speaker) for speaker in speakers]).utterances == each
