"""Tickets as weighbridge programs really export them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking.weights.csvfile import layout, read_csv, write_csv
from tracking.weights.tickets import wrong_text
from tracking.weights.weighing import fold

KOLKATA = ZoneInfo("Asia/Kolkata")
HALF_PAST_SIX = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)

FILES = {
    "own names": (
        "number,station,vehicle,stream,gross_kg,tare_kg,net_kg,time_in,time_out\n"
        "17,ts,V1,wet,1900,1500,400,2026-03-02T06:30:00+05:30,2026-03-02T06:40:00+05:30\n"
    ),
    "indian program": (
        "RST No.;Vehicle No.;Material;Gross Wt (kg);Tare Wt (kg);Net Wt (kg);"
        "Gross Date;Gross Time;Tare Date;Tare Time;Site\n"
        "17;MP-09 V1;Wet Waste;1,900;1,500;400;02/03/2026;06:30:00;02/03/2026;06:40:00;ts\n"
    ),
    "hindi, tabs": (
        "पर्ची नंबर\tवाहन क्रमांक\tकचरा\tकुल वजन\tखाली वजन\tदिनांक\tप्रवेश समय\tस्टेशन\n"
        "१७\tV1\tगीला\t१९००\t१५००\t02-03-2026\t6:30 AM\tts\n"
    ),
    "tonnes": (
        "Challan No,Truck,Waste Type,Gross (t),Net in MT,Date,In Time,Weighbridge\n"
        "17,V1,Organic,1.9,0.4,02-Mar-2026,06:30,ts\n"
    ),
    "one cell of time": (
        "slip,vehicle,gross,tare,datetime,station\n17,V1,1900 kg,1500 kg,02/03/2026 06:30,ts\n"
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_the_same_ticket_in_many_spellings(name: str) -> None:
    read = read_csv(FILES[name].encode(), KOLKATA)
    assert read.bad == []
    ((line, ticket),) = read.tickets
    assert line == 2
    assert ticket.number in {"17", "१७"}
    assert (ticket.gross_kg, ticket.tare_kg, ticket.net_kg) == (1900, 1500, 400)
    assert ticket.in_t == HALF_PAST_SIX
    assert ticket.station == "ts"
    assert ticket.stream in {"wet", None}
    assert "17" in ticket.raw or "१७" in ticket.raw


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_what_a_spreadsheet_saves_is_read(encoding: str) -> None:
    assert len(read_csv(FILES["own names"].encode(encoding), KOLKATA).tickets) == 1


HEAD = "ticket,station,vehicle,stream,gross,tare,net,date,time\n"


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("1,ts,V1,wet,19oo,1500,400,02/03/2026,06:30", "gross", "number"),
        ("1,ts,V1,wet,1900,1500,500,02/03/2026,06:30", "net", "net"),
        ("1,ts,V1,wet,1900,,,02/03/2026,06:30", "net", "weights"),
        ("1,ts,V1,plastic,1900,1500,400,02/03/2026,06:30", "stream", "stream"),
        ("1,ts,V1,wet,1900,1500,400,31/02/2026,06:30", "time", "time"),
        ("1,ts,V1,wet,1900,1500,400,,06:30", "time", "time"),
        ("1,ts,,wet,1900,1500,400,02/03/2026,06:30", "vehicle", "missing"),
        ("1,,V1,wet,1900,1500,400,02/03/2026,06:30", "station", "missing"),
        (",ts,V1,wet,1900,1500,400,02/03/2026,06:30", "ticket", "missing"),
        ("1,ts,V1,wet,-5,1500,-1505,02/03/2026,06:30", "gross", "range"),
        ("1,ts,V1,wet,nan,1500,400,02/03/2026,06:30", "gross", "number"),
        ("1,ts,V1", "net", "weights"),
        ("1,ts,V1,wet,1900,1500,400,02/03/1926,06:30", "time", "time"),
    ],
)
def test_a_bad_line_is_named_and_its_neighbours_are_read(
    row: str, column: str, reason: str
) -> None:
    """Line number, the file's own heading, and a reason and remedy in both languages."""
    good = "{},ts,V1,wet,1900,1500,400,02/03/2026,06:30\n"
    text = HEAD + good.format(8) + row + "\n\n" + good.format(9)
    read = read_csv(text.encode(), KOLKATA)
    assert [(line, ticket.number) for line, ticket in read.tickets] == [(2, "8"), (5, "9")]
    assert {bad.line for bad in read.bad} == {3}
    assert (column, reason) in {(bad.column, bad.wrong.reason) for bad in read.bad}
    for bad in read.bad:
        for lang in ("en", "hi"):
            assert wrong_text(lang, "reason", bad.wrong)
            assert wrong_text(lang, "remedy", bad.wrong)


def test_a_column_that_is_missing_is_one_fault() -> None:
    read = read_csv(b"ticket,vehicle,gross,tare\n1,V1,1900,1500\n", KOLKATA)
    assert read.tickets == []
    assert [(bad.wrong.reason, bad.wrong.field) for bad in read.bad] == [
        ("column", "in"),
        ("column", "station"),
    ]


def test_leaving_after_midnight_without_a_date() -> None:
    text = (
        "ticket,vehicle,gross,tare,date,in time,out time\n1,V1,1900,1500,02/03/2026,23:55,00:10\n"
    )
    ((_, ticket),) = read_csv(text.encode(), KOLKATA, "ts").tickets
    assert (ticket.out_t - ticket.in_t).total_seconds() == 15 * 60


def test_bytes_that_are_no_text() -> None:
    (bad,) = read_csv(b"ticket\xff\xfa", KOLKATA).bad
    assert bad.wrong.reason == "encoding"


def test_no_spelling_means_two_columns() -> None:
    for section in ("columns", "streams"):
        spelt = [w for words in layout()[section].values() for w in {fold(x) for x in words}]
        assert len(spelt) == len(set(spelt))


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    read = read_csv(b"ticket,station,vehicle,gross,tare,time\n" + data, KOLKATA)
    assert all(bad.line >= 1 for bad in read.bad)


cells = st.one_of(st.text(max_size=8), st.sampled_from(["1", "V1", "1900", "06:30", "2026-03-02"]))


@given(st.lists(st.lists(cells, min_size=6, max_size=6), max_size=6))
def test_any_cells_give_a_sound_ticket_or_a_reason(rows: list[list[str]]) -> None:
    text = write_csv(["ticket", "station", "vehicle", "gross", "tare", "date time"], rows)
    read = read_csv(text.encode("utf-8", "replace"), KOLKATA)
    for _, ticket in read.tickets:
        assert ticket.net_kg >= 0
        assert ticket.in_t.tzinfo is not None
        assert ticket.out_t >= ticket.in_t
    for bad in read.bad:
        assert wrong_text("hi", "remedy", bad.wrong)


@pytest.mark.parametrize("text", ["=1+1", "+91", "-2", "@SUM(A1)", "\t=1", "\r=1"])
def test_an_export_runs_no_formula(text: str) -> None:
    assert write_csv(["a"], [[text]]).splitlines()[1].strip('"').startswith("'")


def test_numbers_stay_numbers_in_an_export() -> None:
    assert write_csv(["a", "b", "c"], [[-1.5, None, "ok"]]) == "a,b,c\r\n-1.5,,ok\r\n"
