"""One instance or more of every question, with every kind of value, key, measure and predicate."""

from jobs.questions import (
    ALL,
    DURATION,
    PUBLISHED_DURATION,
    Bins,
    By,
    Count,
    Day,
    Mean,
    Quantiles,
    Question,
    Span,
    Stats,
    Sum,
    Top,
    Trips,
    Where,
)
from jobs.trips import DROPOFF, PICKUP

FARES = Where("dear", "fare_amount", at_least=0.0, at_most=2000.0)

# Those that are filled trip by trip.
FILLED: dict[str, Question] = {
    "trips": Trips(),
    "trips where": Trips(where=FARES),
    "stats of a number": Stats("trip_distance", show=("min", "max", "total", "mean")),
    "stats of whole numbers": Stats("VendorID", show=("min", "max", "total", "mean")),
    "stats of durations": Stats(DURATION, where=ALL),
    "stats of wrapped durations": Stats(
        PUBLISHED_DURATION, show=("total",), where=Where("long", DURATION, at_least=60)
    ),
    "span": Span(PICKUP),
    "by id": By(
        "VendorID", trips=Count(), miles=Sum("trip_distance"), fare=Mean("fare_amount"), miles_too=Mean("trip_distance")
    ),
    "by zone, ordered": By("PULocationID", order="-fare", trips=Count(), fare=Mean("fare_amount"), where=FARES),
    "by id, counts only": By("passenger_count", trips=Count()),
    "by id, counts of a column": By("PULocationID", trips=Count(of="passenger_count"), tips=Count(of="tip_amount")),
    "by day": By(
        Day(PICKUP), nulls=False, trips=Count(), passengers=Sum("passenger_count"), mean=Mean("passenger_count")
    ),
    "by day, durations": By(Day(DROPOFF), mean=Mean(DURATION), trips=Count(of="passenger_count")),
    "by bins of a number": By(Bins("trip_distance", 0.25), trips=Count(), fare=Sum("fare_amount")),
    "by bins of durations": By(Bins(DURATION, 60), trips=Count(), miles=Sum("trip_distance")),
    "quantiles of a number": Quantiles("fare_amount", width=0.5),
    "quantiles of durations": Quantiles(DURATION, width=10),
    "top fares": Top(3, by="fare_amount", show=["fare_amount", "PULocationID", PICKUP, DURATION]),
    "longest": Top(5, by="trip_distance", show=["tip_amount", "VendorID"], where=FARES),
    "the one": Top(1, by="tip_amount", show=["tip_amount"]),
}
