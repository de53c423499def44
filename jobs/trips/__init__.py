"""What a taxi trip is: its columns under every name TLC gave them, the rules of plausibility, the zones."""

from jobs.trips.columns import COLUMNS, DROPOFF, PICKUP, Column, Kind, Taxi, canonical, printed_name
from jobs.trips.params import TopParams, TripParams
from jobs.trips.rules import REASONS, Reason, month_of, month_window
from jobs.trips.zones import Zone, zones

__all__ = [
    "COLUMNS",
    "DROPOFF",
    "PICKUP",
    "REASONS",
    "Column",
    "Kind",
    "Reason",
    "Taxi",
    "TopParams",
    "TripParams",
    "Zone",
    "canonical",
    "month_of",
    "month_window",
    "printed_name",
    "zones",
]
