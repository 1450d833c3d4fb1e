"""What the timed loops read, made of the development corpus once.

    PEERS/venv/bin/python -m studies.peers.inputs PEERS $VOXSPHERE_CORPUS

Writes PEERS/train.tsv (path, speaker: 4,296 recordings of 1,654 train speakers, none shorter than a second), the
corpus' noise, music and rooms as 16-bit WAV files, SpeechBrain's tables of them, and WeSpeaker's LMDBs, by the tool of
its clone PEERS/wespeaker.
"""

import argparse
import csv
import hashlib
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import soundfile

SETS = ("an4", "librispeech", "commonvoice_multi", "commonvoice_single", "voxforge", "fsdd")
KINDS = {"noise": ("noise", "music"), "rir": ("rir",)}


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a file of tab-separated columns."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def train_files(corpus: Path) -> list[tuple[str, str]]:
    """(path, DATASET/SPEAKER) of the recordings to train on, sorted; an eighth of the speakers with two is left out."""
    split = {(row["dataset"], row["speaker"]): row["split"] for row in table(corpus / "split.tsv")}
    spoken: dict[str, list[str]] = defaultdict(list)
    for row in table(corpus / "manifest.tsv"):
        known = row["dataset"] in SETS and split.get((row["dataset"], row["speaker"])) == "train"
        if known and float(row["duration_s"]) >= 1.0:
            spoken[f"{row['dataset']}/{row['speaker']}"].append(str(corpus / row["path"]))
    return [
        (path, speaker)
        for speaker, paths in sorted(spoken.items())
        if len(paths) < 2 or hashlib.sha1(speaker.encode()).hexdigest()[0] not in "01"
        for path in sorted(paths)
    ]


def _sounds(corpus: Path, folder: Path, kind: str) -> list[tuple[Path, float]]:
    """WAV files of one kind of sound, and their seconds."""
    made = []
    (folder / kind).mkdir(parents=True, exist_ok=True)
    for source in sorted((corpus / "augment" / kind).iterdir()):
        wave, rate = soundfile.read(source, dtype="int16")
        target = folder / kind / f"{source.stem}.wav"
        soundfile.write(target, wave, rate, subtype="PCM_16")
        made.append((target, len(wave) / rate))
    return made


def main() -> None:
    """Write everything."""
    parser = argparse.ArgumentParser()
    for name in ("peers", "corpus"):
        parser.add_argument(name, type=Path)
    asked = parser.parse_args()
    peers, corpus = asked.peers.resolve(), asked.corpus.resolve()
    rows = "".join(f"{path}\t{speaker}\n" for path, speaker in train_files(corpus))
    (peers / "train.tsv").write_text(f"path\tspeaker\n{rows}", encoding="utf-8")
    for name, kinds in KINDS.items():
        sounds = [(kind, path, length) for kind in kinds for path, length in _sounds(corpus, peers / "sounds", kind)]
        lines = [f"{kind}/{path.stem},{length},{path},wav,\n" for kind, path, length in sounds]
        (peers / f"{name}.csv").write_text("".join(["ID,duration,wav,wav_format,wav_opts\n", *lines]))
        # WeSpeaker tells music from noise by how the key begins.
        (peers / f"{name}.scp").write_text("".join(f"{kind}/{path.stem} {path}\n" for kind, path, _ in sounds))
        tool = peers / "wespeaker" / "tools" / "make_lmdb.py"
        subprocess.run([sys.executable, tool, peers / f"{name}.scp", peers / f"{name}.lmdb"], check=True)


if __name__ == "__main__":
    main()
