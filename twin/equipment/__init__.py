"""The catalogue of kinds: one file, one kind, one row here."""

from twin.declare import Equipment
from twin.equipment.adiabatic_cooler import AdiabaticCooler
from twin.equipment.air_rack import AirRack
from twin.equipment.ats import ATS
from twin.equipment.bess import BESS
from twin.equipment.breaker import Breaker
from twin.equipment.bus import Bus
from twin.equipment.busway import Busway
from twin.equipment.cable import Cable
from twin.equipment.capacitor import Capacitor
from twin.equipment.cdu import CDU
from twin.equipment.check_valve import CheckValve
from twin.equipment.chiller import Chiller
from twin.equipment.control_panel import ControlPanel
from twin.equipment.cooling_tower import CoolingTower
from twin.equipment.dry_cooler import DryCooler
from twin.equipment.expansion_vessel import ExpansionVessel
from twin.equipment.fan_wall import FanWall
from twin.equipment.generator import Generator
from twin.equipment.heat_exchanger import HeatExchanger
from twin.equipment.heat_sink import HeatSink
from twin.equipment.job import Job
from twin.equipment.load import Load
from twin.equipment.pdu import PDU
from twin.equipment.pipe import Pipe
from twin.equipment.pool import Pool
from twin.equipment.pump import Pump
from twin.equipment.quick_disconnect import QuickDisconnect
from twin.equipment.rack import Rack
from twin.equipment.rectifier import Rectifier
from twin.equipment.sequencer import Sequencer
from twin.equipment.service import Service
from twin.equipment.site import Site
from twin.equipment.storage_system import StorageSystem
from twin.equipment.strainer import Strainer
from twin.equipment.sts import STS
from twin.equipment.switch import Switch
from twin.equipment.tank import Tank
from twin.equipment.tie import Tie
from twin.equipment.transformer import Transformer
from twin.equipment.ups import UPS
from twin.equipment.utility import Utility
from twin.equipment.valve import Valve
from twin.equipment.water_cooled_chiller import WaterCooledChiller
from twin.equipment.zone import Zone

KINDS: dict[str, type[Equipment]] = {
    made.kind: made
    for made in (
        Site,
        Utility,
        Transformer,
        Bus,
        Breaker,
        Generator,
        BESS,
        ATS,
        STS,
        UPS,
        PDU,
        Busway,
        Rectifier,
        Rack,
        AirRack,
        Switch,
        StorageSystem,
        Load,
        Cable,
        Capacitor,
        Tie,
        CDU,
        Chiller,
        WaterCooledChiller,
        DryCooler,
        AdiabaticCooler,
        HeatExchanger,
        HeatSink,
        CoolingTower,
        Pump,
        Pipe,
        Valve,
        CheckValve,
        Strainer,
        QuickDisconnect,
        ExpansionVessel,
        Tank,
        FanWall,
        Sequencer,
        ControlPanel,
        Zone,
        Pool,
        Service,
        Job,
    )
}
