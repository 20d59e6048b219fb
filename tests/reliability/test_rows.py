"""The short form of every promise of docs/reliability.md. Gates are counts and shares; the figures are those of the scripts."""

from __future__ import annotations

import importlib
import re

import pytest

from tests.reliability.harness import ROOT
from tests.reliability.rows import ROWS


def keeps(row: str) -> dict[str, object]:
    """Measure a row and fail with what is broken."""
    module = importlib.import_module(f"tests.reliability.{row}")
    figures: dict[str, object] = module.measure("short")
    assert module.broken(figures) == [], figures
    return figures


@pytest.mark.slow
def test_exactly_100_of_150_calls_pass_over_two_workers_and_lines_of_a_batch_count() -> None:
    keeps("rate")


@pytest.mark.slow
def test_nothing_of_a_request_is_found_anywhere_but_in_its_answer() -> None:
    keeps("privacy")


@pytest.mark.slow
def test_nothing_is_unpickled_while_the_service_starts_reloads_and_serves() -> None:
    keeps("no_pickle")


@pytest.mark.slow
def test_requests_are_answered_at_half_of_what_can_be_answered() -> None:
    keeps("load")


@pytest.mark.slow
def test_three_times_too_much_is_refused_at_once_and_the_rest_is_answered() -> None:
    keeps("overload")


@pytest.mark.slow
def test_bodies_and_headers_that_are_too_large_are_refused_and_leave_memory_as_it_was() -> None:
    keeps("body_and_headers")


@pytest.mark.slow
def test_slow_matches_full_queues_and_clients_that_have_gone_are_dealt_with() -> None:
    keeps("deadlines")


@pytest.mark.slow
def test_two_hundred_slow_clients_are_closed_while_everybody_else_is_answered() -> None:
    keeps("slow_clients")


@pytest.mark.slow
def test_whatever_is_sent_there_is_no_5xx_and_no_traceback() -> None:
    keeps("malformed")


@pytest.mark.slow
def test_bombs_are_refused_while_other_requests_are_answered() -> None:
    keeps("documents")


@pytest.mark.slow
def test_a_damaged_index_or_model_ends_in_one_typed_error_and_exit_code_3() -> None:
    keeps("corrupt")


@pytest.mark.slow
def test_a_file_that_does_not_belong_to_a_model_is_refused() -> None:
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from tests.reliability.corrupt import extra_file_is_refused
    from tests.reliability.harness import invented_indexes

    with TemporaryDirectory() as folder:
        assert extra_file_is_refused(Path(folder), invented_indexes()[0])


@pytest.mark.slow
def test_no_request_is_lost_while_the_index_changes_and_a_corrupt_one_is_refused() -> None:
    keeps("reload")


@pytest.mark.slow
def test_a_stop_loses_nothing_and_a_killed_worker_is_back_at_once() -> None:
    keeps("shutdown_and_crash")


@pytest.mark.slow
def test_memory_descriptors_and_threads_stay_as_they_are() -> None:
    keeps("soak")


@pytest.mark.slow
def test_a_query_has_one_answer_whoever_gives_it() -> None:
    keeps("sameness")


@pytest.mark.slow
def test_keys_live_rotate_and_die_without_a_restart_and_without_a_trace_of_their_secrets() -> None:
    keeps("keys")


@pytest.mark.slow
def test_the_bill_of_materials_has_models_and_data_with_right_digests() -> None:
    keeps("supply")


def test_every_row_stands_in_the_document_with_its_command_and_has_a_short_form_here() -> None:
    document = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`python -m tests\.reliability (\w+) --full`", document))
    assert named == set(ROWS)
    here = (ROOT / "tests" / "reliability" / "test_rows.py").read_text(encoding="utf-8")
    assert set(re.findall(r'keeps\("(\w+)"\)', here)) == set(ROWS)
