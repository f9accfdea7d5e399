"""Where the broker is and who we are to it."""

from pathlib import Path

import pytest

from daemon.delivery.connection import BrokerAddress
from daemon.errors import ConfigurationError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    return tmp_path


def test_an_address_on_the_network() -> None:
    assert BrokerAddress.parse("mqtt://lab") == BrokerAddress("lab", 1883)
    assert BrokerAddress.parse("mqtts://me:a%40b@lab") == BrokerAddress("lab", 8883, "me", "a@b", True)


def test_a_socket_is_a_path() -> None:
    assert BrokerAddress.parse("mqtt+unix:///run/a%20b/mqtt.sock") == BrokerAddress(
        "/run/a b/mqtt.sock", None
    )
    assert str(BrokerAddress.parse("mqtt+unix://me:word@/run/mqtt.sock")) == "/run/mqtt.sock"


@pytest.mark.parametrize("url", ["mqtt+unix://run/mqtt.sock", "mqtt+unix:run", "mqtt+unix://"])
def test_a_socket_without_its_full_path_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="full path of a socket"):
        BrokerAddress.parse(url)


def test_an_error_does_not_show_the_password() -> None:
    with pytest.raises(ConfigurationError) as caught:
        BrokerAddress.parse("http://me:secret@lab")
    assert "secret" not in str(caught.value)


def test_the_credential_says_who_we_are(folder: Path) -> None:
    (folder / "broker").write_text("core:a:b/c@d\n")
    assert BrokerAddress.parse("mqtt://lab") == BrokerAddress("lab", 1883, "core", "a:b/c@d")
    assert BrokerAddress.parse("mqtt://me:word@lab") == BrokerAddress("lab", 1883, "me", "word")


def test_a_service_without_that_credential_is_nobody(folder: Path) -> None:
    assert BrokerAddress.parse("mqtt://lab") == BrokerAddress("lab", 1883)


@pytest.mark.parametrize("content", [b"", b"core", b":word", b"\xff\xfe:word"])
def test_a_credential_that_is_none_is_refused_and_not_shown(folder: Path, content: bytes) -> None:
    (folder / "broker").write_bytes(content)
    with pytest.raises(ConfigurationError, match="credential") as caught:
        BrokerAddress.parse("mqtt://lab")
    assert "word" not in str(caught.value).replace("password", "")
