"""VoxCeleb1's protocols: who teaches, judges and is tried, from lists of either release."""

import pytest

from voxsphere.core.errors import BadInput
from voxsphere.core.manifest import Manifest, Utterance
from voxsphere.data import voxceleb1
from voxsphere.data.corpora.voxceleb import from_voxceleb
from voxsphere.data.voxceleb1 import voxceleb1_identification, voxceleb1_verification

VIDEO = "1zcIwhmdeo4"
PEOPLE = {"id10001": "A.J._Buckley", "id10002": "Eartha_Kitt", "id10003": "Zoe_Unheard", "id10004": "Bob_Only_Judged"}
# Of each person, the split of each utterance.
SPLITS = {"id10001": "112233", "id10002": "1123", "id10003": "1113", "id10004": "22"}


def tree(root, *, layout="2018", meta=True, splits=True, skip=()):
    """Empty recordings with their lists."""
    lines = []
    for person, folds in SPLITS.items():
        for number, fold in enumerate(folds, 1):
            name = (
                f"{person}/{VIDEO}/{number:05d}.wav"
                if layout == "2018"
                else f"{PEOPLE[person]}/{VIDEO}_{number:07d}.wav"
            )
            lines.append(f"{fold} {name}\n")
            if (person, number) not in skip:
                path = root / "wav" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
    if splits:
        (root / "iden_split.txt").write_text("".join(lines))
    if meta:
        rows = [f"{person}\t{name}\tf\tUSA\tdev\n" for person, name in PEOPLE.items()]
        (root / "vox1_meta.csv").write_text("VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet\n" + "".join(rows))
    return str(root)


def ids(utterances):
    return {(u.speaker.rpartition("/")[2], int(u.id.rpartition("/")[2].removesuffix(".wav"))) for u in utterances}


@pytest.mark.parametrize("layout", ["2017", "2018"])
def test_known_people_learn_from_split_1_and_are_judged_by_split_2(tmp_path, layout):
    made = voxceleb1_identification(root=tree(tmp_path, layout=layout))
    assert made.closed
    assert ids(made.train) == {("id10001", 1), ("id10001", 2), ("id10002", 1), ("id10002", 2)} | {
        ("id10003", i) for i in (1, 2, 3)
    }
    # Who has nothing to be learnt from has no class, and judges nothing.
    assert ids(made.held_out) == {("id10001", 3), ("id10001", 4), ("id10002", 3)}
    assert made.train.speakers == ("voxceleb1/id10001", "voxceleb1/id10002", "voxceleb1/id10003")


@pytest.mark.parametrize("layout", ["2017", "2018"])
def test_strangers_are_those_whose_names_begin_with_e_and_split_3_teaches_too(tmp_path, layout):
    made = voxceleb1_verification(root=tree(tmp_path, layout=layout))
    assert ids(made.train) == {("id10001", i) for i in (1, 2, 5, 6)} | {("id10003", i) for i in (1, 2, 3, 4)}
    assert ids(made.held_out) == {("id10001", 3), ("id10001", 4)}
    # The classes are those who are learnt: nobody stands for the strangers.
    assert set(made.classes) == {0, 1}


def test_names_of_the_first_release_need_no_meta_file(tmp_path):
    made = voxceleb1_verification(root=tree(tmp_path, layout="2017", meta=False))
    assert made.train.speakers == ("voxceleb1/A.J._Buckley", "voxceleb1/Zoe_Unheard")


def test_the_protocols_overlap_and_strangers_keep_all_their_splits(tmp_path):
    manifest = voxceleb1._opened(tree(tmp_path))
    known, strangers = voxceleb1.identification(manifest), voxceleb1.verification(manifest)
    assert ids(strangers.test) == {("id10002", i) for i in (1, 2, 3, 4)}
    assert ids(known.test) & ids(strangers.train)
    assert ids(known.train) & ids(strangers.test)


def test_recordings_that_are_not_there_are_left_out(tmp_path):
    made = voxceleb1_identification(root=tree(tmp_path, skip={("id10001", 1)}))
    assert ("id10001", 1) not in ids(made.train)


def test_a_table_of_the_corpus_will_do(tmp_path):
    root = tmp_path / "corpus"
    tree(root)
    from_voxceleb(root).manifest.save(tmp_path / "vox1.tsv")
    for make in (voxceleb1_identification, voxceleb1_verification):
        one, other = make(root=str(root)), make(root=str(tmp_path / "vox1.tsv"))
        assert one.train.ids == other.train.ids
        assert one.held_out.ids == other.held_out.ids


@pytest.mark.parametrize(
    ("make", "options", "told"),
    [
        (voxceleb1_identification, {"splits": False}, "no utterance is of split 1; put iden_split.txt there"),
        (voxceleb1_verification, {"splits": False}, "no utterance is of split 1; put iden_split.txt there"),
        (voxceleb1_verification, {"meta": False}, "nobody says what id10001 is called"),
    ],
)
def test_a_list_that_is_missing_is_one_line(tmp_path, make, options, told):
    with pytest.raises(BadInput, match=told) as refused:
        make(root=tree(tmp_path, **options))
    assert "\n" not in str(refused.value)


def test_a_place_that_is_none_is_one_line(tmp_path, monkeypatch):
    monkeypatch.delenv("VOXCELEB1", raising=False)
    with pytest.raises(BadInput, match="environment variable VOXCELEB1 is not set"):
        voxceleb1_identification()
    with pytest.raises(BadInput, match="no such folder; VoxCeleb1 is to lie there"):
        voxceleb1_identification(root=str(tmp_path / "nowhere"))


@pytest.mark.slow
def test_counts_of_the_originals_log_come_out_of_lists_of_its_size():
    """138,327 / 6,904 / 8,251 utterances of 1,251 people, of whom 40 with 4,872 utterances have names with E.

    The lists are made up; what is tested is that nobody and nothing is lost or counted twice.
    """
    sizes = {"train": 138_327, "dev": 6_904, "test": 8_251}
    rows = []
    for split, size in sizes.items():
        # Names with E first: 4,872 in all, dealt as the whole is.
        strangers = {"train": 4_391, "dev": 219, "test": 262}[split]
        for i in range(size):
            person = i % 40 if i < strangers else 40 + i % 1211
            name = f"{'E' if person < 40 else 'T'}{person}"
            extra = (("name", name),)
            rows.append(Utterance(f"{split}{i}", "x.wav", f"id{10001 + person}", split=split, extra=extra))
    manifest = Manifest(tuple(rows))
    known, strangers = voxceleb1.identification(manifest), voxceleb1.verification(manifest)
    assert tuple(map(len, (known.train, known.validation, known.test))) == (138_327, 6_904, 8_251)
    assert len({u.speaker for u in known.train}) == 1_251
    assert len(strangers.test) == 4_872
    assert len(strangers.train) == 138_327 + 8_251 - 4_391 - 262
    assert len(strangers.validation) == 6_904 - 219
    assert len({u.speaker for u in strangers.train}) == 1_211
