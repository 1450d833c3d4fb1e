"""A manifest made ready to learn known speakers from: the same speakers teach and judge, by different recordings."""

from collections.abc import Iterable

from voxsphere.core.errors import BadInput
from voxsphere.core.files import expanded
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.core.random import stream
from voxsphere.core.trials import Trials
from voxsphere.data.by_speaker import warned
from voxsphere.data.domains import check_domain
from voxsphere.data.manifests import open_manifest
from voxsphere.data.split_table import named, with_splits
from voxsphere.data.training_set import TrainingSet


def closed_set(
    *,
    manifest: str,
    split: str = "train",
    judge: str = "dev",
    share: float = 0.2,
    least: int = 2,
    min_utterances: int = 2,
    datasets: tuple[str, ...] = (),
    split_table: str = "",
    domain: str = "",
    seed: int = 0,
) -> TrainingSet:
    """The recordings of `split` teach, and others of the same speakers judge: those of the split `judge`.

    Where the manifest has no utterance of the split `judge`, a drawn `share` of each speaker's recordings judges (at
    least one, and none of a speaker who has fewer than `least`). Where it tells no splits at all, all are of `split`;
    `split_table` names the splits of speakers instead. Taken are the `datasets` named, and speakers with
    `min_utterances` or more to teach and to judge with. Paths may name environment variables. `domain` is as in
    `training_set`.

    `BadInput` where fewer than two speakers are left to learn, nobody is left to judge, or a recording that judges is
    of a speaker who is not learnt.
    """
    whole = _of_datasets(named(with_splits(open_manifest(expanded(manifest)), split_table)), datasets, manifest)
    splits = {utterance.split for utterance in whole}
    teaching = [u for u in whole if u.split == split or splits == {""}]
    judging = [u for u in whole if u.split == judge and judge != split]
    if not judging:
        teaching, judging = _drawn(teaching, share, least, seed)
    return closed(manifest, teaching, judging, min_utterances=min_utterances, domain=domain)


def closed(
    name: str,
    teaching: Iterable[Utterance],
    judging: Iterable[Utterance],
    *,
    min_utterances: int = 1,
    domain: str = "",
) -> TrainingSet:
    """The training set of these recordings, of the speakers who have enough of them, as `name` lists them."""
    teaching, judging = list(teaching), list(judging)
    count: dict[str, int] = {}
    for utterance in (*teaching, *judging):
        count[utterance.speaker] = count.get(utterance.speaker, 0) + 1
    train = Manifest(tuple(u for u in teaching if count[u.speaker] >= min_utterances))
    held_out = Manifest(tuple(u for u in judging if count[u.speaker] >= min_utterances))
    if len(train.speakers) < 2:
        raise BadInput(f"{name}: leaves {len(train.speakers)} speakers to learn from; two are the least")
    if not len(held_out):
        raise BadInput(f"{name}: leaves no recording to judge by; a speaker's recordings are to be two or more")
    if strangers := sorted(set(held_out.speakers) - set(train.speakers)):
        raise BadInput(
            f"{name}: {len(strangers)} speakers, such as {strangers[0]}, are to be told and are not learnt; a closed "
            "set judges by the speakers that it learns"
        )
    check_domain(train, domain, name)
    nothing = Trials.from_pairs([], [], [])
    return TrainingSet(train, held_out, nothing, stamp=warned(name), domain=domain, closed=True)


def _of_datasets(whole: Manifest, datasets: tuple[str, ...], name: str) -> Manifest:
    kept = tuple(u for u in whole if not datasets or u.dataset in datasets)
    if not kept:
        raise BadInput(f"{name}: none of its {len(whole)} utterances is of data sets {', '.join(datasets)}")
    return Manifest(kept)


def _drawn(
    utterances: Iterable[Utterance], share: float, least: int, seed: int
) -> tuple[list[Utterance], list[Utterance]]:
    """A share of each speaker's utterances to judge by, and the others."""
    if not 0 < share < 1:
        raise BadInput(f"a share of {share:g} cannot judge; give one between 0 and 1")
    of_speaker: dict[str, list[Utterance]] = {}
    for utterance in utterances:
        of_speaker.setdefault(utterance.speaker, []).append(utterance)
    judges: set[str] = set()
    for speaker, own in of_speaker.items():
        if len(own) >= max(2, least):
            order = stream("closed set", seed, speaker).permutation(len(own))
            judges |= {own[i].id for i in order[: max(1, round(share * len(own)))]}
    whole = [u for own in of_speaker.values() for u in own]
    return [u for u in whole if u.id not in judges], [u for u in whole if u.id in judges]
