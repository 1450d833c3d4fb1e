"""What a run does: it learns, keeps to its recipe, and says in one line what stops it."""

import errno
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from tiny_recipe import recipe as tiny_recipe
from torch import optim

from voxsphere.core.errors import BadInput
from voxsphere.train import checkpoint
from voxsphere.train.journal import Journal
from voxsphere.train.logbook import read_logbook
from voxsphere.train.loop import Step
from voxsphere.train.parts import PARTS
from voxsphere.train.run import train
from voxsphere.train.sam import Sam
from voxsphere.train.schedule import Constant, Plateau, Stopping
from voxsphere.train.weights import Weights


@pytest.fixture
def tiny(speakers, monkeypatch):
    """The tiny recipe on the made-up speakers."""
    monkeypatch.setenv("SPEAKERS", str(speakers))
    return tiny_recipe()


def last_weights(folder: Path) -> dict[str, torch.Tensor]:
    return Weights(folder / "weights", keep="last", count=1).model()


def lines(folder: Path, kind: str) -> list[dict]:
    return [line for line in read_logbook(folder / "logbook.jsonl") if line["kind"] == kind]


def test_a_run_learns_speakers_and_tells_others_apart(tiny, tmp_path):
    recipe = replace(tiny, epochs=30, keep="last", margin=None).with_options("objective.head.margin=0.0")
    train(recipe, tmp_path, workers=0)
    steps, judged = lines(tmp_path, "steps"), lines(tmp_path, "validation")
    assert len(judged) == 30
    assert np.mean([line["accuracy"] for line in steps[-10:]]) > 0.5  # one in eight by chance
    assert judged[-1]["eer"] < 0.2


def test_the_logbook_says_what_the_schedules_say(tiny, tmp_path):
    train(tiny, tmp_path, workers=0)
    logged = lines(tmp_path, "steps")
    per_epoch = 5  # 40 utterances of 8 speakers, 8 a batch
    assert [line["step"] for line in logged[:5]] == [2, 4, 5, 6, 8]
    assert logged[-1]["step"] == 8 * per_epoch
    assert logged[-1]["margin"] == pytest.approx(0.2)
    assert max(line["learning_rate"] for line in logged) <= 0.05
    assert logged[-1]["learning_rate"] < 0.005


def test_the_gradient_is_clipped_before_the_step(tiny, tmp_path):
    bounded = replace(
        tiny, clip=1e-3, optimizer=partial(optim.SGD, momentum=0.0), learning_rate=partial(Constant, value=1.0),
        epochs=1, margin=None, ema=None, keep="last",
    )  # fmt: skip
    train(replace(bounded, learning_rate=partial(Constant, value=0.0)), tmp_path / "still", workers=0)
    train(bounded, tmp_path / "moved", workers=0)
    still, moved = (last_weights(tmp_path / name) for name in ("still", "moved"))
    trained = [name for name in still if "running" not in name and "tracked" not in name]
    distance = torch.cat([(moved[name] - still[name]).flatten() for name in trained]).norm()
    assert 0 < distance <= 5 * 1e-3 * 1.001


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "Adagrad", "RMSprop", "LBFGS"])
def test_torch_optimisers_are_taken_as_they_are(name, tiny, tmp_path):
    short = replace(tiny, optimizer=PARTS[name], epochs=1, learning_rate=partial(Constant, value=1e-3))
    assert train(short, tmp_path, workers=0).finished


def test_sam_steps_where_the_loss_is_worst_near_by(tiny, tmp_path):
    base = partial(optim.SGD, momentum=0.9)
    short = replace(tiny, epochs=2, keep="last", ema=None)
    train(replace(short, optimizer=base), tmp_path / "plain", workers=0)
    train(replace(short, optimizer=partial(Sam, base=base, rho=0.0)), tmp_path / "none", workers=0)
    train(replace(short, optimizer=partial(Sam, base=base, rho=0.5)), tmp_path / "sam", workers=0)
    plain, none, sam = (last_weights(tmp_path / name) for name in ("plain", "none", "sam"))
    name = "encoder.layers.0.conv.weight"
    torch.testing.assert_close(none[name], plain[name], rtol=1e-4, atol=1e-6)
    assert not torch.allclose(sam[name], plain[name], rtol=1e-2)


def test_bf16_trains(tiny, tmp_path):
    train(replace(tiny, compute="bf16", epochs=2), tmp_path, workers=0)
    assert all(np.isfinite(line["loss"]) for line in lines(tmp_path, "steps"))
    assert last_weights(tmp_path)["encoder.layers.0.conv.weight"].dtype == torch.float32


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU knows fp16")
def test_fp16_without_a_gpu_is_one_line(tiny, tmp_path):
    with pytest.raises(BadInput, match="fp16 needs a GPU; take bf16"):
        train(replace(tiny, compute="fp16"), tmp_path)


def test_a_plateau_lowers_the_rate_and_patience_ends_the_run(tiny, tmp_path):
    stuck = replace(
        tiny, learning_rate=partial(Plateau, initial=0.0, factor=0.5, patience=0),
        stopping=partial(Stopping, patience=3, minimum_improvement=1.0), epochs=20,
    )  # fmt: skip
    outcome = train(stuck, tmp_path, workers=0)
    assert outcome.finished
    assert len(lines(tmp_path, "validation")) == 4


def test_the_best_epoch_is_kept_where_that_is_asked_for(tiny, tmp_path):
    train(replace(tiny, keep="best"), tmp_path, workers=0)
    figures = [line["eer"] for line in lines(tmp_path, "validation")]
    best = max(epoch for epoch, figure in enumerate(figures, 1) if figure == min(figures))
    assert Weights(tmp_path / "weights", keep="best", count=1).epochs == (best,)


def test_a_finished_run_has_nothing_left_to_do(tiny, tmp_path):
    first = train(tiny, tmp_path, workers=0)
    before = (tmp_path / "logbook.jsonl").read_bytes()
    again = train(tiny, tmp_path, workers=0)
    assert (first.resumed_at, again.resumed_at, again.finished) == (0, first.steps, True)
    assert (tmp_path / "logbook.jsonl").read_bytes() == before


def test_a_folder_of_another_recipe_is_refused_and_the_option_named(tiny, tmp_path):
    train(replace(tiny, epochs=1), tmp_path, workers=0)
    with pytest.raises(BadInput, match=r"another recipe \(model\.encoder\.width: 12 → 20\)"):
        train(replace(tiny, epochs=1).with_options("model.encoder.width=20"), tmp_path, workers=0)


def test_a_learning_rate_that_would_do_nothing_is_refused(tiny):
    with pytest.raises(BadInput, match=r"optimizer\.lr: 0\.5 would do nothing"):
        replace(tiny, optimizer=partial(optim.SGD, lr=0.5))
    with pytest.raises(BadInput, match=r"optimizer\.lr: 0\.5 would do nothing"):
        replace(tiny, optimizer=partial(Sam, base=partial(optim.SGD, lr=0.5)))


def test_weights_that_a_broken_run_left_are_not_the_models(tiny, tmp_path):
    train(replace(tiny, epochs=2, keep="best"), tmp_path, workers=0)
    stale = tmp_path / "weights" / "epoch-000009.safetensors"
    stale.write_bytes(b"of a run that died before its checkpoint")
    assert train(replace(tiny, epochs=2, keep="best"), tmp_path, workers=0).finished
    assert not stale.exists()


def test_a_recipe_of_a_later_version_is_refused(tiny, tmp_path):
    train(replace(tiny, epochs=1), tmp_path, workers=0)
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 99}))
    with pytest.raises(BadInput, match="form 99, this version reads 1; update voxsphere"):
        train(replace(tiny, epochs=1), tmp_path, workers=0)


def test_other_data_are_refused(tiny, tmp_path):
    train(replace(tiny, epochs=1), tmp_path, workers=0)
    path = tmp_path / "data.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"fingerprint": "0"}))
    with pytest.raises(BadInput, match="was begun with other data"):
        train(replace(tiny, epochs=1), tmp_path, workers=0)


def test_two_runs_do_not_share_a_folder(tiny, tmp_path):
    holding = "import sys; from pathlib import Path; from voxsphere.train.lock import only_here\n"
    holding += "with only_here(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    other = subprocess.Popen(
        [sys.executable, "-c", holding, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(BadInput, match="another process trains there"):
            train(tiny, tmp_path, workers=0)
    finally:
        other.communicate()
    assert train(replace(tiny, epochs=1), tmp_path, workers=0).finished


def test_a_full_disk_is_one_line_and_the_checkpoint_before_stands(tiny, tmp_path, monkeypatch):
    short = replace(tiny, epochs=2)
    saves = []
    whole = checkpoint.save

    def full(folder, step, state):
        saves.append(step)
        if len(saves) == 2:
            monkeypatch.setattr("os.fsync", no_space)
        return whole(folder, step, state)

    def no_space(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint, "save", full)
    with pytest.raises(BadInput, match="No space left on device"):
        train(short, tmp_path, workers=0, save_steps=2)
    monkeypatch.undo()
    state = checkpoint.newest(tmp_path / "checkpoints")
    assert state is not None
    assert state["step"] == saves[0]


def test_a_broken_file_is_named_once_and_replaced(tiny, speakers, tmp_path, monkeypatch):
    mended = copy_of(speakers, tmp_path / "speakers", broken=1)
    told = said_over_one_broken_file(tiny, mended, tmp_path, monkeypatch, epochs=4)
    assert sum("0.wav" in line for line in told) == 1


def test_a_held_out_file_that_is_broken_is_named_once_and_the_run_judged_without_it(
    tiny, speakers, tmp_path, monkeypatch
):
    held_out = tiny.data().held_out.utterances[0]
    (tmp_path / "speakers").mkdir()
    mended = copy_of(speakers, tmp_path / "speakers", broken=0)
    (mended / Path(held_out.path).relative_to(speakers)).write_bytes(b"no audio")
    told = said_over_one_broken_file(tiny, mended, tmp_path, monkeypatch, epochs=3)
    assert sum("the run is judged without it" in line for line in told) == 1


def test_the_share_that_may_be_broken_is_one_of_files_and_does_not_grow_with_the_epochs(tmp_path):
    def dealt(broken: int, rounds: int) -> None:
        books = Journal(tmp_path, Accelerator(cpu=True), files=2000, max_broken=0.01, told=lambda line: None)
        failed = tuple((f"/{i}.wav", f"/{i}.wav: is damaged") for i in range(broken))
        for number in range(rounds):
            found = failed if number + 1 == rounds else ()
            books.add(Step(number, {"loss": torch.zeros(())}, 0.1, None, None, found, 0.0), utterances=1000)

    dealt(20, 100)
    with pytest.raises(BadInput, match="21 files cannot be read"):
        dealt(21, 100)
    with pytest.raises(BadInput, match="11 files cannot be read"):
        dealt(11, 1)


def test_a_run_that_was_refused_leaves_its_folder_free(tiny, tmp_path):
    with pytest.raises(BadInput, match="cannot be shared out"):
        train(replace(tiny, accumulate=3), tmp_path, workers=0)
    assert train(replace(tiny, epochs=1), tmp_path, workers=0).finished


def test_a_run_that_lost_its_checkpoints_begins_anew_and_keeps_what_it_had(tiny, tmp_path):
    short = replace(tiny, epochs=2)
    train(short, tmp_path, workers=0)
    logbook = (tmp_path / "logbook.jsonl").read_bytes()
    shutil.rmtree(tmp_path / "checkpoints")
    told: list[str] = []
    assert train(short, tmp_path, workers=0, told=told.append).resumed_at == 0
    assert told == [f"no checkpoint can be used: the run begins anew; what it had is in {tmp_path / 'lost-1'}"]
    assert (tmp_path / "lost-1" / "logbook.jsonl").read_bytes() == logbook
    assert len(list((tmp_path / "lost-1" / "weights").iterdir())) >= 1


def test_a_run_whose_recipe_is_gone_is_not_taken_for_another(tiny, tmp_path):
    train(replace(tiny, epochs=1), tmp_path, workers=0)
    (tmp_path / "recipe.json").unlink()
    with pytest.raises(BadInput, match=r"recipe\.json: is gone, but the run's checkpoints are there"):
        train(tiny, tmp_path, workers=0)


@pytest.mark.parametrize("content", ["{}", "[]", "null", '{"fingerprint": 1}'])
def test_a_note_of_the_data_that_says_nothing_is_one_line(content, tiny, tmp_path):
    train(replace(tiny, epochs=1), tmp_path, workers=0)
    (tmp_path / "data.json").write_text(content)
    with pytest.raises(BadInput, match=r"data\.json: does not tell what the run learns from"):
        train(replace(tiny, epochs=1), tmp_path, workers=0)


def test_compiling_says_that_the_first_step_takes_long(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self: None)  # the compiler itself is torch's to test
    told: list[str] = []
    assert train(replace(tiny, compile=True, epochs=1), tmp_path, workers=0, told=told.append).finished
    assert any("compiled in the first step" in line for line in told)


def test_weights_that_have_changed_are_named(tiny, tmp_path):
    train(replace(tiny, epochs=1), tmp_path, workers=0)
    (path,) = (tmp_path / "weights").iterdir()
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(BadInput, match="is damaged; remove it"):
        last_weights(tmp_path)


@pytest.mark.parametrize(
    ("name", "told"), [("Muon", "cannot be made for this model"), ("SparseAdam", "sparse gradients")]
)
def test_an_optimiser_that_does_not_suit_the_model_is_one_line(name, told, tiny, tmp_path):
    with pytest.raises(BadInput, match=told):
        train(replace(tiny, optimizer=PARTS[name]), tmp_path, workers=0)


def test_too_many_broken_files_end_the_run(tiny, speakers, tmp_path, monkeypatch):
    monkeypatch.setenv("SPEAKERS", str(copy_of(speakers, tmp_path / "speakers", broken=3)))
    with pytest.raises(BadInput, match=r"files cannot be read, more than 1\.0%"):
        train(tiny, tmp_path / "run", workers=0)


def test_pieces_of_one_utterance_are_one_line(tiny, tmp_path):
    with pytest.raises(BadInput, match="no spread for batch norm"):
        train(replace(tiny, accumulate=8), tmp_path, workers=0)


def test_a_batch_that_cannot_be_shared_out_is_one_line(tiny, tmp_path):
    with pytest.raises(BadInput, match="cannot be shared out evenly to 1 processes × 3 pieces"):
        train(replace(tiny, accumulate=3), tmp_path, workers=0)


def test_what_is_no_number_ends_the_run_and_is_not_saved(tiny, tmp_path):
    wild = replace(tiny, learning_rate=partial(Constant, value=1e30), clip=None, ema=None, log_every=100)
    with pytest.raises(BadInput, match="is no number any more at step"):
        train(wild, tmp_path, workers=0, save_steps=1)
    state = checkpoint.newest(tmp_path / "checkpoints")
    assert state is not None
    assert all(row.isfinite().all() for row in state["journal"]["pending"])
    assert all(value.isfinite().all() for value in state["objective"].values())


def said_over_one_broken_file(tiny, speakers: Path, tmp_path: Path, monkeypatch, *, epochs: int) -> list[str]:
    monkeypatch.setenv("SPEAKERS", str(speakers))
    told: list[str] = []
    outcome = train(replace(tiny, epochs=epochs), tmp_path / "run", workers=0, told=told.append)
    assert outcome.finished
    assert len(outcome.broken) == 1
    return told


def copy_of(speakers: Path, folder: Path, *, broken: int) -> Path:
    """A copy in which the first files of every speaker of the first ten hold no audio."""
    for path in sorted(speakers.rglob("*.wav")):
        copy = folder / path.relative_to(speakers)
        copy.parent.mkdir(parents=True, exist_ok=True)
        spoilt = int(path.stem) < broken and (broken > 1 or path.parent.name == "s00")
        copy.write_bytes(b"no audio" if spoilt else path.read_bytes())
    return folder


@pytest.mark.parametrize("rate", [1e10, 1e30, 1e38])
def test_weights_that_leave_the_numbers_in_an_epochs_last_step_are_told_like_a_loss(rate, tiny, tmp_path):
    wild = replace(
        tiny, batch_size=40, accumulate=1, learning_rate=partial(Constant, value=rate), clip=None, ema=None, margin=None
    )
    with pytest.raises(BadInput, match="is no number any more at step 1; lower the learning rate"):
        train(wild, tmp_path, workers=0)
    assert not list(tmp_path.glob("checkpoints/*"))
    assert not list(tmp_path.glob("weights/*"))


def test_weights_that_are_no_numbers_are_not_saved_though_nobody_validates(tiny, tmp_path):
    wild = replace(
        tiny, batch_size=40, accumulate=1, learning_rate=partial(Constant, value=1e38), clip=None, ema=None, margin=None
    ).with_options("validation.every=4")
    with pytest.raises(BadInput, match="one of the weights is no number any more at step 1"):
        train(wild, tmp_path, workers=0)
    assert not list(tmp_path.glob("checkpoints/*"))
