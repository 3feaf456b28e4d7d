"""YAML with !include: what it may hold, and in which words everything else is refused."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from yaml import SafeLoader

from outflow_core import yaml_bounds, yaml_include
from outflow_core.errors import ConfigError
from outflow_core.yaml_bounds import MAX_DEPTH
from outflow_core.yaml_include import load_yaml
from tests.core.books import patient


@pytest.fixture(autouse=True, scope="module", params=["libyaml", "Python"])
def parser(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each of the two parsers of PyYAML in turn: libyaml is not in every build of it."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "Python":
            patch.setattr(yaml_bounds, "Parser", SafeLoader)
            patch.setattr(yaml_include, "Parser", SafeLoader)
        elif yaml_bounds.Parser.__name__ == "SafeLoader":
            pytest.skip("this PyYAML was built without libyaml")
        yield


def write(folder: Path, **files: str) -> Path:
    """Make `name.yml` for each text in a folder; the path of `config.yml`."""
    folder.mkdir(exist_ok=True, parents=True)
    for name, text in files.items():
        (folder / f"{name}.yml").write_text(text, encoding="utf-8")
    return folder / "config.yml"


def refusal(path: Path) -> str:
    """What the loader says of a file that it refuses."""
    with pytest.raises(ConfigError) as caught:
        load_yaml(path)
    return str(caught.value)


def test_an_include_stands_for_the_content_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, config="databases: !include databases.yml", databases="default: {dialect: sqlite}")
    assert load_yaml(path) == {"databases": {"default": {"dialect": "sqlite"}}}


def test_an_include_is_relative_to_the_file_it_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "a", config="x: !include b/inner.yml")
    write(tmp_path / "a" / "b", inner="y: !include ../c/leaf.yml")
    write(tmp_path / "a" / "c", leaf="42")
    monkeypatch.chdir(tmp_path)
    assert load_yaml(Path("a") / path.name) == {"x": {"y": 42}}


def test_an_include_can_be_the_whole_file(tmp_path: Path) -> None:
    assert load_yaml(write(tmp_path, config="!include other.yml", other="[1, 2]")) == [1, 2]


def test_an_include_stands_wherever_a_value_may_stand(tmp_path: Path) -> None:
    text = "list:\n- !include part.yml\n- [!include part.yml, {deep: !include part.yml}]\n? !include name.yml\n: here"
    part = {"x": 1}
    assert load_yaml(write(tmp_path, config=text, part="x: 1", name="key")) == {
        "list": [part, [part, {"deep": part}]],
        "key": "here",
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<<: !include a.yml\ny: own", {"x": "a", "y": "own", "only": "a"}),
        (
            "deep: {er: &er {<<: !include b.yml, 1: x}}\ny: {<<: [*er, !include a.yml], 1: z}",
            {"deep": {"er": {"x": "b", 1: "x"}}, "y": {"x": "b", "y": "a", "only": "a", 1: "z"}},
        ),
        ("y: own\n<<: [!include b.yml, !include a.yml]", {"x": "b", "y": "own", "only": "a"}),
        ("base: &base {<<: !include b.yml}\ny: {<<: *base}", {"base": {"x": "b"}, "y": {"x": "b"}}),
    ],
)
def test_an_included_mapping_can_be_merged(tmp_path: Path, text: str, found: Any) -> None:
    assert load_yaml(write(tmp_path, config=text, a="{x: a, y: a, only: a}", b="x: b")) == found


def test_only_a_mapping_can_be_merged(tmp_path: Path) -> None:
    words = refusal(write(tmp_path, config="a:\n  <<: !include list.yml", list="[1]"))
    assert re.search(r"config\.yml:2:7: expected a mapping", words)


def test_a_glob_gives_the_matching_files_in_the_order_of_their_names(tmp_path: Path) -> None:
    path = write(tmp_path, config="parts: !include part_*.yml", part_b="2", part_a="1", part_c="3")
    assert load_yaml(path) == {"parts": [1, 2, 3]}


def test_a_glob_goes_into_folders(tmp_path: Path) -> None:
    path = write(tmp_path, config="parts: !include 'deep/**/*.yml'")
    write(tmp_path / "deep" / "er", one="1")
    assert load_yaml(path) == {"parts": [1]}


def test_a_file_whose_name_looks_like_a_glob_is_that_file(tmp_path: Path) -> None:
    path = write(tmp_path, config="part: !include 'p[1].yml'", **{"p[1]": "here", "p1": "not here"})
    assert load_yaml(path) == {"part": "here"}


def test_a_glob_without_a_match_is_an_error(tmp_path: Path) -> None:
    words = refusal(write(tmp_path, config="a: 1\nparts: !include nothing_*.yml"))
    assert re.search(r"config\.yml:2:8: .*no file matches .*nothing_\*\.yml", words)


def test_the_same_file_may_be_included_twice(tmp_path: Path) -> None:
    path = write(tmp_path, config="a: !include x.yml\nb: !include x.yml", x="[1]")
    assert load_yaml(path) == {"a": [1], "b": [1]}


def test_an_included_file_may_be_empty(tmp_path: Path) -> None:
    assert load_yaml(write(tmp_path, config="a: !include x.yml", x="")) == {"a": None}


@pytest.mark.parametrize("name", ["config.yml", "./config.yml", "../{folder}/config.yml", "conf*.yml"])
def test_a_file_that_includes_itself_is_named(tmp_path: Path, name: str) -> None:
    words = refusal(write(tmp_path, config=f"a: !include '{name.format(folder=tmp_path.name)}'"))
    assert "circle" in words and words.count("config.yml ->") == 1


def test_a_circle_of_includes_is_named_step_by_step(tmp_path: Path) -> None:
    path = write(tmp_path, config="a: !include one.yml", one="!include two.yml", two="!include one.yml")
    words = refusal(path)
    assert re.search(r"one\.yml -> \S*two\.yml -> \S*one\.yml", words)
    assert re.search(r"config\.yml:1:4: .*one\.yml:1:1: .*two\.yml:1:1: !include one\.yml: goes round", words)


def test_a_symlink_does_not_hide_a_circle(tmp_path: Path) -> None:
    path = write(tmp_path, config="a: !include alias.yml")
    (tmp_path / "alias.yml").symlink_to(path)
    assert "circle" in refusal(path)


def test_a_missing_file_is_named_with_all_the_files_that_lead_to_it(tmp_path: Path) -> None:
    words = refusal(write(tmp_path, config="a: !include one.yml", one="b: !include two.yml"))
    assert re.search(r"two\.yml: no such file.*included from \S*one\.yml, included from \S*config\.yml", words)
    assert "config.yml:1:4" in words or "one.yml:1:4" in words


def test_a_missing_config_is_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "config.yml") == f"{tmp_path / 'config.yml'}: no such file"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nb: 2\na: 3", r"config\.yml:3:1: the key 'a' stands here twice \(first in line 1\)"),
        ("a:\n  b: 1\n  b: 1", r"config\.yml:3:3: the key 'b'"),
        ("1: a\n0x1: b", r"config\.yml:2:1: the keys '1' and '0x1' are the same one \(first in line 1\)"),
        ("a: {yes: a, true: b}", r"config\.yml:1:13: the keys 'yes' and 'true' are the same one"),
        ("a:\n  b: 1\n\tc: 1", r"config\.yml:3:1: .*spaces, not tabs"),
        ("a:\n\tb: 1", r"config\.yml:2:1: .*spaces, not tabs"),
        ("a: [1, 2", r"config\.yml:\d:\d+: "),
        ("a: b: c", r"config\.yml:1:5: "),
        ("a: !!python/object/apply:os.system [ls]", r"config\.yml:1:4: the tag .*os\.system.* is not allowed"),
        ("a: !env HOME", r"config\.yml:1:4: the tag '!env' is not allowed"),
        ("a: !include", r"config\.yml:1:4: !include wants the path"),
        ("a: !include [x.yml]", r"config\.yml:1:4: !include wants the path"),
        ("a: !include https://example.org/x.yml", r"config\.yml:1:4: !include reads files, not the URL"),
        ("a: !include file:///etc/passwd", r"config\.yml:1:4: !include reads files, not the URL"),
        ("? [1, 2]\n: x", r"config\.yml:1:3: a key must be a plain value"),
        ("a: &x [*x]", r"config\.yml:1:4: an alias stands inside its own anchor"),
        ("a: *nowhere", r"config\.yml:1:4: .*undefined alias"),
        ("a: 1\n---\nb: 2", r"config\.yml:2:1: "),
        ("a: \x07", r"config\.yml: not readable as YAML"),
    ],
)
def test_a_mistake_is_told_with_file_line_and_column(tmp_path: Path, text: str, words: str) -> None:
    assert re.search(words, refusal(write(tmp_path, config=text)))


@pytest.mark.parametrize(
    "value",
    [
        "!!bool perhaps",
        "!!int ''",
        "!!int x",
        "!!float ''",
        "!!timestamp soon",
        "!!binary '?'",
        "!!str [a]",
        "!!map [a]",
        "!!omap [1]",
        "!!null x",
        "0x_",
        "2024-13-45",
        "=",
        "1" * 5_000,
        "!include 'x\\0.yml'",
        '!include "x\\0.yml"',
        "!include " + "x" * 300,
        "!include " + "*" * 300,
        "!include ~nobody/x.yml",
        "!include /",
    ],
)
def test_a_value_that_cannot_be_made_is_a_value_or_an_error_in_words(tmp_path: Path, value: str) -> None:
    try:
        load_yaml(write(tmp_path, config=f"a: {value}"))
    except ConfigError as error:
        assert str(error).startswith(str(tmp_path / "config.yml"))


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_bytes("größe: 1".encode("latin-1"))
    assert refusal(path).startswith(f"{path}: not UTF-8 text (byte 2)")


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    path.write_text("a: 1", encoding="utf-8-sig")
    assert load_yaml(path) == {"a": 1}


def test_a_folder_is_no_configuration(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path)


def test_merge_keys_work(tmp_path: Path) -> None:
    path = write(tmp_path, config="base: &b {x: 1, y: 2}\nmine:\n  <<: *b\n  y: 3")
    assert load_yaml(path)["mine"] == {"x": 1, "y": 3}


def test_nesting_has_a_bound_and_the_place_is_told(tmp_path: Path) -> None:
    assert load_yaml(write(tmp_path, config="[" * MAX_DEPTH + "]" * MAX_DEPTH))
    words = refusal(write(tmp_path, config="[" * 100_000 + "]" * 100_000))
    assert re.search(rf"config\.yml:1:{MAX_DEPTH + 1}: nested more than", words)


def test_nesting_is_bounded_across_includes_too(tmp_path: Path) -> None:
    half = MAX_DEPTH // 2 + 5
    path = write(tmp_path, config="[" * half + "!include leaf.yml" + "]" * half, leaf="[" * half + "]" * half)
    assert "nested more than" in refusal(path)


def test_a_long_chain_of_includes_is_refused_in_words(tmp_path: Path) -> None:
    write(tmp_path, **{f"step{number}": f"!include step{number + 1}.yml" for number in range(400)})
    path = write(tmp_path, config="!include step0.yml", step400="1")
    assert "include" in refusal(path)


def bomb(levels: int) -> str:
    """Aliases of aliases: ten times more values on each level."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "files",
    [
        {"config": bomb(12)},
        {"config": "a: &a !include b.yml\nb: [" + "*a, " * 1_000 + "]", "b": bomb(5)},
        {"config": "\n".join(f"k{n}: !include b.yml" for n in range(50)), "b": bomb(5)},
        {
            "config": "x: &x !include b.yml\ny: [" + "*x, " * 999 + "]",
            "b": "x: &x !include c.yml\ny: [" + "*x, " * 999 + "]",
            "c": "x: &x !include d.yml\ny: [" + "*x, " * 999 + "]",
            "d": "[1, 2, 3]",
        },
        {
            "config": "[" + "!include b.yml, " * 100 + "]",
            "b": "[" + "!include c.yml, " * 100 + "]",
            "c": "[" + "!include d.yml, " * 100 + "]",
            "d": "1",
        },
        {"config": "a: !include /dev/zero"},
    ],
    ids=["aliases", "aliases of an include", "many bombs", "aliases through includes", "include bomb", "endless"],
)
def test_a_bomb_is_refused_quickly(tmp_path: Path, files: dict[str, str]) -> None:
    started = time.process_time()
    assert refusal(write(tmp_path, **files))
    assert time.process_time() - started < 20, "it was taken apart before it was refused"


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "config.yml"
    with path.open("wb") as file:
        file.truncate(20_000_000_000)
    assert "larger than" in refusal(path)


YAML_SCRAPS = st.sampled_from(
    [
        "a",
        ": ",
        "- ",
        "\n",
        "  ",
        "[",
        "]",
        "{",
        "}",
        ", ",
        "&x ",
        "*x",
        "<<: ",
        "!!int ",
        "!!bool ",
        "!!set ",
        "'",
        '"',
    ]
    + [
        "!include ",
        "config.yml",
        "!!timestamp ",
        "!!binary ",
        "!!omap ",
        "!!pairs ",
        "!!float ",
        "!x ",
        "? ",
        "|\n",
        ">",
    ]
    + [
        "~",
        "1",
        "0x",
        "-",
        ".",
        "2001-01-01",
        "\t",
        "#",
        "%YAML 1.1\n",
        "---\n",
        "...\n",
        "\\",
        "\x85",
        "\ufeff",
        "=",
        "*",
    ]
)


@patient
@given(st.one_of(st.text(), st.lists(YAML_SCRAPS).map("".join)))
@example('"\\ud800"')
@example("a: !!set {? !!bool x}")
@example("? !include config.yml\n: 1")
@example("<<: 1")
@example("<<: [*x]")
@example("? &x !include nothing\n: *x")
def test_any_text_gives_a_value_or_a_config_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder: Any = tmp_path_factory.getbasetemp() / "any_yaml"
    folder.mkdir(exist_ok=True)
    path = folder / "config.yml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        load_yaml(path)
    except ConfigError as error:
        assert "config.yml" in str(error)
