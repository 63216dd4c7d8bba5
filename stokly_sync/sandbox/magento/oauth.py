"""OAuth 1.0a as Magento verifies it: the header, the checks in their order, and the two rules of the path.

Belongs here: signed requests. The signature itself is computed by oauthlib. Nonces are remembered for two
hours of the sandbox's clock. Source: Magento API contract 2.1.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from urllib.parse import quote, unquote

from oauthlib.oauth1.rfc5849 import signature

from stokly_sync.sandbox.kit import Clock
from stokly_sync.sandbox.magento.errors import MagentoError, required
from stokly_sync.sandbox.magento.switches import MagentoSwitches

KEY_LENGTH = 32
CONSUMER_ID = 1
AHEAD = 600
NONCE_LIFE = 7_200
_LEGAL_IN_PATH = "/:@!$&'()*+,;=-._~"
_PAIR = re.compile(r'\s*([\w.~-]+)\s*=\s*"([^"]*)"\s*(?:,|$)')
_NEEDED = (
    "oauth_consumer_key",
    "oauth_signature",
    "oauth_signature_method",
    "oauth_nonce",
    "oauth_timestamp",
    "oauth_token",
)


@dataclass(frozen=True, repr=False)
class Integration:
    """The four credentials of the shop's one integration."""

    consumer_key: str
    consumer_secret: str
    access_token: str
    access_token_secret: str


@dataclass(frozen=True)
class Asked:
    """A request as it was sent: the origin with scheme and port, the raw path and the raw query."""

    method: str
    origin: str
    path: str
    query: str


class OAuth:
    """The checks, and the nonces seen."""

    def __init__(self, integration: Integration, *, switches: MagentoSwitches, clock: Clock) -> None:
        self._integration = integration
        self._switches = switches
        self._clock = clock
        self._nonces: dict[str, float] = {}

    def check(self, header: str, asked: Asked) -> None:
        """Pass if the request is signed by the integration.

        Raises:
            MagentoError: 401 or 400, worded as in the table of section 2.1.
        """
        given = {unquote(name): unquote(value) for name, value in _PAIR.findall(header.partition(" ")[2])}
        for name in _NEEDED:
            if not given.get(name):
                raise required(name)
        if given.get("oauth_version", "1.0") != "1.0":
            raise MagentoError('The "%1" Oauth version isn\'t supported.', [given["oauth_version"]])
        self._check_consumer(given["oauth_consumer_key"])
        self._check_nonce(given["oauth_nonce"], given["oauth_timestamp"])
        self._check_token(given["oauth_token"])
        self._check_signature(given, asked)

    def _check_consumer(self, key: str) -> None:
        if len(key) != KEY_LENGTH:
            raise MagentoError("Consumer key is not the correct length", status=401)
        if key != self._integration.consumer_key:
            raise MagentoError("A consumer having the specified key does not exist", status=401)

    def _check_nonce(self, nonce: str, timestamp: str) -> None:
        now = self._clock.now().timestamp()
        if not timestamp.isdecimal() or int(timestamp) > now + AHEAD:
            raise MagentoError("An error occurred validating the nonce", status=401)
        self._nonces = {seen: at for seen, at in self._nonces.items() if at > now - NONCE_LIFE}
        if nonce in self._nonces:
            text = "The nonce is already being used by the consumer with ID %1"
            raise MagentoError(text, [str(CONSUMER_ID)], status=401)
        self._nonces[nonce] = now

    def _check_token(self, token: str) -> None:
        if len(token) != KEY_LENGTH:
            raise MagentoError("The token length is invalid. Check the length and try again.")
        if token != self._integration.access_token:
            raise MagentoError("Specified token does not exist", status=401)

    def _check_signature(self, given: Mapping[str, str], asked: Asked) -> None:
        method = given["oauth_signature_method"]
        verify = {"HMAC-SHA256": signature.verify_hmac_sha256}
        if self._switches.release in ("2.3.7", "2.4.3"):
            verify["HMAC-SHA1"] = signature.verify_hmac_sha1
        if method not in verify:
            raise MagentoError("Signature method %1 is not supported", [method])
        signed = [(name, value) for name, value in given.items() if name not in ("oauth_signature", "realm")]
        request = SimpleNamespace(
            http_method=asked.method,
            uri=asked.origin + self.signed_path(asked.path),
            params=signed + raw_pairs(asked.query),
            signature=given["oauth_signature"],
        )
        if not verify[method](request, self._integration.consumer_secret, self._integration.access_token_secret):
            raise MagentoError("The signature is invalid. Verify and try again.", status=401)

    def signed_path(self, path: str) -> str:
        """The path as the server signs it: as sent from 2.4.8 on, before that with legal characters decoded."""
        if self._switches.release == "2.4.8":
            return path
        return quote(unquote(path), safe=_LEGAL_IN_PATH)


def raw_pairs(query: str) -> list[tuple[str, str]]:
    """The query's pairs by plain percent-decoding: a plus sign stays one."""
    pairs = [part.partition("=") for part in query.split("&") if part]
    return [(unquote(name), unquote(value)) for name, _, value in pairs]
