"""What must outlive a run: the token pair, the errors of the last hour, names, what was learned of the API.

Tokens are secrets and are encrypted (AES-256 in Galois/Counter Mode, so that a changed file is
noticed). The key comes from the environment, from a file of the user's choice, or from a file that is made beside
them; the last protects copies of the other files only.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import json
import os
import stat
import tempfile
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from filelock import FileLock, Timeout

from tap_exact_online.errors import UserError
from tap_exact_online.hosts import address_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

KEY_VARIABLE: Final = "TAP_EXACT_ONLINE_TOKEN_KEY"
"""The environment variable that holds the key, or several: the first encrypts, all decrypt."""

_MARK: Final = b"exa1"
_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32
_LOCK_WAIT_SECONDS: Final = 30
_HOW: Final = 'python -c "import base64, os; print(base64.b64encode(os.urandom(32)).decode())"'


class SealedError(ValueError):
    """A file cannot be opened with any of the keys."""


class Vault:
    """Encrypts small texts.

    Args:
        keys: Gives the keys when they are first needed, each of 32 bytes; the first encrypts, all decrypt, so that
            a new key can be put before an old one.
    """

    def __init__(self, keys: Callable[[], list[bytes]]) -> None:
        self._get = keys

    @cached_property
    def _ciphers(self) -> list[AESGCM]:
        return [AESGCM(key) for key in self._get()]

    def seal(self, plain: bytes, label: str) -> bytes:
        """Encrypt a text; it can be opened under the same label only."""
        nonce = os.urandom(_NONCE_BYTES)
        return _MARK + nonce + self._ciphers[0].encrypt(nonce, plain, label.encode())

    def unseal(self, stored: bytes, label: str) -> bytes:
        """Decrypt what `seal` made.

        Raises:
            SealedError: No key fits, or the text was changed.
        """
        start = len(_MARK) + _NONCE_BYTES
        nonce, sealed = stored[len(_MARK) : start], stored[start:]
        for cipher in self._ciphers if stored.startswith(_MARK) else ():
            with contextlib.suppress(InvalidTag, ValueError):
                return cipher.decrypt(nonce, sealed, label.encode())
        raise SealedError


class Store:
    """Small private files of one application at one country's Exact Online: the token pair, and what was learned.

    Files are readable by their owner only and are replaced as a whole, so that a cut leaves the old one.

    Args:
        folder: Where they are.
        identity: Whose they are.
        vault: Encrypts secrets; without one the key lies in the folder.

    Attributes:
        place: Where they are, in words.
    """

    def __init__(self, folder: Path, identity: str, vault: Vault | None = None) -> None:
        self.folder = folder
        self.place = str(folder)
        self._prefix = hashlib.sha256(identity.encode()).hexdigest()[:16]
        self._vault = vault or Vault(self._own_key)

    def read(self, name: str) -> dict[str, Any]:
        """The content of a plain file, empty when there is none or it is not ours."""
        try:
            return content_of(self._path(name).read_bytes())
        except OSError:
            return {}

    def read_secret(self, name: str) -> dict[str, Any]:
        """The content of an encrypted file, empty when there is none.

        Raises:
            SealedError: There is one, and it cannot be opened.
            UserError: A key is malformed.
        """
        try:
            stored = self._path(name, "sealed").read_bytes()
        except OSError:
            return {}
        return content_of(self._vault.unseal(stored, self._label(name)))

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Replace a plain file.

        Raises:
            UserError: The folder cannot be written.
        """
        self._replace(self._path(name), json.dumps(content).encode())

    def write_secret(self, name: str, content: Mapping[str, Any]) -> None:
        """Replace an encrypted file.

        Raises:
            UserError: The folder cannot be written, or a key is malformed.
        """
        sealed = self._vault.seal(json.dumps(content).encode(), self._label(name))
        self._replace(self._path(name, "sealed"), sealed)

    @contextlib.contextmanager
    def lock(self, name: str, wait_seconds: float) -> Iterator[bool]:
        """Hold a lock against other processes; yields whether it was had in time.

        The system lets it go when its process dies.

        Raises:
            UserError: The folder cannot be written.
        """
        held = FileLock(self._path(name, "lock"), timeout=wait_seconds, thread_local=False)
        try:
            self._make_folder()
            held.acquire()
        except Timeout:
            yield False
            return
        except OSError as error:
            raise self._unwritable(error) from None
        try:
            yield True
        finally:
            held.release()

    def _own_key(self) -> list[bytes]:
        """The key in the folder, made when it is first needed."""
        path = self.folder / "key"
        self._make_folder()
        with FileLock(self.folder / "key.lock", timeout=_LOCK_WAIT_SECONDS):
            if not path.exists():
                self._replace(path, base64.b64encode(os.urandom(_KEY_BYTES)))
            return keys_in(path.read_text(encoding="ascii", errors="replace"), str(path))

    def _replace(self, path: Path, content: bytes) -> None:
        try:
            self._make_folder()
            handle, temporary = tempfile.mkstemp(dir=self.folder)  # created with mode 0600
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except OSError as error:
            raise self._unwritable(error) from None

    def _unwritable(self, error: OSError) -> UserError:
        return UserError(f"token_store_path: cannot write in {self.folder} ({error.strerror})")

    def _make_folder(self) -> None:
        if not self.folder.is_dir():
            self.folder.mkdir(parents=True, exist_ok=True)
            self.folder.chmod(stat.S_IRWXU)

    def _label(self, name: str) -> str:
        return f"{self._prefix}-{name}"

    def _path(self, name: str, suffix: str = "json") -> Path:
        return self.folder / f"{self._label(name)}.{suffix}"


def content_of(content: bytes) -> dict[str, Any]:
    """A stored JSON object, empty when it is none."""
    try:
        decoded = json.loads(content)
    except ValueError:
        return {}
    return decoded if isinstance(decoded, dict) else {}


def keys_in(text: str, where: str) -> list[bytes]:
    """The keys in a text, separated by blanks, commas or line ends.

    Raises:
        UserError: One of them is not 32 bytes in base64, or there is none.
    """
    keys = []
    for word in text.replace(",", " ").split():
        try:
            key = base64.b64decode(word.replace("-", "+").replace("_", "/"), validate=True)
        except binascii.Error:
            key = b""
        if len(key) != _KEY_BYTES:
            raise UserError(f"{where}: a key must be 32 random bytes in base64; make one with {_HOW}")
        keys.append(key)
    if not keys:
        raise UserError(f"{where}: there is no key; make one with {_HOW}")
    return keys


def _vault_of(config: Mapping[str, Any]) -> Vault | None:
    """The vault with the configured key; None when there is none."""
    if given := os.environ.get(KEY_VARIABLE):
        return Vault(lambda: keys_in(given, KEY_VARIABLE))
    file = config.get("token_key_file")
    if not file:
        return None

    def keys() -> list[bytes]:
        try:
            text = Path(file).expanduser().read_text(encoding="ascii", errors="replace")
        except OSError as error:
            raise UserError(f"token_key_file: cannot read {file} ({error.strerror})") from None
        return keys_in(text, "token_key_file")

    return Vault(keys)


def store_of(config: Mapping[str, Any]) -> Store:
    """The private files of the configured application at the configured host."""
    folder = config.get("token_store_path")
    path = Path(folder).expanduser() if folder else Path.home() / ".tap-exact-online"
    identity = f"{address_of(config)}\n{config.get('client_id') or ''}"
    if url := config.get("token_store_url"):
        from tap_exact_online.shared_store import SharedStore  # noqa: PLC0415 - it is made of this module's store

        return SharedStore(url, path, identity, _vault_of(config))
    return Store(path, identity, _vault_of(config))
