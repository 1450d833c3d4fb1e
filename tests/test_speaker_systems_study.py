"""The study of the speaker recognition systems: every row can be trained, and its section is made of what is stored."""

from pathlib import Path

import pytest
import torch
from studies.systems.place import Place
from studies.systems.speaker_systems import AAM_LONG, BEST, LONGER, LOSSES, NETWORKS, REFERENCE, STUDY, VARIANTS, recipe
from studies.systems.speaker_systems_section import ranking, section
from studies.systems.store import Store
from studies.systems.study import HELD_OUT, SEEDS

from voxsphere.metrics.detection import eer

STORED = Path(__file__).parents[1] / "studies/outputs/systems/speaker_systems"


@pytest.mark.parametrize("name", VARIANTS)
def test_a_row_is_a_narrow_network_of_the_system(name, tmp_path):
    made = recipe(Place.of("speaker_systems", tmp_path), VARIANTS[name], 0)
    with torch.device("meta"):
        model = made.model()
        made.objective(model=model, num_speakers=20)
    assert model.width == 40
    assert model.dim == 128
    assert sum(parameter.numel() for parameter in model.parameters()) < 1_500_000


def test_networks_and_losses_are_rows_and_not_their_product():
    assert not set(NETWORKS) & set(LOSSES)
    assert [row.name for row in STUDY.rows] == [*NETWORKS, *LOSSES, *LONGER]
    assert all(row.seeds == (SEEDS if row.name in (REFERENCE, "A-Softmax", *BEST) else SEEDS[:1]) for row in STUDY.rows)


def test_the_rows_of_three_seeds_are_the_five_best_of_the_first():
    store = Store(STORED)
    target = (sides := store.lists[HELD_OUT]).enrol == sides.test
    told = {name: store.scores(HELD_OUT, name)[0] for name in (*NETWORKS, *LOSSES)}
    error = {name: eer(scores[target], scores[~target]) for name, scores in told.items()}
    assert sorted(BEST) == sorted(sorted(error, key=error.__getitem__)[:5])


def test_the_best_are_ranked_by_held_out_train_speakers_alone():
    figures = {
        "lists": {
            HELD_OUT: {
                "rows": {
                    "ECAPA": {"eer": {"value": 0.2}},
                    REFERENCE: {"eer": {"value": 0.1}},
                    AAM_LONG: {"eer": {"value": 0.05}},  # of another budget
                }
            },
            "an4": {"rows": {"ECAPA": {"eer": {"value": 0.0}}, REFERENCE: {"eer": {"value": 0.4}}}},
        }
    }
    assert ranking(VARIANTS, figures) == [REFERENCE, "ECAPA"]


def test_a_study_that_has_not_been_run_has_its_budget_alone(tmp_path):
    assert section(VARIANTS, Store(tmp_path)) == STUDY.budget
