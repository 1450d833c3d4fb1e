"""A corpus as the combined-loss system takes it: Kaldi folders of cepstra, HDF5 files by speaker, lists of trials."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from voxsphere.audio.features import Mfcc
from voxsphere.core.errors import BadInput
from voxsphere.core.files import atomic
from voxsphere.core.manifest import Manifest
from voxsphere.core.trials import Trials
from voxsphere.data.feature_choice import gathered, held_out_name, parted
from voxsphere.data.feature_sets import compute, convert
from voxsphere.data.forms.corpus import Corpus, Made, claim

CEPSTRA = partial(Mfcc, num_ceps=23, num_mels=23)
SOURCES = ("first", "second")


def combined_loss(
    corpus: Corpus,
    out: Path,
    *,
    min_recordings: int = 0,
    hold_out: int | None = None,
    seed: int = 0,
    progress: Callable[[int], None] = lambda done: None,
) -> Made:
    """Write into the folder `out`:

    - `mfcc/first` and `mfcc/second`: the cepstra (23 MFCC as Kaldi's) of the train speakers as feats.scp and feats.ark
      with utt2spk and spk2utt, their data sets dealt into two sources (their speakers, where there is one data set);
    - `train.hdf`, and `valid.hdf` of `hold_out` of the speakers (None: ten, or a quarter where that is less): both
      sources by speaker, as `features convert out/mfcc/first out/mfcc/second --hold-out 10 --out out/train.hdf` makes
      them, less speakers of fewer than `min_recordings`;
    - `mfcc/eval`: the same of what the trials name, as one folder for both sides of a trial;
    - `trials/NAME`: lists of `enrol test target|nontarget`; `speakers/NAME.spk2utt` and `speakers/NAME.trials`: each
      speaker of the list with the first half of his recordings in it, and lines `speaker test target|nontarget` whose
      tests are of the other half.

    `BadInput` where recordings cannot be read: a corpus is to be whole (`voxsphere check`); and where the folder holds
    another corpus, or something else.
    """
    teaching, judging = corpus.teaching, corpus.judging
    sources = _two_sources(teaching)
    claim(out, "combined_loss", ([(u.id, u.speaker) for u in (*teaching, *judging)], sorted(corpus.trials)))
    mfcc = out / "mfcc"
    folders = []
    for name, source in zip(SOURCES, sources, strict=True):
        _write_cepstra(source, mfcc / name, progress)
        folders.append(mfcc / name)
    whole, _ = parted(gathered(folders), min_recordings=min_recordings)
    if hold_out is None:
        hold_out = min(10, max(2, len(whole.speakers) // 4))
    if not 1 <= hold_out < len(whole.speakers):
        most = len(whole.speakers) - 1
        mend = f"--set hold_out= takes 1 to {most}" if most else "give more"
        raise BadInput(f"{hold_out} of {most + 1} speakers cannot be held out for valid.hdf; {mend}")
    train, valid = parted(whole, hold_out=hold_out, seed=seed)
    convert(train, out / "train.hdf")
    convert(valid, held_out_name(out / "train.hdf"))
    written = [*train, *valid]
    told = [f"train.hdf: {len(train)} utterances of {len(train.speakers)} speakers; valid.hdf: {hold_out} speakers"]
    if corpus.trials:
        _write_cepstra(judging, mfcc / "eval", progress)
        told += _write_trials(corpus, out)
        written += judging
    return Made(out, len(written), len({utterance.speaker for utterance in written}), tuple(told))


def _two_sources(manifest: Manifest) -> tuple[Manifest, Manifest]:
    """The manifest dealt into two by its data sets, or by its speakers where there is one data set."""
    sets = sorted({utterance.dataset for utterance in manifest})
    deal = {name: number % 2 for number, name in enumerate(sets if len(sets) > 1 else manifest.speakers)}
    if len(deal) < 2:
        raise BadInput(f"{len(deal)} speaker to learn from cannot be dealt into two sources; give two or more")
    side = [deal[u.dataset if len(sets) > 1 else u.speaker] for u in manifest]
    first, second = (tuple(u for u, s in zip(manifest, side, strict=True) if s == which) for which in (0, 1))
    return Manifest(first), Manifest(second)


def _write_cepstra(manifest: Manifest, folder: Path, progress: Callable[[int], None]) -> None:
    made = compute(manifest, CEPSTRA, folder / "feats.ark", progress=progress)
    if made.failures:
        name, reason = made.failures[0]
        raise BadInput(f"{name}: {reason} ({len(made.failures)} in all are told in {folder}/feats.failed.tsv)")


def _write_trials(corpus: Corpus, out: Path) -> list[str]:
    speaker_of, told = corpus.manifest.speaker_of(), []
    for name, trials in corpus.trials.items():
        trials.save(out / "trials" / name, "kaldi")
        enrolled, by_speaker = by_speakers(trials, speaker_of)
        with atomic(out / "speakers" / f"{name}.spk2utt") as file:
            file.writelines(f"{speaker} {' '.join(ids)}\n" for speaker, ids in sorted(enrolled.items()))
        by_speaker.save(out / "speakers" / f"{name}.trials", "kaldi")
        told.append(f"trials/{name}: {len(trials)} trials; of {len(enrolled)} speakers: {len(by_speaker)}")
    return told


def by_speakers(trials: Trials, speaker_of: Mapping[str, str]) -> tuple[dict[str, list[str]], Trials]:
    """Each speaker enrols with the first half of his recordings in the list; the other half is what is tested.

    A pair of an enrolled recording and a tested one becomes a trial of the one's speaker and the other, once.
    """
    heard: dict[str, list[str]] = {}
    for name in trials.ids:
        heard.setdefault(speaker_of[name], []).append(name)
    enrolled = {speaker: names[: (len(names) + 1) // 2] for speaker, names in heard.items()}
    enrols = {name for names in enrolled.values() for name in names}
    pairs = ((trials.ids[a], trials.ids[b]) for a, b in zip(trials.enrol, trials.test, strict=True))
    turned = (pair if pair[0] in enrols else pair[::-1] for pair in pairs)
    kept = dict.fromkeys((speaker_of[enrol], test) for enrol, test in turned if enrol in enrols and test not in enrols)
    labels = [speaker_of[test] == speaker for speaker, test in kept]
    return enrolled, Trials.from_pairs((speaker for speaker, _ in kept), (test for _, test in kept), labels)
