"""Whether a channel may run while nobody watches."""

from daemon.errors import ConfigurationError
from drivers.deadman import Deadman, DeadmanKind
from protocols import nodes

_WANTED = "true or false: whether it may run although nothing opens the circuit when the core dies"


def read_unattended(node: nodes.Node) -> bool:
    """Read the key `unattended` of an instrument or a channel of the bench file."""
    scalar = nodes.as_scalar(node, _WANTED)
    if scalar.text not in ("true", "false"):
        raise scalar.refused(_WANTED)
    return scalar.text == "true"


def require_deadman(channel: str, driver: str, deadman: Deadman, unattended: bool) -> None:
    """Raise `ConfigurationError` for a channel that would go on for ever without a core.

    Runs last for weeks: each is unattended, unless the bench file takes that upon itself.
    """
    if deadman.kind is DeadmanKind.NONE and not unattended:
        raise ConfigurationError(
            f"channel {channel}: driver {driver} has no dead-man, so nothing would open the circuit if the "
            f"core died; wanted `unattended: true` for {channel} in the bench file"
        )
