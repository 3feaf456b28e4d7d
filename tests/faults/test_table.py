"""The documents name exactly the faults that are tried, with the words that are seen."""

from __future__ import annotations

from pathlib import Path

from tests.faults.table import GAP, HEADING, all_faults, rows_in

DOCUMENT = Path(__file__).parents[2] / "docs" / "RELIABILITY.md"


def test_the_documents_name_exactly_the_faults_that_are_tried() -> None:
    assert DOCUMENT.is_file(), "write the table with: python -m tests.faults.table"
    assert sorted(rows_in(DOCUMENT.read_text(encoding="utf-8"))) == sorted(fault.row for fault in all_faults())


def test_a_fault_has_a_name_of_its_own_and_words() -> None:
    names = [fault.name for fault in all_faults()]
    assert len(set(names)) == len(names)
    assert all(len(fault.says.replace(GAP, "")) > 10 or fault.shows for fault in all_faults())
    assert all(fault.back for fault in all_faults())


def test_rows_are_found_in_every_table_of_faults_and_in_no_other() -> None:
    other = "| what | how |\n| --- | --- |\n| x | y |\n"
    table = f"{HEADING}\n| --- | --- | --- |\n| a | b | c |\n"
    assert rows_in(f"{other}\n{table}\ntext | with a bar\n\n{table}") == ["| a | b | c |"] * 2
