"""Configuration files are data: hostile ones are a configuration or an error in words, in little time and memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from outflow_core import include_patterns
from outflow_core.errors import ConfigError
from outflow_core.settings import read_settings
from outflow_core.yaml_include import MAX_BYTES, load_yaml
from tests.hostile.config_attacks import READ, REFUSED, Attack
from tests.hostile.config_child import SECONDS
from tests.tally import Tally, soak_factor

INPUTS = 800
"""Made-up files that are tried with each parser; `make soak` tries more."""
WITHOUT_LIBYAML = "import sys; sys.modules['yaml._yaml'] = None"
CHILD = "import sys; from tests.hostile.config_child import main; main(sys.argv[1:])"


def in_a_child(*arguments: object, lines: str = "", before: str = "") -> list[dict[str, Any]]:
    """What the bounded process tells of each file."""
    command = [sys.executable, "-c", f"{before}\n{CHILD}", *map(str, arguments)]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"killed or broken, status {done.returncode}: {done.stderr[-2_000:]}"
    return [json.loads(line) for line in done.stdout.splitlines()]


def outcomes_of(attacks: dict[str, Attack], folder: Path) -> dict[str, dict[str, Any]]:
    """What came of every attack, by its name; each is tried in a process of its own."""
    paths = []
    for number, (file, text) in enumerate(attacks.values()):
        (folder / str(number)).mkdir()
        paths.append(folder / str(number) / file)
        paths[-1].write_bytes(text().encode("utf-8", "surrogatepass"))
    told = in_a_child(folder, lines="".join(f"{path}\n" for path in paths))
    for path in paths:
        path.unlink()
    return dict(zip(attacks, told, strict=True))


@pytest.mark.parametrize(("attacks", "wanted"), [(REFUSED, "refused"), (READ, "read")], ids=["attacks", "odd ones"])
def test_attacks_are_refused_in_words_and_what_is_only_odd_is_read(
    tmp_path: Path, attacks: dict[str, Attack], wanted: str, tally: Tally
) -> None:
    found = outcomes_of(attacks, tmp_path)
    assert {name: outcome for name, outcome in found.items() if outcome["came"] != wanted} == {}
    assert {name: outcome for name, outcome in found.items() if outcome["seconds"] > SECONDS / 2} == {}
    refused = {name: outcome["words"] for name, outcome in found.items() if outcome["came"] == "refused"}
    assert {name: words for name, words in refused.items() if "config." not in words or len(words) > 15_000} == {}
    tags = {name: words for name, words in refused.items() if name.startswith("a Python object") and "JSON" not in name}
    assert {name: words for name, words in tags.items() if "is not allowed; only !include is" not in words} == {}
    assert not Path("was_here").exists()
    tally("hostile configuration files, by hand", len(found))


@pytest.mark.parametrize("before", ["", WITHOUT_LIBYAML], ids=["libyaml", "Python"])
def test_made_up_files_are_read_or_refused_in_words(tmp_path: Path, before: str, tally: Tally) -> None:
    for seed in range(soak_factor()):
        (folder := tmp_path / str(seed)).mkdir()
        [longest] = in_a_child(folder, seed, INPUTS, before=before)
        assert longest["came"] != "crashed", longest["words"]
        tally("configuration files fuzzed", INPUTS)
        tally("longest, processor seconds", longest["seconds"], how="max")


def write(folder: Path, text: str) -> Path:
    """A configuration of this text."""
    (path := folder / "config.yml").write_text(text, encoding="utf-8")
    return path


def refusal(path: Path) -> str:
    """What is said of a configuration that is refused."""
    with pytest.raises(ConfigError) as caught:
        load_yaml(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (os.mkfifo, "is a pipe, a socket or a device"),
        (lambda path: path.symlink_to("/dev/zero"), "is a pipe, a socket or a device"),
        (lambda path: path.symlink_to("/dev/tty"), "is a pipe, a socket or a device"),
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: path.symlink_to(path), "symbolic links go round in a circle"),
        (lambda path: path.symlink_to("/nowhere"), "no such file"),
        (lambda path: path.write_bytes(b"\xff\xfea\0"), "not UTF-8 text"),
        (lambda path: path.write_text("secret_of_somebody: {"), "did not find expected node content (included from"),
    ],
    ids=["pipe", "endless device", "terminal", "folder", "circle of links", "link to nothing", "UTF-16", "no YAML"],
)
def test_what_is_no_file_of_text_is_not_waited_for(tmp_path: Path, make: Callable[[Path], None], words: str) -> None:
    make(tmp_path / "part")
    said = refusal(write(tmp_path, "a: 1\nb: !include part"))
    assert words in said and "config.yml:2:4" in said and "secret_of_somebody" not in said


def test_an_include_may_lead_out_of_the_directory_and_through_links(tmp_path: Path) -> None:
    (inner := tmp_path / "inner").mkdir()
    (tmp_path / "part.yml").write_text("[1]")
    (inner / "linked.yml").symlink_to(tmp_path / "part.yml")
    path = write(inner, f"a: !include ../part.yml\nb: !include {tmp_path}/part.yml\nc: !include linked.yml")
    assert load_yaml(path) == {"a": [1], "b": [1], "c": [1]}


def test_a_pattern_does_not_follow_links_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(include_patterns, "MAX_LOOKED_AT", 1_000)
    for name in ("one", "two", "three"):
        (tmp_path / name).symlink_to(tmp_path)
    said = refusal(write(tmp_path, "a: !include '**/**/nothing.yml'"))
    assert "more than 1,000 files were looked at" in said and "config.yml:1:4" in said


def test_a_folder_named_like_a_pattern_is_looked_into(tmp_path: Path) -> None:
    (folder := tmp_path / "run[1]*").mkdir()
    (folder / "part_1.yml").write_text("1")
    (folder / ".part_0.yml").write_text("0")
    assert load_yaml(write(folder, "!include 'part_[0-9].yml'")) == [1]
    assert load_yaml(write(folder, "!include './**/.part*.yml'")) == [0]


def test_a_file_that_grows_is_read_up_to_the_bound(tmp_path: Path) -> None:
    path = write(tmp_path, "a: 1\n")
    with path.open("a") as growing:
        growing.truncate(MAX_BYTES + 1)
    assert "larger than 10 MB" in refusal(path)


def test_what_a_person_names_may_be_a_pipe(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"databases: {default: {path: of_the_pipe.db}}")
    os.close(writing)
    try:
        assert read_settings(Path(f"/dev/fd/{reading}")).database().shown.endswith("of_the_pipe.db")
    finally:
        os.close(reading)
