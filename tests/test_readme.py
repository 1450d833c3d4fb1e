"""What the README shows is what happens: its commands are run, its code is executed, its output is compared."""

import re
import shlex
from pathlib import Path

import pytest

from voxsphere.audio.wave import read, write
from voxsphere.demo.conversation import AUDIO
from voxsphere.pretrained.sources import fetch_member

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
# Where one of the conversation's two people talks alone, in seconds.
TURNS = {"alice-1": (14.7, 3.2), "alice-2": (21.8, 6.1), "bob-1": (11.05, 3.4), "bob-2": (18.6, 2.9)}


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def recordings(campplus, tmp_path, monkeypatch):
    """The files that the README speaks of, in the current folder."""
    audio = fetch_member(AUDIO)
    for name, (start, duration) in TURNS.items():
        wave = read(audio, rate=16000, start=start, duration=duration)
        write(tmp_path / f"{name}.wav", wave, 16000)
        write(tmp_path / "speakers" / name[:-2] / f"{name[-1]}.wav", wave, 16000)
    names = ["alice/1.wav", "alice/2.wav", "bob/1.wav", "bob/2.wav"]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    (tmp_path / "trials.txt").write_text("".join(f"{int(a[0] == b[0])} {a} {b}\n" for a, b in pairs))
    monkeypatch.chdir(tmp_path)


def shape(text: str) -> list[str]:
    """The lines without their numbers, which differ a little between machines."""
    return [re.sub(r"[+-]?\d[\d.,]*", "#", " ".join(line.split())) for line in text.strip().splitlines()]


@pytest.mark.pretrained
def test_the_commands_print_what_the_readme_shows(recordings, voxsphere):
    assert blocks("console")
    for block in blocks("console"):
        for call in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = call.partition("\n")
            program, *arguments = shlex.split(command)
            assert program == "voxsphere"
            done = voxsphere(*arguments)
            assert done.status == 0, done.err
            if shown.strip():
                assert shape(done.out) == shape(shown)


@pytest.mark.pretrained
def test_the_python_code_runs(recordings, capsys):
    assert blocks("python")
    for code in blocks("python"):
        exec(compile(code, "README.md", "exec"), {})
    assert capsys.readouterr().out.strip() == "same speaker"


def test_the_readme_names_every_verb():
    from voxsphere.cli.commands import app

    verbs = {command.callback.__name__ for command in app.registered_commands}
    assert [verb for verb in sorted(verbs) if f"voxsphere {verb}" not in README] == []
