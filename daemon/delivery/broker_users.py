"""The services' names and passwords at the broker, made once and kept as files."""

import base64
import hashlib
import secrets

SERVICES = ("core", "recorder", "web")
"""The users of systemd/etc/mosquitto/galvanod.acl that are services."""

ROUNDS = 101
"""mosquitto's own; a password of 256 random bits needs no more."""


def made_up(user: str) -> str:
    """Return a credential nobody can guess: one line `user:password`."""
    return f"{user}:{secrets.token_urlsafe(32)}\n"


def entry(credential: str) -> str:
    """Return the line of mosquitto's password file for a credential, salted anew (mosquitto_passwd(1))."""
    user, _, password = credential.strip().partition(":")
    salt = secrets.token_bytes(12)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ROUNDS)
    return f"{user}:$7${ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}\n"


def with_entries(passwords: str, credentials: list[str]) -> str:
    """Return the password file with an entry for each credential; users that have one keep it."""
    known = {line.partition(":")[0] for line in passwords.splitlines()}
    return passwords + "".join(entry(c) for c in credentials if c.partition(":")[0] not in known)
