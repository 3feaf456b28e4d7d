"""Completions and manual pages: made from the parsers, taken by the real shells where these are."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from outflow_tui.cli import main
from outflow_tui.cli.commands import COMMANDS
from outflow_tui.cli.completions import completions
from outflow_tui.cli.man import page
from outflow_tui.cli.programs import arguments_of, commands_of, program

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("outflow-tui", "outflow-db")
SHELLS = ("bash", "zsh", "fish")

BASH = """
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 ))
$(complete -p "$1" | sed -e 's/.*-F //' -e 's/ .*//')
printf '%s\\n' "${COMPREPLY[@]}"
"""


def script(name: str, shell: str, folder: Path) -> Path:
    path = folder / f"_{name}.{shell}"
    path.write_text(completions(program(name), shell))
    return path


def offered(name: str, shell: str, folder: Path, *typed: str) -> set[str]:
    """What bash or fish offers behind these words."""
    path = script(name, shell, folder)
    if shell == "bash":
        command = ["bash", "-c", BASH, "bash", str(path), name, *typed]
    else:
        command = ["fish", "--no-config", "-c", f"source {path}; complete -C '{' '.join([name, *typed])}'"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert done.stderr == ""
    return {line.partition("\t")[0] for line in done.stdout.splitlines()}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_every_command_and_option_is_in_the_script(name: str, shell: str, tmp_path: Path) -> None:
    text = script(name, shell, tmp_path).read_text()
    for command, parser in commands_of(program(name).parser).items():
        assert re.search(rf"\b{command}\b", text)
        for action in arguments_of(parser):
            for option in action.option_strings:
                bare = option.lstrip("-")
                assert option in text or f"-l {bare}" in text or f"-s {bare}" in text, (command, option)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_shell_that_is_here_takes_the_script(name: str, shell: str, tmp_path: Path) -> None:
    path = script(name, shell, tmp_path)
    if shutil.which(shell):
        done = subprocess.run([shell, "-n", str(path)], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
    else:  # what at least can be seen without it
        text = path.read_text()
        assert text.count("{") == text.count("}") and "Traceback" not in text


@pytest.mark.parametrize("shell", [shell for shell in ("bash", "fish") if shutil.which(shell)])
def test_commands_options_choices_and_files_are_offered(shell: str, tmp_path: Path) -> None:
    (tmp_path / "books.db").touch()
    assert set(COMMANDS) <= offered("outflow-tui", shell, tmp_path, "")
    assert "--state" in offered("outflow-tui", shell, tmp_path, "runs", "--st")
    assert {"gone", "silent", "failed"} <= offered("outflow-tui", shell, tmp_path, "runs", "--state", "")
    assert "books.db" in offered("outflow-tui", shell, tmp_path, "runs", "-s", "boo")
    assert "last" in offered("outflow-tui", shell, tmp_path, "show", "")
    assert "upgrade" in offered("outflow-db", shell, tmp_path, "up")


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_manual_pages_are_as_the_programs_are(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["man", name]) == 0
    kept = ROOT / "docs" / "man" / f"{name}.1"
    assert capsys.readouterr().out == kept.read_text(), f"make man writes {kept.name} anew"


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_manual_page_is_sound_roff(name: str) -> None:
    text = "\n".join(page(program(name))) + "\n"
    known = {".TH", ".SH", ".SS", ".TP", ".PP", ".br", ".nh", ".ad"}
    assert {line.split()[0] for line in text.splitlines() if line.startswith((".", "'"))} <= known
    assert set(re.findall(r"\\(.)", text)) <= set("fe-&")
    assert not [line for line in text.splitlines() if line.count("\\fB") + line.count("\\fI") != line.count("\\fR")]
    if shutil.which("groff"):
        done = subprocess.run(["groff", "-man", "-ww", "-Tascii", "-z"], input=text, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")


def test_the_help_lists_every_command_in_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    lines = capsys.readouterr().out.splitlines()
    for command in COMMANDS.values():
        assert any(line.split() == [command.name, *command.help.split()] for line in lines)
    assert max(map(len, lines)) <= 80
