"""Site: the whole of it: the weather it stands in, the power it is asked to take, and its totals."""

from __future__ import annotations

from typing import Any, ClassVar

from twin.declare import Equipment, Nothing, Ports, Real, quantity, replace, table


@table
class Site(Equipment):
    """One unit, always there: weather and the grid's request come in here, totals go out.

    Its Outputs are summed by the step from all units.
    """

    kind: ClassVar[str] = "site"
    counts = True

    @table
    class Inputs:
        dry_bulb: Real = quantity("K", "outdoor dry-bulb temperature", default=298.15, above=200, below=340)
        wet_bulb: Real = quantity("K", "outdoor wet-bulb temperature", default=291.15, above=200, below=340)
        power_request: Real = quantity("1", "share of normal power asked for", default=1.0, at_least=0, at_most=2)
        energy_price: Real = quantity(
            "USD/J", "price of energy from the grid", default=0.0, at_least=-1e-3, at_most=1e-3
        )

        start_ramp: Real = quantity(
            "W/s", "racks that have supply again begin one after the other, so that their rated power comes back no "
            "faster; 0: all at once", default=0.0, at_least=0, at_most=1e9,
        )  # fmt: skip

    @table
    class State:
        supplied_energy: Real = quantity("J", "energy from utilities and generators since the start", default=0.0)
        rejected_energy: Real = quantity("J", "energy given to the outdoors since the start", default=0.0)
        work_energy: Real = quantity("J", "energy of the racks since the start", default=0.0)
        rack_energy: Real = quantity(
            "J", "energy of racks alone, without switches and storage, where services or jobs are charged", default=0.0
        )
        unallocated_rack_energy: Real = quantity("J", "of that, charged to no service and no job", default=0.0)
        unallocated_it_energy: Real = quantity("J", "energy of all IT charged to nobody", default=0.0)
        unallocated_facility_energy: Real = quantity("J", "energy of the site charged to nobody", default=0.0)
        energy_cost: Real = quantity("USD", "cost of supplied energy since the start", default=0.0)
        next_start: Real = quantity("s", "when the next rack may begin to start", default=0.0)
        unallocated_energy_cost: Real = quantity("USD", "of that, charged to nobody", default=0.0)

    @table
    class Outputs:
        power: Real = quantity("W", "power taken from utilities and generators", default=0.0)
        it_power: Real = quantity("W", "power of the racks", default=0.0)
        pue: Real = quantity("1", "power over power of the racks; not a number while they are off", default=0.0)
        heat_rejected: Real = quantity("W", "heat given to the outdoors", default=0.0)
        chilled_heat: Real = quantity("W", "heat that chillers take", default=0.0)
        free_heat: Real = quantity("W", "heat that leaves or is used again without a chiller", default=0.0)
        cooling_mode: Real = quantity(
            "1", "how heat leaves: 1 by chillers alone, 2 by them and without, 3 without; 0 where one way is all",
            default=0.0,
        )  # fmt: skip
        stored_energy: Real = quantity("J", "energy held in water, metal, air and batteries", default=0.0)
        stored_power: Real = quantity("W", "energy taken into store: water, metal, air, cells", default=0.0)
        energy_residual: Real = quantity("1", "worst energy residual of a unit, of throughput", default=0.0)

    def advance(self, s: Any, u: Any, port: Ports, dt: Real) -> tuple[Any, Any]:
        return (s if port.plan is None else replace(s, next_start=port.plan)), Nothing()
