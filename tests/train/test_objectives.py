"""Ways to train: each objective is the sum of its parts, learns, and refuses what it cannot learn from."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from torch import Tensor
from torch.nn import functional

from voxsphere.core.errors import BadInput
from voxsphere.data.batch import Batch, Item, collate
from voxsphere.data.samplers import SpeakersByUtterances
from voxsphere.data.training_set import training_set
from voxsphere.losses.center import CenterLoss
from voxsphere.losses.koleo import KoLeo
from voxsphere.losses.margin import AamSoftmax
from voxsphere.losses.min_arc import MinArc
from voxsphere.losses.mined import Mined
from voxsphere.losses.miners.all_triplets import AllTriplets
from voxsphere.losses.miners.batch_hard import BatchHard
from voxsphere.losses.prototypical import AngularPrototypical
from voxsphere.losses.softmax import Softmax
from voxsphere.losses.triplet import Triplet
from voxsphere.pretrained import load
from voxsphere.recipes.smoke import smoke
from voxsphere.train import checkpoint
from voxsphere.train.assembly import assemble
from voxsphere.train.logbook import read_logbook
from voxsphere.train.objectives import (
    Classification,
    Distillation,
    DomainAdversarial,
    Joint,
    Metric,
    Mixup,
    Reversal,
)
from voxsphere.train.objectives.adversarial import reversed_gradient
from voxsphere.train.objectives.tuples import spread
from voxsphere.train.parameters import parameter_groups
from voxsphere.train.run import train
from voxsphere.train.sam import Sam
from voxsphere.train.schedule import Constant, Progress

MINED = partial(Mined, loss=Triplet, miner=BatchHard)


class Voice(torch.nn.Module):
    """Stands for a speaker model: a linear map of the wave, frame by frame where it is asked so."""

    dim, width, rate = 5, None, 16000

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(1)
        self.encoder = torch.nn.Linear(8, 5)
        self.features = torch.nn.Tanh()
        self.pooling = self.projection = torch.nn.Identity()

    def forward(self, wave: Tensor, *, masks: Tensor | None = None) -> Tensor:
        return self.encoder(self.features(wave))

    def features_of(self, wave: Tensor) -> Tensor:
        return self.features(wave)

    def embed_features(self, features: Tensor) -> Tensor:
        return self.encoder(features)


def batch_of(*speakers: int, domains: tuple[int, ...] | None = None) -> Batch:
    generator = torch.Generator().manual_seed(3)
    waves = torch.randn(len(speakers), 8, generator=generator)
    return collate(
        [
            Item(waves[i], speaker, str(i), None, (), None if domains is None else domains[i])
            for i, speaker in enumerate(speakers)
        ]
    )


PK = (2, 2, 2, 0, 0, 0, 5, 5, 5, 1, 1, 1)


@pytest.fixture
def smoke_here(speakers):
    """The smoke recipe on the made-up speakers, in pairs of a speaker's utterances."""
    data = partial(training_set, manifest=str(speakers), held_out=4, targets=20)
    return replace(
        smoke(), data=data, sampler=partial(SpeakersByUtterances, utterances=2), epochs=8, batch_size=8, log_every=1
    )


def test_classification_adds_each_penalty_under_its_own_name():
    penalties = (CenterLoss, partial(KoLeo, lamb=0.5), partial(KoLeo, lamb=0.1, form="log"))
    objective = Classification(Voice(), 6, head=AamSoftmax, penalties=penalties)
    batch = batch_of(*PK)
    found = objective(batch)
    embedding = objective.model(batch.wave)
    centre = objective.penalties["CenterLoss"](embedding, batch.speaker, None)
    near, log = (
        KoLeo(5, 6, lamb=0.5)(embedding, batch.speaker),
        KoLeo(5, 6, lamb=0.1, form="log")(embedding, batch.speaker),
    )
    head = objective.head(embedding, batch.speaker)
    assert list(found) == ["loss", "classification", "CenterLoss", "KoLeo", "KoLeo2", "accuracy"]
    torch.testing.assert_close([found[name] for name in list(found)[1:5]], [head, centre, near, log])
    torch.testing.assert_close(found["loss"], head + centre + near + log)


def test_penalties_are_given_the_class_weights_of_the_head():
    class Shy(torch.nn.Module):
        def __init__(self, in_dim: int, num_classes: int) -> None:
            super().__init__()

        def forward(self, embedding, speaker, classes):
            return classes.square().sum()

    objective = Classification(Voice(), 6, head=Softmax, penalties=(Shy,))
    torch.testing.assert_close(objective(batch_of(*PK))["Shy"], objective.head.weight.square().sum())


def test_metric_is_its_loss_on_speakers_by_utterances():
    objective = Metric(Voice(), 6, metric=AngularPrototypical)
    batch = batch_of(*PK)
    found = objective(batch)
    expected = AngularPrototypical()(objective.model(batch.wave).view(4, 3, 5))
    torch.testing.assert_close(found["loss"], expected)
    torch.testing.assert_close(found["spread"], spread(objective.model(batch.wave)))
    assert set(found) == {"loss", "spread"}


def test_metric_adds_each_penalty_and_tells_its_loss_apart():
    objective = Metric(Voice(), 6, metric=AngularPrototypical, penalties=(partial(KoLeo, lamb=0.5), KoLeo))
    batch = batch_of(*PK)
    found = objective(batch)
    embedding = objective.model(batch.wave)
    metric = AngularPrototypical()(embedding.view(4, 3, 5))
    first, second = (KoLeo(5, 6, lamb=lamb)(embedding, batch.speaker) for lamb in (0.5, 1e-3))
    assert list(found) == ["loss", "metric", "KoLeo", "KoLeo2", "spread"]
    torch.testing.assert_close(
        [found[name] for name in list(found)[:4]], [metric + first + second, metric, first, second]
    )
    with pytest.raises(BadInput, match="this head has none; take a head that has them"):
        Metric(Voice(), 6, metric=AngularPrototypical, penalties=(MinArc,))(batch)


def test_mined_triplets_are_counted_as_they_were_when_they_were_logged():
    objective = Metric(Voice(), 6, metric=MINED)
    first, again = objective(batch_of(*PK)), objective(batch_of(0, 0, 1, 1))
    assert (int(first["triplets"]), int(again["triplets"])) == (12, 4)
    assert 0 <= float(first["active"]) <= 1


@pytest.mark.parametrize("classified", ["all", "first"])
def test_joint_is_the_weighted_sum_of_its_parts(classified):
    objective = Joint(
        Voice(), 6, head=AamSoftmax, metric=partial(Mined, loss=Triplet, miner=AllTriplets), penalties=(KoLeo,),
        head_weight=0.3, metric_weight=2.0, classified=classified,
    )  # fmt: skip
    batch = batch_of(*PK)
    found = objective(batch)
    embedding = objective.model(batch.wave)
    asked = [0, 3, 6, 9] if classified == "first" else list(range(12))
    head = objective.head(embedding[asked], batch.speaker[asked])
    metric = objective.metric(embedding.view(4, 3, 5))
    koleo = KoLeo(5, 6)(embedding, batch.speaker)
    torch.testing.assert_close(found["loss"], 0.3 * head + 2 * metric + koleo)
    torch.testing.assert_close([found[n] for n in ("classification", "metric", "KoLeo")], [head, metric, koleo])


@pytest.mark.parametrize("level", ["wave", "features"])
def test_mixup_is_two_hard_losses_in_the_share_that_was_drawn(level):
    objective = Mixup(Voice(), 6, head=AamSoftmax, alpha=0.7, level=level)
    batch = batch_of(*PK)
    torch.manual_seed(11)
    found = objective(batch)["loss"]
    torch.manual_seed(11)
    share, other = torch.distributions.Beta(0.7, 0.7).sample(), torch.randperm(12)
    x = batch.wave if level == "wave" else batch.wave.tanh()
    mixed = share * x + (1 - share) * x[other]
    embedding = objective.model.encoder(mixed.tanh() if level == "wave" else mixed)
    one, two = objective.head(embedding, batch.speaker), objective.head(embedding, batch.speaker[other])
    torch.testing.assert_close(found, share * one + (1 - share) * two)


def test_features_are_mixed_in_the_precision_of_the_weights():
    model = smoke().model().double()
    objective = Mixup(model, 6, head=AamSoftmax, level="features").double()
    wave = torch.randn(4, 16000, generator=torch.Generator().manual_seed(2))
    batch = collate([Item(wave[i], i, str(i), None, ()) for i in range(4)])
    assert torch.isfinite(objective(batch)["loss"])


def test_mixed_hard_losses_are_those_of_soft_targets():
    objective = Mixup(Voice(), 6, head=Softmax, alpha=1.0)
    batch = batch_of(*PK)
    torch.manual_seed(5)
    found = objective(batch)["loss"]
    torch.manual_seed(5)
    share, other = torch.distributions.Beta(1.0, 1.0).sample(), torch.randperm(12)
    embedding = objective.model(share * batch.wave + (1 - share) * batch.wave[other])
    hot = functional.one_hot(batch.speaker, 6).float()
    torch.testing.assert_close(found, objective.head(embedding, share * hot + (1 - share) * hot[other]))


def test_shares_are_drawn_from_the_beta_distribution():
    objective = Mixup(Voice(), 6, head=Softmax, alpha=0.4)
    torch.manual_seed(0)
    shares = torch.stack([objective._drawn(torch.zeros(2))[0] for _ in range(4000)])
    assert float(shares.mean()) == pytest.approx(0.5, abs=0.03)
    assert float(shares.var()) == pytest.approx(1 / (4 * (2 * 0.4 + 1)), abs=0.01)  # a²/((2a)²(2a + 1))


@pytest.mark.parametrize("distance", ["cosine", "squared"])
def test_distillation_is_the_weighted_sum_of_its_lessons(distance, tiny_model):
    torch.manual_seed(0)
    objective = Distillation(
        load(tiny_model).model.train(), 6, teacher=str(tiny_model), head=AamSoftmax, distance=distance,
        head_weight=0.5, embedding_weight=2.0, logit_weight=0.25, temperature=3.0,
    )  # fmt: skip
    wave = torch.randn(4, 8000, generator=torch.Generator().manual_seed(0)) / 10
    batch = collate([Item(wave[i], i, str(i), None, ()) for i in range(4)])
    found = objective(batch)
    student, teacher = objective.model(wave), load(tiny_model).model(wave).detach()
    own, theirs = objective.head.logits(student), objective.teacher_head.logits(teacher)
    p, q = (theirs / 3).softmax(1), (own / 3).softmax(1)
    apart = (
        1 - functional.cosine_similarity(student, teacher).mean()
        if distance == "cosine"
        else (student - teacher).square().mean()
    )
    parts = {
        "embedding": apart,
        "classification": objective.head(student, batch.speaker),
        "teacher_head": objective.teacher_head(teacher, batch.speaker),
        "logits": 9 * (p * (p / q).log()).sum(1).mean(),
    }
    for name, value in parts.items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-5)
    total = 2 * parts["embedding"] + 0.5 * parts["classification"] + 0.25 * parts["logits"] + parts["teacher_head"]
    torch.testing.assert_close(found["loss"], total, rtol=1e-4, atol=1e-5)


def test_the_teacher_stays_as_it_is(tiny_model):
    torch.manual_seed(0)
    student = partial(type(load(tiny_model).model), **_parts(tiny_model, dim=7))()
    objective = Distillation(student, 4, teacher=str(tiny_model), head=Softmax)
    (teacher,) = objective._teacher
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    objective.train()
    assert objective.map.weight.shape == (16, 7)
    wave = torch.randn(4, 8000) / 10
    optimizer = torch.optim.SGD(parameter_groups(objective), lr=0.1)
    objective(collate([Item(wave[i], i, str(i), None, ()) for i in range(4)]))["loss"].backward()
    optimizer.step()
    assert not any(module.training for module in teacher.modules())
    assert all(torch.equal(value, teacher.state_dict()[name]) for name, value in before.items())
    assert all(parameter.grad is None for parameter in teacher.parameters())
    trained = {id(p) for group in optimizer.param_groups for p in group["params"]}
    assert trained == {id(p) for p in objective.parameters()}
    assert not trained & {id(p) for p in teacher.parameters()}
    held = sum(value.numel() for value in objective.state_dict().values())
    assert held < sum(v.numel() for v in student.state_dict().values()) + 16 * 7 + 4 * (16 + 7 + 2) + 20


def test_the_teachers_head_learns_from_its_own_loss_alone(tiny_model):
    torch.manual_seed(0)
    objective = Distillation(
        load(tiny_model).model, 4, teacher=str(tiny_model), head=Softmax, head_weight=0, embedding_weight=0
    )
    wave = torch.randn(4, 8000) / 10
    found = objective(collate([Item(wave[i], i, str(i), None, ()) for i in range(4)]))
    (from_whole,) = torch.autograd.grad(found["loss"], [objective.teacher_head.weight], retain_graph=True)
    (from_own,) = torch.autograd.grad(found["teacher_head"], [objective.teacher_head.weight], retain_graph=True)
    torch.testing.assert_close(from_whole, from_own)
    reached = torch.autograd.grad(found["teacher_head"], list(objective.model.parameters()), allow_unused=True)
    assert all(gradient is None for gradient in reached)


def test_another_teacher_than_that_of_the_checkpoint_is_refused(tiny_model):
    objective = Distillation(load(tiny_model).model, 4, teacher=str(tiny_model), head=Softmax)
    state = objective.state_dict()
    objective.load_state_dict(state)
    objective.fingerprint = "0" * 12
    with pytest.raises(BadInput, match=r"objective\.teacher: is another model \(000000000000\)"):
        objective.load_state_dict(state)


def test_lessons_of_no_weight_have_no_parameters(tiny_model):
    objective = Distillation(
        load(tiny_model).model, 4, teacher=str(tiny_model), head=Softmax, head_weight=0, logit_weight=0
    )
    assert list(objective.parameters()) == list(objective.model.parameters()) or all(
        name.startswith("model.") for name, _ in objective.named_parameters()
    )
    wave = torch.randn(2, 8000) / 10
    assert set(objective(collate([Item(wave[i], i, str(i), None, ()) for i in range(2)]))) == {"loss", "embedding"}


def test_the_gradient_is_turned_round_and_the_value_is_not():
    x = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    turned = reversed_gradient(x, torch.tensor(0.7))
    assert torch.equal(turned, x)
    turned.square().sum().backward()
    torch.testing.assert_close(x.grad, -0.7 * 2 * x.detach())


def test_the_domain_classifier_helps_itself_and_hinders_the_embedding():
    objective = DomainAdversarial(Voice(), 6, 2, head=Softmax, reversal=partial(Constant, value=0.5), hidden=4)
    batch = batch_of(*PK, domains=(0, 1, 1, 0, 1, 0, 1, 0, 0, 1, 0, 1))
    objective.set_progress(Progress(0, 100, 10))
    found = objective(batch)
    torch.testing.assert_close(found["loss"], found["classification"] + found["domain"])
    straight = functional.cross_entropy(objective.domain(objective.model(batch.wave)), batch.domain)
    torch.testing.assert_close(found["domain"], straight)
    own, encoder = objective.domain[0].weight, objective.model.encoder.weight
    theirs = torch.autograd.grad(straight, [own, encoder])
    turned = torch.autograd.grad(found["domain"], [own, encoder])
    torch.testing.assert_close(turned[0], theirs[0])
    torch.testing.assert_close(turned[1], -0.5 * theirs[1])


def test_the_reversal_grows_as_in_the_paper():
    values = [Reversal()(Progress(step, 100, 10)) for step in (0, 10, 50, 100)]
    assert values == pytest.approx([0.0, 2 / (1 + np.exp(-1)) - 1, 2 / (1 + np.exp(-5)) - 1, 2 / (1 + np.exp(-10)) - 1])
    assert Reversal(final=0.3)(Progress(100, 100, 10)) == pytest.approx(0.3, abs=1e-4)


def test_the_spread_is_one_less_the_mean_cosine_of_pairs():
    vectors = torch.randn(7, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) + 1
    cosines = [
        float(functional.cosine_similarity(vectors[i], vectors[j], dim=0)) for i in range(7) for j in range(7) if i != j
    ]
    assert float(spread(vectors)) == pytest.approx(1 - np.mean(cosines), rel=1e-6)
    assert float(spread(torch.ones(9, 4))) == 0
    near = torch.ones(50, 4) + 1e-4 * torch.randn(50, 4)
    assert 1e-9 < float(spread(near)) < 1e-7


@pytest.mark.parametrize(
    ("speakers", "what"),
    [
        ((0, 1, 0, 1), "speakers in turn"),
        ((0, 0, 1, 1, 1), "unlike numbers"),
        ((0, 0, 1, 1, 0, 0), "a speaker twice"),
        ((0, 1, 2, 3), "one utterance each"),
        ((0, 0, 0, 0), "one speaker"),
        ((0,), "a batch of one"),
    ],
)
def test_batches_that_have_nothing_to_compare_are_refused(speakers, what):
    for objective in (
        Metric(Voice(), 6, metric=AngularPrototypical), Joint(Voice(), 6, head=Softmax, metric=MINED),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=r"need batches of speakers by utterances.*SpeakersByUtterances") as refused:
            objective(batch_of(*speakers))
        assert "\n" not in str(refused.value), what


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: Joint(Voice(), 6, head=Softmax, metric=MINED, head_weight=-1.0), "head_weight: -1 is no weight"),
        (lambda: Joint(Voice(), 6, head=Softmax, metric=MINED, head_weight=0, metric_weight=0), "are all 0"),
        (lambda: Mixup(Voice(), 6, head=Softmax, alpha=0.0), "objective.alpha: 0 is not a number above 0"),
        (lambda: DomainAdversarial(Voice(), 6, 1, head=Softmax), "1 domains"),
        (lambda: Distillation(Voice(), 6, head=Softmax, teacher="no/such/place"), "objective.teacher: no model"),
    ],
)
def test_senseless_options_are_one_line(make, told):
    with pytest.raises(BadInput) as refused:
        make()
    assert told in str(refused.value)


def test_a_teacher_of_another_rate_is_refused(tiny_model):
    slow = Voice()
    slow.rate = 8000
    with pytest.raises(BadInput, match="hears 16000 samples a second, the student 8000"):
        Distillation(slow, 4, teacher=str(tiny_model), head=Softmax)


def test_the_command_line_builds_a_way_to_train(smoke_here):
    recipe = smoke_here.with_options(
        "objective=Joint", "objective.head=AamSoftmax", "objective.metric=AngularPrototypical",
        'objective.penalties=[{"part":"KoLeo","lamb":0.01}]',
    )  # fmt: skip
    made = assemble(recipe, recipe.data(), Accelerator(cpu=True)).objective
    assert isinstance(made, Joint)
    assert isinstance(made.metric, AngularPrototypical)
    assert made.penalties["KoLeo"].lamb == 0.01
    mined = smoke_here.with_options(
        "objective=Metric",
        "objective.metric=Mined",
        "objective.metric.loss=Triplet",
        "objective.metric.miner=BatchHard",
    )
    assert isinstance(assemble(mined, mined.data(), Accelerator(cpu=True)).objective, Metric)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (["objective=Metric", "objective.metric=AamSoftmax"], "AamSoftmax cannot stand there; there are: AngularProto"),
        (["objective=Metric", "objective.metric=Triplet"], "objective.metric: Triplet cannot stand there"),
        (["objective=Metric"], "objective: Metric cannot do without metric"),
        (["objective=Joint", "objective.metric=Ge2e"], "objective: Joint cannot do without head"),
        (["objective=Joints"], "did you mean 'Joint'?"),
        (['objective.penalties=[{"part":"Triplet"}]'], "Triplet cannot stand there; there are: CenterLoss"),
    ],
)
def test_a_misspelt_way_is_answered_with_what_fits(settings, told, smoke_here):
    with pytest.raises(BadInput) as refused:
        smoke_here.with_options(*settings)
    assert told in str(refused.value)


def test_a_shuffled_run_of_a_metric_loss_is_one_line(smoke_here, tmp_path):
    shuffled = smoke_here.with_options("objective=Metric", "objective.metric=Ge2e", "sampler=Shuffled")
    with pytest.raises(BadInput, match="metric losses need batches of speakers by utterances"):
        train(shuffled, tmp_path, workers=0)


def ways(teacher: Path) -> dict[str, dict]:
    head = partial(AamSoftmax, margin=0.1, scale=20.0)
    return {
        "classification": {"objective": partial(Classification, head=head, penalties=(CenterLoss, KoLeo))},
        "metric": {"objective": partial(Metric, metric=AngularPrototypical)},
        "mined": {"objective": partial(Metric, metric=MINED)},
        "joint": {"objective": partial(Joint, head=head, metric=MINED, penalties=(KoLeo,), classified="first")},
        "mixup": {"objective": partial(Mixup, head=head)},
        "distillation": {"objective": partial(Distillation, teacher=str(teacher), head=head)},
        "adversarial": {"objective": partial(DomainAdversarial, head=head)},
    }


WAYS = ("classification", "metric", "mined", "joint", "mixup", "distillation", "adversarial")


def run_of(way: str, recipe, tiny_model, tmp_path):
    options = ways(tiny_model)[way]
    if way == "adversarial":
        options["data"] = partial(
            training_set, manifest=str(two_rooms(recipe, tmp_path)), held_out=4, targets=20, domain="room"
        )
    return replace(recipe, **options)


def two_rooms(recipe, tmp_path) -> Path:
    """The recipe's recordings as a table that tells in which of two rooms each was made."""
    table = tmp_path / "rooms.tsv"
    if not table.exists():
        folder = Path(recipe.data.keywords["manifest"])
        rows = [f"{path}\t{path.parent.name}\troom {int(path.stem) % 2}" for path in sorted(folder.glob("*/*.wav"))]
        table.write_text("\n".join(["path\tspeaker\troom", *rows]) + "\n")
    return table


@pytest.mark.parametrize("way", WAYS)
def test_each_way_learns(way, smoke_here, tiny_model, tmp_path):
    recipe = run_of(way, smoke_here, tiny_model, tmp_path)
    train(recipe, tmp_path / "run", workers=0)
    told = list(read_logbook(tmp_path / "run" / "logbook.jsonl"))
    losses = [line["classification" if way == "adversarial" else "loss"] for line in told if line["kind"] == "steps"]
    assert len(losses) == 32
    assert np.mean(losses[-8:]) < 0.85 * np.mean(losses[:8])
    assert [line["kind"] for line in told].count("distances") == 8
    assert not [line for line in told if line["kind"] == "note"]


class Stop(Exception):
    pass


@pytest.mark.parametrize("way", WAYS[1:])
def test_each_way_goes_on_to_the_bit(way, smoke_here, tiny_model, tmp_path):
    def stopping(glance):
        if glance.step == 8:
            raise Stop

    recipe = replace(run_of(way, smoke_here, tiny_model, tmp_path), epochs=3, accumulate=2, keep="average")
    train(recipe, tmp_path / "whole", workers=0)
    with pytest.raises(Stop):
        train(recipe, tmp_path / "broken", workers=0, save_steps=3, watch=stopping)
    assert train(recipe, tmp_path / "broken", workers=0).resumed_at == 6
    whole, broken = (
        [path.read_bytes() for path in [run / "logbook.jsonl", *sorted((run / "weights").iterdir())]]
        for run in (tmp_path / "whole", tmp_path / "broken")
    )
    assert broken == whole


def _parts(folder: Path, **projection):
    from voxsphere.catalogue import CATALOGUE
    from voxsphere.core.files import read_json
    from voxsphere.core.parts import rebuild

    made = rebuild(read_json(folder / "recipe.json"), CATALOGUE).keywords
    return {**made, "projection": partial(made["projection"].func, **{**made["projection"].keywords, **projection})}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("options", [{"compute": "bf16"}, {"optimizer": Sam, "accumulate": 2}], ids=["bf16", "sam"])
def test_each_way_learns_in_bf16_and_around_the_worst_point(options, way, smoke_here, tiny_model, tmp_path):
    recipe = replace(run_of(way, smoke_here, tiny_model, tmp_path), epochs=2, **options)
    train(recipe, tmp_path / "run", workers=0)
    logged = [line for line in read_logbook(tmp_path / "run" / "logbook.jsonl") if line["kind"] == "steps"]
    assert np.isfinite([line["loss"] for line in logged]).all()
    if way == "adversarial":
        # λ is set from the step, in the second pass too; 10·p at the last of 8 steps.
        (state,) = [checkpoint.newest(tmp_path / "run" / "checkpoints")]
        expected = 2 / (1 + np.exp(-10 * 7 / 8)) - 1
        assert float(state["objective"]["strength"]) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("domain", "told"),
    [
        ("", r"objective: learns to tell domains apart, and the data name no two; name a column.*data\.domain=session"),
        ("house", r"rooms\.tsv: no column 'house' tells domains; there are: room$"),
    ],
)
def test_domains_that_nobody_tells_are_one_line(domain, told, smoke_here, tiny_model, tmp_path):
    recipe = run_of("adversarial", smoke_here, tiny_model, tmp_path)
    recipe = replace(recipe, data=partial(recipe.data.func, **{**recipe.data.keywords, "domain": domain}))
    with pytest.raises(BadInput, match=told):
        train(recipe, tmp_path / "run", workers=0)


def test_a_batch_without_domains_is_refused():
    with pytest.raises(BadInput, match=r"--set data\.domain=COLUMN"):
        DomainAdversarial(Voice(), 6, 2, head=Softmax)(batch_of(*PK))
