"""Channels as devices of Home Assistant: one retained message each, from which it makes its sensors.

The format is that of its MQTT discovery by device (www.home-assistant.io/integrations/mqtt). What the
sensors show are the announcer's own topics; nothing can be switched by them.
"""

import re
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import NamedTuple

import msgspec

from daemon.delivery.presence import OFFLINE, ONLINE, core_topic, page_topic
from daemon.running.run import RunState
from daemon.web.seen import Seen

DEVICES = "homeassistant/device/+/config"
"""Where devices are told of, ours and others'."""

EXPIRES = 300
"""Seconds after which a value is old: a bench of a thousand channels tells each every hundred."""

STATES = ("idle", "unreachable", *(state.value for state in RunState))

Message = tuple[str, bytes]
"""A topic, and what is retained there; nothing where it is to be forgotten."""

_Device = tuple[str, str, bool]
"""What is told of a channel: its name, its driver, and whether it is simulated."""


class Devices:
    """The devices of one core's channels: knows what the broker retains of them, and what it should."""

    def __init__(self, core: str, url: str) -> None:
        """`url` is where people find the page."""
        self._core, self._url = core, url
        self._ours = f"homeassistant/device/{_identifier(core, '')}"
        self._retained: dict[str, bytes] = {}
        self._declined: set[str] = set()
        """Deleted in Home Assistant: not told of again as long as we run."""
        self._last: list[_Device] | None = None

    def hear(self, topic: str, payload: bytes) -> None:
        """Take in what the broker says is retained; of other people's devices nothing."""
        if not topic.startswith(self._ours):
            return
        if self._retained.get(topic, b"") != payload:
            self._last = None
            if not payload:
                self._declined.add(topic)
        self._retained[topic] = payload

    def forget(self) -> None:
        """The broker may be another, or have lost everything."""
        self._retained.clear()
        self._last = None

    def changes(self, channels: Iterable[Seen]) -> list[Message]:
        """Return what is to be retained from now on; nothing as long as no channel has been seen."""
        there = [(each.facts.channel, each.facts.driver, each.facts.simulated) for each in channels]
        if not there or there == self._last:
            return []
        self._last = there
        wanted = {self._topic(device[0]): self._device(device) for device in there}
        self._declined &= wanted.keys()
        gone = {topic: b"" for topic, payload in self._retained.items() if payload and topic not in wanted}
        new = {
            topic: payload
            for topic, payload in wanted.items()
            if topic not in self._declined and self._retained.get(topic) != payload
        }
        self._retained |= gone | new
        return [*gone.items(), *new.items()]

    def _topic(self, channel: str) -> str:
        return f"{self._ours}{_plain(channel)}/config"

    def _device(self, device: _Device) -> bytes:
        channel, driver, simulated = device
        identifier = _identifier(self._core, channel)
        message = {
            "device": {
                "identifiers": [identifier],
                "name": f"{channel} ({self._core})",
                "manufacturer": "galvanod",
                "model": f"{driver} (simulated)" if simulated else driver,
                "sw_version": version("galvanod"),
                "configuration_url": self._url,
            },
            "origin": {"name": "galvanod", "sw_version": version("galvanod")},
            "availability_mode": "all",
            "availability": [_available(page_topic(self._core)), _available(core_topic(self._core))],
            "components": {
                name: {"unique_id": f"{identifier}_{name}", **component}
                for name, component in _components(f"galvanod/v1/{self._core}/channel/{channel}").items()
            },
        }
        return msgspec.json.encode(message)


class _Reading(NamedTuple):
    """What of a reading becomes a sensor; `scaled` turns SI into the unit people use."""

    key: str
    name: str
    unit: str
    digits: int
    scaled: str = ""
    device_class: str | None = None

    def sensor(self, topic: str) -> Mapping[str, object]:
        """Describe it; what was not read is none, a word Home Assistant knows."""
        value = f"value_json.{self.key}"
        found = {
            "platform": "sensor",
            "name": self.name,
            "state_topic": topic,
            "value_template": f"{{{{ none if {value} is none else {value}{self.scaled} }}}}",
            "unit_of_measurement": self.unit,
            "state_class": "measurement",
            "suggested_display_precision": self.digits,
            "expire_after": EXPIRES,
        }
        return found if self.device_class is None else found | {"device_class": self.device_class}


_READINGS = (
    _Reading("voltage", "Voltage", "V", 4, device_class="voltage"),
    _Reading("current", "Current", "mA", 3, " * 1000", "current"),
    _Reading("capacity", "Capacity", "mAh", 3, " / 3.6"),
    _Reading("temperature", "Temperature", "°C", 1, device_class="temperature"),
)


def _components(topics: str) -> Mapping[str, Mapping[str, object]]:
    state = {"state_topic": f"{topics}/state"}
    return {
        "state": state
        | {
            "platform": "sensor",
            "name": "State",
            "device_class": "enum",
            "options": STATES,
            "value_template": "{{ value_json.state }}",
            "json_attributes_topic": f"{topics}/state",
            "json_attributes_template": _ATTRIBUTES,
        },
        "problem": state
        | {
            "platform": "binary_sensor",
            "name": "Problem",
            "device_class": "problem",
            "value_template": "{{ 'ON' if value_json.latch or value_json.trouble else 'OFF' }}",
        },
        **{reading.key: reading.sensor(f"{topics}/values") for reading in _READINGS},
    }


_TOLD = ("run", "cell", "protocol", "path", "verb", "setting", "study", "latch", "trouble", "why")
_ATTRIBUTES = "{{ {" + ", ".join(f"'{name}': value_json.{name}" for name in _TOLD) + "} | tojson }}"
"""What is shown beside the state; the rest of the message changes too often to be kept."""


def _available(topic: str) -> Mapping[str, str]:
    return {
        "topic": topic,
        "payload_available": ONLINE.decode(),
        "payload_not_available": OFFLINE.decode(),
    }


def _identifier(core: str, channel: str) -> str:
    """Return what no channel of another core begins with: in a plain name a letter has one `_` after it."""
    return f"galvanod_{_plain(core)}__{_plain(channel)}"


def _plain(name: str) -> str:
    """Return a name in the letters Home Assistant takes, no two the same."""
    return re.sub(r"[^A-Za-z0-9-]", lambda found: f"_{ord(found[0]):x}_", name)
