"""VoxCeleb as downloaded, replicated file by file with empty recordings."""

import pytest

from voxsphere.core.errors import BadInput
from voxsphere.data.corpora import prepare

VIDEO, OTHER = "1zcIwhmdeo4", "7w0IBEWc9Qw"
META1 = (
    "VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet\n"
    "id10001\tA.J._Buckley\tm\tIreland\tdev\nid10270\tEartha_Kitt\tf\tUSA\ttest\n"
)


def laid(root, *files, **texts):
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    for name, text in texts.items():
        (root / name.replace("__", ".")).write_text(text)
    return root


def rows(trials):
    return [
        (trials.ids[a], trials.ids[b], bool(t))
        for a, b, t in zip(trials.enrol, trials.test, trials.target, strict=True)
    ]


def test_voxceleb_1_by_numbers_has_its_people_videos_splits_and_lists(tmp_path):
    one, two, three = f"id10001/{VIDEO}/00001.wav", f"id10001/{OTHER}/00012.wav", "id10270/5r0dWxy17C8/00026.wav"
    gone = "id10270/5r0dWxy17C8/00027.wav"
    root = laid(
        tmp_path,
        f"dev/wav/{one}", f"dev/wav/{two}", f"test/wav/{three}", "dev/wav/readme.txt",
        vox1_meta__csv=META1,
        iden_split__txt=f"1 {one}\n2 {two}\n3 {three}\n",
        veri_test__txt=f"1 {three} {gone}\n0 {one} {three}\n",
        list_test_hard2__txt=f"1 {one} {two}\n",
    )  # fmt: skip
    made = prepare("voxceleb", root)
    assert made.manifest.ids == (one, two, three)
    first, second, third = made.manifest
    assert (first.speaker, first.session, first.gender, first.dataset) == ("id10001", VIDEO, "m", "voxceleb1")
    assert (first.split, second.split, third.split) == ("train", "dev", "test")
    assert dict(third.extra) == {"name": "Eartha_Kitt", "nationality": "USA", "set": "test"}
    assert first.path == str(root / "dev/wav" / one)
    assert {name: rows(each) for name, each in made.trials.items()} == {
        "vox1_o": [(three, gone, True), (one, three, False)],
        "vox1_h_cleaned": [(one, two, True)],
    }
    assert made.missing == (str(root / "test/wav" / gone),)


def test_voxceleb_1_by_names_gets_its_numbers_and_the_lists_of_either_edition(tmp_path):
    """Names and underscores: the first edition's files, and its list; numbers from the meta file."""
    root = laid(
        tmp_path,
        f"voxceleb1_wav/A.J._Buckley/{VIDEO}_0000001.wav",
        "voxceleb1_wav/Eartha_Kitt/x6uYqmx31kE/00002.wav",
        vox1_meta__csv=META1,
        voxceleb1_test__txt=f"0 A.J._Buckley/{VIDEO}_0000001.wav Eartha_Kitt/x6uYqmx31kE_0000002.wav\n",
        veri_test2__txt=f"0 id10270/x6uYqmx31kE/00002.wav id10001/{VIDEO}/00001.wav\n",
    )
    made = prepare("voxceleb", root)
    one, two = f"id10001/{VIDEO}/00001.wav", "id10270/x6uYqmx31kE/00002.wav"
    assert made.manifest.ids == (one, two)
    assert [each.split for each in made.manifest] == ["dev", "test"]
    assert rows(made.trials["vox1_o"]) == [(one, two, False)]
    assert rows(made.trials["vox1_o_cleaned"]) == [(two, one, False)]
    assert made.missing == (str(root / "iden_split.txt"),)


def test_voxceleb_2_is_read_from_aac_but_rather_from_what_was_made_of_it(tmp_path):
    root = laid(
        tmp_path,
        "vox2/dev/aac/id00012/21Uxsk56VDQ/00001.m4a",
        "vox2/dev/aac/id00012/21Uxsk56VDQ/00002.m4a",
        "vox2/dev/wav/id00012/21Uxsk56VDQ/00002.flac",
        "vox2/test/aac/id00017/01dfn2spqyE/00001.m4a",
        vox2_meta__csv="VoxCeleb2 ID ,VGGFace2 ID ,Gender ,Set \n"
        "id00012 ,n000012 ,f ,dev \nid00017 ,n000017 ,m ,test \n",
    )
    made = prepare("voxceleb", root)
    assert made.manifest.ids == (
        "id00012/21Uxsk56VDQ/00001.wav", "id00012/21Uxsk56VDQ/00002.wav", "id00017/01dfn2spqyE/00001.wav",
    )  # fmt: skip
    assert [u.path.rpartition(".")[2] for u in made.manifest] == ["m4a", "flac", "m4a"]
    assert [(u.dataset, u.gender, u.split) for u in made.manifest] == [
        ("voxceleb2", "f", "dev"), ("voxceleb2", "f", "dev"), ("voxceleb2", "m", "test"),
    ]  # fmt: skip
    assert made.missing == ()


def test_without_meta_files_they_are_missing_and_folders_tell_the_split(tmp_path):
    root = laid(tmp_path, f"dev/wav/id10001/{VIDEO}/00001.wav", "test/aac/id00017/01dfn2spqyE/00001.m4a")
    made = prepare("voxceleb", root)
    names = ("vox1_meta.csv", "vox2_meta.csv", "iden_split.txt", "veri_test.txt")
    assert made.missing == tuple(str(root / name) for name in names)
    assert [u.split for u in made.manifest] == ["dev", "test"]


def test_people_of_whom_nothing_is_there_are_missing_from_the_sets_that_are_there(tmp_path):
    people = "".join(f"id000{n} ,n0{n} ,m ,{'test' if n == 19 else 'dev'} \n" for n in (12, 15, 16, 17, 19))
    root = laid(
        tmp_path / "two",
        *(f"dev/aac/id000{n}/21Uxsk56VDQ/00001.m4a" for n in (12, 15)),
        vox2_meta__csv=f"VoxCeleb2 ID ,VGGFace2 ID ,Gender ,Set \n{people}",
    )
    assert prepare("voxceleb", root).missing == tuple(str(root / f"dev/aac/id000{n}") for n in (16, 17))
    first = laid(
        tmp_path / "one",
        f"wav/A.J._Buckley/{VIDEO}_0000001.wav",
        vox1_meta__csv=META1 + "id10002\tA.R._Rahman\tm\tIndia\tdev\n",
        iden_split__txt="", veri_test2__txt="",
    )  # fmt: skip
    assert prepare("voxceleb", first).missing == (str(first / "wav/A.R._Rahman"),)


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        ({"vox1_meta__csv": "a\n"}, r"vox1_meta\.csv: begins with no line"),
        ({"vox1_meta__csv": META1 + "id1\n"}, r"line 4 has 1 fields, the header has 5"),
        ({"iden_split__txt": f"4 id10001/{VIDEO}/00001.wav\n"}, r"iden_split\.txt: '4' of id10001"),
        ({"veri_test__txt": "1 a\n"}, r"veri_test\.txt: line 1 has 2 fields"),
        ({"veri_test__txt": "1 a b\n"}, r"veri_test\.txt: 'a' is no SPEAKER/VIDEO/NUMBER"),
        ({"veri_test__txt": "2 id10001/1zcIwhmdeo4/00001.wav id10001/1zcIwhmdeo4/00001.wav\n"}, "'2' of id10001"),
    ],
)
def test_what_is_wrong_in_voxcelebs_lists_is_named(tmp_path, texts, told):
    with pytest.raises(BadInput, match=told):
        prepare("voxceleb", laid(tmp_path, f"wav/id10001/{VIDEO}/00001.wav", **texts))


def test_a_folder_without_voxceleb_is_told_what_was_expected(tmp_path):
    with pytest.raises(BadInput, match=r"holds none of the corpus; id10001/VIDEO/00001\.wav"):
        prepare("voxceleb", laid(tmp_path, "a/b.wav"))
