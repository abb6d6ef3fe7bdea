"""Operations: what watches a running plant and who acts on it: alarms, crews, procedures, repairs."""

from twin.operations.desk import Desk
from twin.operations.instruments import Instruments
from twin.operations.watch import Watch

__all__ = ["Desk", "Instruments", "Watch"]
