"""`python -m jobs.runtime.warm`: compiles every loop that the catalogue needs and keeps the machine code.

Run once where code is installed, so that no run has to compile: when the environment is set up, when the image is
built. What is kept holds for the CPU model that it was made on, or the one named by NUMBA_CPU_NAME.
"""

import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq

from jobs import JOBS
from jobs.questions import Question
from jobs.runtime.answering import Asked, answer
from jobs.runtime.plan import make_plan
from jobs.runtime.storage import resolve
from jobs.trips import TripParams

# A plausible trip, one without most values, and one whose quoted text may hold line ends.
_TRIPS = """vendor_id,pickup_datetime,dropoff_datetime,passenger_count,trip_distance,PULocationID,fare_amount,note
1,2018-01-01 10:00:00,2018-01-01 10:10:00,1,1.5,161,9.5,
,2018-01-01 11:00:00,,,,,,
2,2018-01-01 12:00:00,2018-01-01 12:10:00,2,2.5,162,9.5,"a
b"
"""


def main() -> None:
    """Ask every job's questions of a few trips, in CSV and in Parquet, as right and as published."""
    with tempfile.TemporaryDirectory(prefix="dispatch-") as folder:
        text = Path(folder, "yellow_2018-01.csv")
        text.write_text(_TRIPS)
        table = pc.read_csv(text, parse_options=pc.ParseOptions(newlines_in_values=True))
        passengers = table["passenger_count"].cast(pa.float64())
        table = table.set_column(table.column_names.index("passenger_count"), "passenger_count", passengers)
        pq.write_table(table, Path(folder, "yellow_2018-01.parquet"), coerce_timestamps="us")
        for published in (False, True):
            params = {"trips": [f"{folder}/*"], "as_published": published}
            for job in JOBS.values():
                model = job.params.model_validate(params)
                assert isinstance(model, TripParams)
                if job.questions:
                    _ask(dict(job.questions(model)), model)


def _ask(questions: dict[str, Question], params: TripParams) -> None:
    asked = Asked(questions, params.keeps_all)
    for _, units in make_plan(resolve(params.trips), params).work():
        for unit in units:
            answer(unit, asked)


if __name__ == "__main__":
    main()
