"""Pages of stored figures: written, or only compared."""

import pytest
import typer
from studies.pages import publish


def test_a_page_is_written_and_then_the_same(tmp_path):
    files = {tmp_path / "a.md": "one\n", tmp_path / "b.svg": "two\n"}
    (tmp_path / "old.svg").touch()
    publish(files, check=False, outdated=[tmp_path / "old.svg"])
    assert {*tmp_path.iterdir()} == {*files}
    assert {path: path.read_text() for path in files} == files
    publish(files, check=True)


def test_a_page_that_differs_is_named_and_left_as_it_is(tmp_path, capsys):
    page = tmp_path / "a.md"
    page.write_text("old\n")
    with pytest.raises(typer.Exit) as ended:
        publish({page: "new\n", tmp_path / "absent.md": "new\n"}, check=True, outdated=[tmp_path / "gone.svg"])
    assert ended.value.exit_code == 1
    told = capsys.readouterr().err
    assert told.startswith(f"{page}, {tmp_path}/absent.md, {tmp_path}/gone.svg: ")
    assert (page.read_text(), told.count("\n")) == ("old\n", 1)
    assert not (tmp_path / "absent.md").exists()
