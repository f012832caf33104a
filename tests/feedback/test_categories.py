"""Categories are data; each one that becomes a stop says what the stop needs."""

from __future__ import annotations

import pytest

from feedback.categories import categories
from fleet.org.policy import STREAMS


def test_residents_see_both_languages_and_no_planning_figures():
    for category in categories().values():
        shown = category.public()
        assert set(shown) == {"service_code", "name", "name_hi", "sla_h", "kind", "photo"}
        assert shown["name"]
        assert any("ऀ" <= letter <= "ॿ" for letter in shown["name_hi"])


@pytest.mark.parametrize("code", [c.service_code for c in categories().values()])
def test_only_messages_need_no_stop(code):
    category = categories()[code]
    assert (category.kind == "message") == (category.service_s == 0)
    assert set(category.kg) <= set(STREAMS)
