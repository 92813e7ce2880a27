"""Files that cannot be read as YAML text."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cwsync.errors import CwsyncError, Problem
from cwsync.located import read


def refused(path: Path) -> Problem:
    with pytest.raises(CwsyncError) as raised:
        read(path, "shown.yaml")
    (problem,) = raised.value.problems
    return problem


def test_a_file_is_read_as_it_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: caf\xc3\xa9\r\n")
    (document,) = read(path, "shown.yaml")
    assert document.value == {"a": "café"}
    assert document.file == "shown.yaml"


@pytest.mark.parametrize(
    ("content", "place", "words"),
    [
        (b"a: 1\nb: caf\xe9", "shown.yaml:2:7", "not UTF-8"),
        ("é: ".encode() + b"\xff", "shown.yaml:1:4", "not UTF-8"),
        ("a: 1".encode("utf-16"), "shown.yaml:1:1", "UTF-16"),
        ("a: 1".encode("utf-32"), "shown.yaml:1:1", "UTF-16"),
        (b"a: 1\n\x00", "shown.yaml:2:1", "U+0000"),
    ],
)
def test_content_that_is_no_text(tmp_path: Path, content: bytes, place: str, words: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(content)
    problem = refused(path)
    assert (problem.code, str(problem.place)) == ("CW101", place)
    assert words in problem.message


def test_a_folder_a_pipe_and_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "link.yaml").symlink_to("nowhere")
    for path, words in [
        (tmp_path, "folder"),
        (tmp_path / "pipe.yaml", "regular"),
        (Path(os.devnull), "regular"),
        (tmp_path / "none.yaml", "No such file"),
        (tmp_path / "link.yaml", "No such file"),
        (tmp_path / "a\0b", "name"),
    ]:
        problem = refused(path)
        assert (problem.code, str(problem.place)) == ("CW101", "shown.yaml:1:1")
        assert words in problem.message


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    with path.open("wb") as file:
        file.truncate(20_000_001)
    assert refused(path).code == "CW104"
