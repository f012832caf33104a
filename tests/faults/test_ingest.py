"""A short drill of `tests.faults.ingest`; the long ones are run by that name."""

from __future__ import annotations

import pytest

from tests.faults.ingest import drill


@pytest.mark.timeout(600)
def test_what_was_acknowledged_before_a_kill_is_there_once_and_in_order(tmp_path, db_url):
    database, _, _ = db_url.partition(":")
    url = "" if database == "sqlite" else db_url
    outcome = drill(database, url, kills=3, seed=7, folder=tmp_path)
    assert outcome.kills == 3
    assert outcome.sent_again > 0
    assert outcome.is_clean, outcome
