"""What a job on a frame may return, and what becomes of it; what it may not is named."""

import json
import math
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import dask
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest

from jobs.runtime.frame_answers import computed
from jobspec import JobDefinitionError

MORNING = datetime.fromisoformat("2018-01-05T10:00:00")
FRAME = pd.DataFrame({"vendor": [1, 2, 2], "fare": [1.5, math.inf, math.nan]})


def told(returned: Any) -> dict[str, Any]:
    answers = computed(returned, lambda lazy: dask.compute(*lazy), "jobs/zone_fares.py")
    assert json.loads(json.dumps(answers, allow_nan=False)) == answers
    return answers


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        (math.inf, None),
        (-math.inf, None),
        (math.nan, None),
        (np.float32(0.5), 0.5),
        (np.float64("inf"), None),
        (np.longdouble(1.5), 1.5),
        (np.int16(7), 7),
        (np.bool_(True), True),
        (Decimal("1.5"), 1.5),
        (Decimal("Infinity"), None),
        (Decimal("NaN"), None),
        (2**70, 2**70),
        (pd.NA, None),
        (pd.NaT, None),
        (np.datetime64("NaT"), None),
        ("", ""),
        (date(2018, 1, 5), "2018-01-05"),
        (time(10, 30), "10:30:00"),
        (MORNING, "2018-01-05T10:00:00"),
        (MORNING.replace(tzinfo=UTC), "2018-01-05T10:00:00+00:00"),
        (pd.Timestamp(MORNING), "2018-01-05T10:00:00"),
        (np.datetime64(MORNING, "ns"), "2018-01-05T10:00:00"),
        (timedelta(minutes=1), 60.0),
        (pd.Timedelta(minutes=1), 60.0),
        (np.timedelta64(1, "m"), 60.0),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (pd.Index([1, 2]), [1, 2]),
        (pd.array([1, None], "Int64"), [1, None]),
        ((1, [2.0, {"three": None}]), [1, [2.0, {"three": None}]]),
        ({1: {"a": math.inf}}, {"1": {"a": None}}),
        (FRAME, [{"vendor": 1, "fare": 1.5}, {"vendor": 2, "fare": None}, {"vendor": 2, "fare": None}]),
        (FRAME.set_index("vendor")[:1], [{"vendor": 1, "fare": 1.5}]),
        (FRAME.groupby("vendor").fare.count(), [{"vendor": 1, "fare": 1}, {"vendor": 2, "fare": 1}]),
        (FRAME.groupby("vendor").vendor.count(), [{"vendor": 1, "value": 1}, {"vendor": 2, "value": 2}]),
        (FRAME.fare[:1], [{"index": 0, "fare": 1.5}]),
        (FRAME[:0], []),
    ],
    ids=lambda given: repr(given)[:40],
)
def test_values(value: Any, answer: Any) -> None:
    assert told({"it": value}) == {"it": answer}


def test_lazy_values_at_any_depth_are_computed_at_once() -> None:
    asked = []

    def compute(lazy: list[Any]) -> Any:
        asked.append(len(lazy))
        return dask.compute(*lazy)

    trips = dd.from_pandas(FRAME, npartitions=2)
    returned = {"fares": {"max": trips.fare.max(), "first": [trips.fare.min(), ({"n": trips.vendor.sum()},)]}, "n": 1}
    assert computed(returned, compute, "") == {"fares": {"max": None, "first": [1.5, [{"n": 5}]]}, "n": 1}
    assert asked == [3]


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (12.5, r"run returned the float 12\.5; allowed: a dict of answers"),
        (dd.from_pandas(FRAME, npartitions=1).fare.sum(), r"run returned the Scalar .*; allowed: a dict of answers"),
        (None, "run returned the NoneType null; allowed: a dict of answers"),
        ({"zones": {1, 2}}, r'answer zones is the set "\{1, 2\}"; allowed: frames, series, numbers'),
        ({"zones": [1, {"near": b"x"}]}, "answer zones/1/near is the bytes .*; allowed: frames"),
        ({"bins": pd.DataFrame({"bin": pd.interval_range(0, 1)})}, "answer bins/0/bin is the Interval "),
        ({"same": {1: "a", "1": "b"}}, "answer same has two names '1'; allowed: every name once"),
        ({"same": pd.DataFrame([[1, 2]], columns=["a", "a"])}, "answer same has two names 'a'"),
        ({"same": FRAME.set_index("vendor", drop=False)}, "answer same has an index that cannot be a column: .*vendor"),
    ],
    ids=lambda given: repr(given)[:40],
)
def test_what_is_no_answer_is_named(returned: Any, said: str) -> None:
    with pytest.raises(JobDefinitionError, match=rf"^jobs/zone_fares\.py: {said}"):
        told(returned)
