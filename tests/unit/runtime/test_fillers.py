"""The compiled loops give each question the partial that it has by definition."""

from hypothesis import given
from hypothesis import strategies as st

from jobs.questions import By, Count, Stats, Sum, Top
from jobs.runtime.canonical import BATCH_ROWS
from tests.unit.runtime import slowly
from tests.unit.runtime.asked import FILLED
from tests.unit.runtime.drawn import BATCHES, JANUARY_2018, Row
from tests.unit.runtime.filling import filled, partials


@given(batches=BATCHES, data=st.data())
def test_partials_are_what_they_are_by_definition(batches: list[list[Row]], data: st.DataObject) -> None:
    masks = [
        data.draw(st.lists(st.sampled_from([1, 1, 0]), min_size=len(rows), max_size=len(rows))) for rows in batches
    ]
    counted = [
        row for rows, mask in zip(batches, masks, strict=True) for row, yes in zip(rows, mask, strict=True) if yes
    ]
    for name, partial in partials(FILLED, batches, masks).items():
        assert partial == slowly.partial(FILLED[name], counted), name


def rows_of(**columns: list[object]) -> list[Row]:
    """Rows that have these columns; every other column is null, but for the pick-up."""
    nothing = dict.fromkeys(["VendorID", "pickup_datetime", "dropoff_datetime", "passenger_count", "trip_distance"])
    nothing |= dict.fromkeys(["PULocationID", "fare_amount", "tip_amount"])
    length = len(next(iter(columns.values())))
    return [nothing | {name: values[at] for name, values in columns.items()} for at in range(length)]


def test_keys_without_a_slot_of_their_own_are_grouped_exactly_all_the_same() -> None:
    rows = rows_of(VendorID=[300, 300, -5, 2**63 - 1, None, 1], trip_distance=[1.5, 2.0**30, 2.0, None, 4.0, 5.0])
    by = By("VendorID", trips=Count(), miles=Sum("trip_distance"))
    answer = by.finish(filled(by, [rows, rows]), None)  # type: ignore[arg-type]
    assert answer == [
        {"vendor_id": -5, "trips": 2, "miles": 4.0},
        {"vendor_id": 1, "trips": 2, "miles": 10.0},
        {"vendor_id": 300, "trips": 4, "miles": 2 * (1.5 + 2.0**30)},
        {"vendor_id": 2**63 - 1, "trips": 2, "miles": None},
        {"vendor_id": None, "trips": 2, "miles": 8.0},
    ]


def test_the_least_whole_number_is_found_among_none_but_itself() -> None:
    assert filled(Stats("VendorID"), [rows_of(VendorID=[-(2**63)] * 2)]) == (2, -(2**64), -(2**63), -(2**63))


def test_whole_numbers_at_the_ends_of_64_bits_add_up() -> None:
    values = [2**63 - 1] * 1000 + [-(2**63)] * 999
    count, total, *_ = filled(Stats("VendorID"), [rows_of(VendorID=values)])  # type: ignore[misc]
    assert (count, total) == (1999, sum(values))


def test_a_full_batch_of_ties_keeps_the_earliest() -> None:
    """More ties than can be sorted cheaply are cut by their times before they are looked at."""
    times = [JANUARY_2018 + (7919 * at) % BATCH_ROWS for at in range(BATCH_ROWS)]
    rows = rows_of(fare_amount=[9.5] * BATCH_ROWS, pickup_datetime=times, PULocationID=[1] * BATCH_ROWS)
    top = Top(10, by="fare_amount", show=["pickup_datetime"])
    assert [row[1] - JANUARY_2018 for row in filled(top, [rows, rows])] == sorted([*range(5)] * 2)  # type: ignore[attr-defined]


def test_of_many_ties_in_time_as_well_the_lowest_zones_are_kept() -> None:
    zones = [1 + at % 200 for at in range(1000)]
    rows = rows_of(fare_amount=[9.5] * 1000, pickup_datetime=[JANUARY_2018] * 1000, PULocationID=zones)
    top = Top(7, by="fare_amount", show=["fare_amount"])
    assert [row[2] for row in filled(top, [rows])] == [1, 1, 1, 1, 1, 2, 2]
