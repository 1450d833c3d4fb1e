"""UPC's speaker lab, replicated by ten files."""

import json

import numpy as np
import pytest

from voxsphere.audio.fmatrix import write_fmatrix
from voxsphere.audio.stores import read_array
from voxsphere.core.errors import BadInput
from voxsphere.data.corpora import prepare
from voxsphere.data.corpora.pav import speaker_index
from voxsphere.data.manifests import open_manifest


@pytest.fixture
def lab(tmp_path):
    """Three speakers with two files to learn from and one to be tested with; the tenth is in no list."""
    entries = [f"BLOCK0{s // 2}/SES00{s}/SA00{s}S0{n}" for s in range(3) for n in range(3)]
    for number, entry in enumerate([*entries, "BLOCK00/SES000/SA000S09"]):
        write_fmatrix(tmp_path / "mcp" / f"{entry}.mcp", np.full((5, 4), number, np.float32))
    for entry in entries[:2]:
        path = tmp_path / "speecon" / f"{entry}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "cfg").mkdir()
    (tmp_path / "cfg/all.train").write_text("".join(f"{e}\n" for e in entries if not e.endswith("2")))
    (tmp_path / "cfg/all.test").write_text("".join(f"{e}\n" for e in entries if e.endswith("2")))
    (tmp_path / "cfg/SES000.train").write_text(f"{entries[0]}\n")
    return tmp_path


def test_the_lab_has_its_lists_speakers_and_files(lab):
    (lab / "cfg/spk2idx.json").write_text(json.dumps({"SES001": 0, "spk2idx": 1, "SES000": 2, "SES002": 3}))
    made = prepare("pav", lab)
    assert made.missing == ()
    assert [u.split for u in made.manifest] == ["train"] * 6 + ["validation"] * 3
    first, third = made.manifest.utterances[0], made.manifest.utterances[2]
    assert (first.id, first.speaker, first.dataset) == ("BLOCK00/SES000/SA000S00", "SES000", "pav")
    assert dict(first.extra) == {"index": "2", "wav": str(lab / "speecon/BLOCK00/SES000/SA000S00.wav")}
    assert (third.speaker, dict(third.extra)) == ("SES001", {"index": "0"})
    made.manifest.save(lab / "lab.tsv")
    again = open_manifest(lab / "lab.tsv")
    assert [float(read_array(u.path)[0, 0]) for u in again] == [0, 1, 3, 4, 6, 7, 2, 5, 8]


def test_recordings_stand_in_for_features_that_are_not_made_yet(lab):
    (lab / "mcp/BLOCK00/SES000/SA000S00.mcp").unlink()
    (lab / "mcp/BLOCK00/SES001/SA001S00.mcp").unlink()
    made = prepare("pav", lab)
    assert made.manifest.utterances[0].path.endswith("SA000S00.wav")
    assert made.manifest.utterances[0].extra == ()
    assert made.missing == (str(lab / "BLOCK00/SES001/SA001S00"),)


def test_what_is_wrong_with_the_lists_is_told(lab):
    (lab / "cfg/spk2idx.json").write_text('{"SES000": 0, "spk2idx": 1}')
    with pytest.raises(BadInput, match=r"all\.train: line 3: speaker SES001 is not in "):
        prepare("pav", lab)
    (lab / "cfg/spk2idx.json").write_text('{"SES000": 0, "SES001": 0}')
    with pytest.raises(BadInput, match="gives two speakers one number"):
        speaker_index(lab / "cfg/spk2idx.json")
    (lab / "cfg/spk2idx.json").write_text('["SES000"]')
    with pytest.raises(BadInput, match="is no object of speakers"):
        speaker_index(lab / "cfg/spk2idx.json")
    (lab / "cfg/spk2idx.json").unlink()
    (lab / "cfg/all.test").write_text("BLOCK00/SES000/SA000S00\n")
    with pytest.raises(BadInput, match=r"all\.test: line 1: BLOCK00/SES000/SA000S00 stands there already"):
        prepare("pav", lab)
    (lab / "cfg/all.test").write_text("SA000S00\n")
    with pytest.raises(BadInput, match="line 1 is not BLOCKxx/SESyyy/SAyyySzz"):
        prepare("pav", lab)
    for name in ("all.train", "all.test"):
        (lab / "cfg" / name).unlink()
    with pytest.raises(BadInput, match=r"holds none of the corpus; cfg/all\.train"):
        prepare("pav", lab)
