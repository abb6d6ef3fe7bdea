"""Lockouts: what a generating set remembers of its relays and of what kept it from running."""

from __future__ import annotations

from twin.declare import Real, flag, table


@table
class Lockouts:
    """Latched flags; `reset` of a set is its switch at off."""

    failed_to_start: Real = flag(
        "gives up starting", "is reset", because="its engine did not fire in {crank_attempts} attempts"
    )
    failed_to_load: Real = flag(
        "dies when it is loaded", "is reset", because="its engine could not take load", via="load"
    )
    stalled: Real = flag(
        "is stalled", "is reset", because="it met a step of load above {block_step} of its rating", via="load"
    )
    overloaded: Real = flag(
        "is tripped by overload", "is reset",
        because="its load was above {overload_limit} of its rating for {overload_delay}", via="load",
    )  # fmt: skip
    too_slow: Real = flag(
        "is tripped by underfrequency", "is reset",
        because="its frequency was below {underfrequency_limit} for {underfrequency_delay}", via="load",
    )  # fmt: skip
    too_fast: Real = flag(
        "is tripped by overfrequency", "is reset",
        because="its frequency was above {overfrequency_limit} for {overfrequency_delay}", via="load",
    )  # fmt: skip
    reverse_power: Real = flag(
        "is tripped by reverse power", "is reset",
        because="it took in more than {reverse_power_limit} of its rating for {reverse_power_delay}", via="load",
    )  # fmt: skip
    leading: Real = flag(
        "is tripped by leading reactive power", "is reset",
        because="it took in more than {leading_limit} of its rating for {leading_delay}", via="load",
    )  # fmt: skip
    tripped: Real = flag("trips", "is reset", because="one of its relays acted")
    out_of_fuel: Real = flag("runs out of fuel", "is reset", because="its tank is empty")
