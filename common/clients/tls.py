"""A CA as PEM text or a path, made into what each client wants; an unreadable one is an error, never a warning."""

import atexit
import os
import ssl
import tempfile
from functools import cache
from pathlib import Path

from common.errors import Misconfigured


def context(ca: str, variable: str, *, check_host: bool = True) -> ssl.SSLContext:
    """A context that verifies: against this CA, or the system's where none is given."""
    made = ssl.create_default_context(cadata=pem(ca, variable) if ca else None)
    made.check_hostname = check_host
    return made


def pem(ca: str, variable: str) -> str:
    """The certificate's text, whichever way it was given, proved to be one."""
    text = ca if "-----BEGIN" in ca else _read(ca, variable)
    try:
        ssl.create_default_context(cadata=text)
    except ssl.SSLError as error:
        raise Misconfigured(f"{variable} holds no usable PEM certificate: {error.reason or error}.") from error
    return text


def ca_file(ca: str, variable: str) -> str:
    """A path, for libraries that insist on one; text goes to a private file that ends with the process."""
    return _private_file(pem(ca, variable)) if "-----BEGIN" in ca else str(_checked(ca, variable))


def _checked(path: str, variable: str) -> Path:
    pem(path, variable)
    return Path(path)


def _read(path: str, variable: str) -> str:
    try:
        return Path(path).read_text()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        raise Misconfigured(f"{variable}: the CA at {path} cannot be read: {why}.") from error


@cache
def _private_file(text: str) -> str:
    handle, path = tempfile.mkstemp(suffix=".pem")
    with os.fdopen(handle, "w") as file:
        file.write(text)
    atexit.register(Path(path).unlink, missing_ok=True)
    return path
