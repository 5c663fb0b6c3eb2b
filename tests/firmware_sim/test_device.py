"""SimulatedDevice: answers as firmware would, without any line."""

from __future__ import annotations

import math
from typing import Any

import pytest

from firmware_sim import MODELS, SimulatedDevice, schema_of
from framelink.message import Message, Schema
from framelink.wire import BROADCAST, Frame, Receiver, encode


def made(model: str, *, period: int = 0, addr: int = 1, **more: Any) -> SimulatedDevice:
    """Return a device of a model."""
    behaviour = MODELS[model](7)
    firmware = (1, 2, 3)
    return SimulatedDevice(
        model, addr, schema_of(model), behaviour, telemetry=model, period=period, firmware=firmware, **more
    )


def ask(device: SimulatedDevice, frame: Frame, now: float = 0.0) -> Frame:
    """Send a request and return the one reply."""
    (answer,) = device.feed(encode(frame), now)
    (reply,) = Receiver().feed(answer)
    return reply


def asked(
    device: SimulatedDevice, schema: Schema, name: str, now: float = 0.0, **fields: Any
) -> dict[str, Any]:
    """Send a message and return the reply's fields."""
    message = schema.decode(ask(device, schema.encode(1, name, fields), now))
    assert isinstance(message, Message)
    return {"name": message.name, **message.fields}


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> str:
    """Every model in turn."""
    name: str = request.param
    return name


def test_every_model_answers_the_standard_commands(model: str) -> None:
    """Ping, identify, get, set and ledger."""
    device, schema = made(model), schema_of(model)
    assert asked(device, schema, "ping", bytes=b"\x01\x55\xaa") == {"name": "ping", "bytes": b"\x01\x55\xaa"}
    identity = asked(device, schema, "identify")
    assert identity["name"] == model
    assert (identity["type"], identity["firmware"], identity["boots"]) == (schema.device_type, [1, 2, 3], 0)
    for parameter in schema.parameters.values():
        value = asked(device, schema, "get", parameter=parameter.name)["value"]
        changed = asked(device, schema, "set", parameter=parameter.name, value=value)
        assert changed == {"name": "set", "parameter": parameter.name, "value": value}
    assert asked(device, schema, "ledger")["frames"] == 3 + 2 * len(schema.parameters)


def test_every_model_reports_by_its_schema(model: str) -> None:
    """Telemetry comes at its period, decodes, and lies in believable bounds for an hour."""
    device, schema = made(model, period=1_000), schema_of(model)
    bounds = {
        "temperature": (10, 35), "humidity": (20, 80), "pressure": (950, 1050), "speed": (-6000, 6000),
        "current": (0, 20), "voltage": (220, 240), "power": (0, 4000), "setpoint": (-6000, 6000),
        "energy": (0, 2000),
    }  # fmt: skip
    reports = 0
    while device.next_due < 3_600:
        for wire in device.tick(device.next_due):
            (frame,) = Receiver().feed(wire)
            message = schema.decode(frame)
            assert isinstance(message, Message)
            reports += 1
            for name, value in message.fields.items():
                if name in bounds:
                    low, high = bounds[name]
                    assert low <= float(str(value)) <= high, name
    assert 3_500 <= reports <= 3_600


def test_telemetry_is_started_stopped_and_paced_by_its_command() -> None:
    """0 stops it; a period below what the device can is raised to that and said so."""
    device, schema = made("weather"), schema_of("weather")
    assert device.next_due == math.inf
    assert asked(device, schema, "telemetry", now=5.0, period=200)["period"] == 200
    assert device.next_due == pytest.approx(5.2)
    assert asked(device, schema, "telemetry", now=6.0, period=1)["period"] == 10
    assert asked(device, schema, "telemetry", now=7.0, period=0)["period"] == 0
    assert device.next_due == math.inf
    assert made("weather", period=1).next_due == pytest.approx(0.01)


def test_a_late_device_does_not_make_up_for_missed_reports() -> None:
    """After a stall there is one report, not a burst."""
    device = made("weather", period=100)
    assert len(device.tick(10.0)) == 1
    assert device.next_due > 10.0


def test_a_late_tick_changes_no_value(model: str) -> None:
    """What is reported is as of when it was due, so that a run can be repeated."""
    on_time, late = made(model, period=100), made(model, period=100)
    for _ in range(20):
        due = on_time.next_due
        assert on_time.tick(due) == late.tick(due + 0.04)


def test_a_device_that_reports_can_be_had_to_at_any_time() -> None:
    """A silent one says nothing."""
    device = made("weather", period=60_000)
    (wire,) = device.report(0.5)
    assert message_name(schema_of("weather"), wire) == "weather"
    assert made("weather").report(0.5) == []


@pytest.mark.parametrize(
    ("frame", "code", "text"),
    [
        (Frame(1, 0x55), 1, b"0x55"),
        (Frame(1, 0x20, bytes(8)), 1, b"0x20"),
        (Frame(1, 0x7F), 1, b"0x7F"),
        (Frame(1, 0x05, b"\x01"), 2, b"payload must have 2 bytes"),
        (Frame(1, 0x04, b"\x01\x0f\x27"), 3, b"value must be -500 to 9000 m, not 9999"),
    ],
)
def test_what_a_device_cannot_do_gets_a_negative_reply(frame: Frame, code: int, text: bytes) -> None:
    """Refused command, code, and the reason in words."""
    reply = ask(made("weather"), frame)
    assert reply.cmd == 0xFF
    assert reply.data[:2] == bytes([frame.cmd, code])
    assert text in reply.data


def test_an_unknown_parameter_gets_a_negative_reply() -> None:
    """The device says which."""
    reply = ask(made("weather"), Frame(1, 0x03, b"\x09"))
    assert reply.data.startswith(b"\x03\x02get: the device has no parameter 9")


def test_a_device_keeps_silent_when_it_is_not_meant_or_all_are() -> None:
    """Other addresses, replies of others, and broadcasts, which it obeys."""
    device, schema = made("weather"), schema_of("weather")
    assert device.feed(encode(Frame(2, 0x01)), 0.0) == []
    assert device.feed(encode(Frame(1, 0x81)), 0.0) == []
    assert device.feed(encode(schema.encode(BROADCAST, "telemetry", {"period": 100})), 1.0) == []
    assert device.next_due == pytest.approx(1.1)


def test_a_reboot_forgets_what_was_half_said_and_is_counted() -> None:
    """The boot counter goes on, the ledger begins anew."""
    device, schema = made("weather", period=500), schema_of("weather")
    device.feed(encode(Frame(1, 0x01))[:5], 1.0)
    device.reboot(2.0)
    assert device.next_due == pytest.approx(2.5)
    assert asked(device, schema, "identify", now=2.1)["boots"] == 1
    assert asked(device, schema, "ledger", now=2.2)["timeout"] == 0


def test_a_reboot_keeps_parameters_and_forgets_overruns() -> None:
    """As a device with a memory for the ones and none for the others."""
    device, schema = made("weather"), schema_of("weather")
    asked(device, schema, "set", parameter="altitude", value=777)
    device.overrun(5)
    device.reboot(1.0)
    assert asked(device, schema, "get", parameter="altitude", now=2.0)["value"] == 777
    assert asked(device, schema, "ledger", now=2.0)["overruns"] == 0


def test_half_a_frame_is_given_up_after_silence() -> None:
    """A request inside it is answered."""
    device = made("weather")
    inner = encode(Frame(1, 0x01, b"hi"))
    assert device.feed(encode(Frame(1, 0x01, inner))[:-1], 1.0) == []
    assert device.next_due == pytest.approx(1.05)
    (answer,) = device.tick(1.06)
    assert Receiver().feed(answer) == [Frame(1, 0x81, b"hi")]


def test_a_device_on_a_slow_line_waits_longer_for_the_rest_of_a_frame() -> None:
    """At 110 baud, a byte takes longer than the usual idle gap."""
    device = made("weather", baudrate=110)
    ping = encode(Frame(1, 0x01))
    for n, byte in enumerate(ping):
        assert device.tick(n / 11) == []
        answers = device.feed(bytes([byte]), n / 11)
    assert len(answers) == 1


def test_overruns_are_reported() -> None:
    """Bytes that were lost before the device could take them."""
    device = made("weather")
    device.overrun(5)
    assert asked(device, schema_of("weather"), "ledger")["overruns"] == 5


def test_the_weather_nodes_heater_warms_and_its_altitude_thins_the_air() -> None:
    """Parameters have effects."""
    node = MODELS["weather"](1)
    cool = node.measure(0.0)
    node.parameters |= {"heater": True, "altitude": 9000}
    warm = node.measure(0.0)
    assert float(str(warm["temperature"])) > float(str(cool["temperature"])) + 1
    assert 0 < float(str(warm["pressure"])) < 400


def test_the_motor_follows_its_set_point_trips_and_is_cleared() -> None:
    """Full load at full speed trips it once; clearing is refused while the rotor turns."""
    device, schema = made("motor", period=100), schema_of("motor")
    asked(device, schema, "set", parameter="setpoint", value=6000)
    asked(device, schema, "set", parameter="load", value=100)
    names = [message_name(schema, wire) for n in range(1, 20) for wire in device.tick(n * 1.0)]
    assert names.count("tripped") == 1
    device.tick(20.0)
    busy = ask(made_fast := made("motor", period=100), schema.encode(1, "clear_fault"))
    assert busy.cmd == 0xA1  # nothing to clear
    assert made_fast is not device
    assert asked(device, schema, "clear_fault", now=40.0)["cleared"] is True


def message_name(schema: Schema, wire: bytes) -> str:
    """Return the name of the message in a frame's bytes."""
    (frame,) = Receiver().feed(wire)
    message = schema.decode(frame)
    assert isinstance(message, Message)
    return message.name


def test_a_motor_that_still_turns_refuses_to_clear_its_fault() -> None:
    """Busy, with the reason."""
    device, schema = made("motor", period=100), schema_of("motor")
    asked(device, schema, "set", parameter="setpoint", value=6000)
    asked(device, schema, "set", parameter="load", value=100)
    now = 0.0
    while "tripped" not in [message_name(schema, wire) for wire in device.tick(now)]:
        now += 0.1
    reply = ask(device, schema.encode(1, "clear_fault"), now)
    assert reply.data == b"\x21\x04\x00the rotor still turns"


def test_the_power_meter_counts_energy_until_it_is_reset() -> None:
    """The reply says what it was."""
    meter = MODELS["power"](1)
    meter.measure(0.0)
    energy = float(str(meter.measure(3_600.0)["energy"]))
    assert 700 < energy < 1000
    assert meter.command("reset_energy", {}, 0.0) == {"before": energy}
    assert meter.measure(3_600.0)["energy"] == 0
    for name, device in (("power", meter), ("motor", MODELS["motor"](1)), ("weather", MODELS["weather"](1))):
        with pytest.raises(Exception, match="fly is not for me"):
            device.command("fly", {}, 0.0)
        assert device.alarms() == [], name


# --- The sequenced profile --------------------------------------------------------------------------------


def jog(number: int, *, addr: int = 1, steps: int = 1) -> Frame:
    """Return a numbered request."""
    return schema_of("motor").encode(addr, "jog", {"steps": steps}, sequence=number)


def jogs_of(reply: Frame) -> tuple[int | None, object]:
    """Return a reply's number, and how many jogs it says there were."""
    message = schema_of("motor").decode(reply)
    assert isinstance(message, Message)
    return message.sequence, message.fields["jogs"]


def test_a_repeated_request_gets_the_same_answer_and_is_not_acted_on() -> None:
    """As often as it comes; another number is another request."""
    device = made("motor")
    first = [ask(device, jog(1)) for _ in range(3)]
    assert [jogs_of(one) for one in first] == [(1, 1)] * 3
    assert jogs_of(ask(device, jog(2))) == (2, 2)
    assert jogs_of(ask(device, jog(1))) == (1, 3), "only the last answer is remembered"
    assert device.acted == {"jog": 3}


def test_what_comes_between_does_not_make_it_forget() -> None:
    """Other devices' requests, standard commands, and broadcasts; those are acted on, and not answered."""
    device = made("motor")
    ask(device, jog(7))
    assert device.feed(encode(jog(7, addr=2)), 0.0) == []
    ask(device, Frame(1, 0x01, b"ping"))
    for _ in range(2):
        assert device.feed(encode(jog(7, addr=BROADCAST)), 0.0) == []
    device.feed(encode(Frame(BROADCAST, 0x02)), 0.0)
    assert jogs_of(ask(device, jog(7))) == (7, 1)
    assert jogs_of(ask(device, jog(8))) == (8, 4)


def test_number_0_is_acted_on_whenever_it_comes() -> None:
    """And is not remembered."""
    device = made("motor")
    ask(device, jog(1))
    assert [jogs_of(ask(device, jog(0))) for _ in range(2)] == [(0, 2), (0, 3)]
    assert jogs_of(ask(device, jog(1))) == (1, 1)


@pytest.mark.parametrize("forgetting", ["identify", "reboot"])
def test_a_new_host_and_a_new_start_begin_anew(forgetting: str) -> None:
    """A host's identify makes the device forget; a reboot does, and its jogs begin at none."""
    device = made("motor")
    ask(device, jog(1))
    if forgetting == "identify":
        ask(device, Frame(1, 0x02))
    else:
        device.reboot(0.0)
    assert jogs_of(ask(device, jog(1))) == (1, 2 if forgetting == "identify" else 1)
    assert device.acted["jog"] == 2


def test_a_refusal_has_the_number_and_is_given_again_too() -> None:
    """Behind the code; a request without a number is refused as too short."""
    device = made("motor")
    for _ in range(2):
        assert ask(device, Frame(1, 0x40, b"\x09")).data == b"\x40\x01\x090x40"
    assert ask(device, Frame(1, 0x23)).data == b"\x23\x02\x00the sequence byte is missing"
    assert ask(device, Frame(1, 0x23, b"\x05\x01")).data[:3] == b"\x23\x02\x05"
    assert ask(device, Frame(1, 0x60, b"\x05")).data[:3] == b"\x60\x010"
    assert device.acted == {}


def test_the_protocol_version_tells_the_profile() -> None:
    """2 with it, 1 without."""
    versions = {name: asked(made(name), schema_of(name), "identify")["protocol"] for name in MODELS}
    assert versions == {"weather": 1, "motor": 2, "power": 1}


def test_positions_go_round() -> None:
    """As 32 bits do."""
    device = made("motor")
    for number in range(1, 4):
        reply = ask(device, jog(number, steps=-32_768))
    assert jogs_of(reply) == (3, 3)
    for _ in range(65_536):
        device._model.command("jog", {"steps": -32_768}, 0.0)
    assert device._model.command("jog", {"steps": 0}, 0.0)["position"] == -3 * 32_768 + 2**31
