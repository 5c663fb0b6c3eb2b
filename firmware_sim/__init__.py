"""Devices without hardware: virtual serial ports, simulated devices, faults and scenarios."""

from firmware_sim.device import SimulatedDevice
from firmware_sim.faults import Fault, Wire
from firmware_sim.generic import GenericModel
from firmware_sim.memory_port import MemoryPort
from firmware_sim.models import MODELS, schema_of
from firmware_sim.pty_port import PtyPort
from firmware_sim.scenario import DeviceEntry, EventEntry, PortEntry, Scenario, demo_scenario, scenario_of
from firmware_sim.simulation import Simulation
from firmware_sim.tcp_port import TcpPort

__all__ = [
    "MODELS",
    "DeviceEntry",
    "EventEntry",
    "Fault",
    "GenericModel",
    "MemoryPort",
    "PortEntry",
    "PtyPort",
    "Scenario",
    "SimulatedDevice",
    "Simulation",
    "TcpPort",
    "Wire",
    "demo_scenario",
    "scenario_of",
    "schema_of",
]
