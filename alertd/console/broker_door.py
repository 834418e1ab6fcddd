"""The door that devices use, at a broker that alertd itself reaches in clear: until when does its certificate hold?

alertd never sees it, and every button stops at it on the day it ends. Opens a connection and says nothing.
"""

import socket
import ssl
import time
from collections.abc import Iterator, Sequence

from alertd.console.doctor import CONNECT_WAIT_S, FAIL, OK, WARN, Finding, Secret, Section
from alertd.exports.broker.layout import PLAIN_PORT, tls_port_beside
from alertd.model.this_machine import is_this_machine

WARN_DAYS = 30
NEW_ONE = "make a new one (docs/broker.md, step 2)"
HAS_EXPIRED = 10
"""X509_V_ERR_CERT_HAS_EXPIRED (OpenSSL, x509_vfy.h)."""


def doors(sections: Sequence[Section], _secret: Secret) -> Iterator[Finding]:
    for section in sections:
        settings = section.settings
        host = str(settings.get("host", ""))
        if section.table != "sources" or section.plugin != "mqtt" or "tls" in settings or not is_this_machine(host):
            continue
        port = tls_port_beside(int(settings.get("port") or PLAIN_PORT))
        try:
            yield _finding(f"door of devices of source {section.name}", host, port)
        except ConnectionRefusedError:  # all speak through a bridge on this machine
            continue


def _finding(what: str, host: str, port: int) -> Finding:
    where = f"{host}:{port}"
    try:
        days = (_certificate_ends_s(host, port) - time.time()) / 86_400
    except ssl.SSLCertVerificationError as error:
        if error.verify_code != HAS_EXPIRED:
            return Finding(level=WARN, what=what, words=f"{where}: {error.verify_message}", remedy=NEW_ONE)
        words = f"the certificate at {where} has ended: no device gets through"
        return Finding(level=FAIL, what=what, words=words, remedy=NEW_ONE)
    except ConnectionRefusedError:
        raise
    except OSError as error:
        words = f"{where} does not speak TLS: {error}"
        return Finding(level=WARN, what=what, words=words, remedy="is it mosquitto's listener? See docs/broker.md")
    words = f"the certificate at {where} is good for {days:.0f} more days"
    if days < WARN_DAYS:
        return Finding(level=WARN, what=what, words=words, remedy=f"{NEW_ONE}: from then on no button gets through")
    return Finding(level=OK, what=what, words=words)


def _certificate_ends_s(host: str, port: int) -> float:
    """Seconds since 1970. Who signed it does not matter here: it is believed as it is, but for its dates. Raises
    `SSLCertVerificationError` if it does not hold today, `OSError`."""
    blind = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
    with _connected(blind, host, port) as seen:
        own = seen.getpeercert(binary_form=True)
    assert own is not None, "a server shows a certificate"
    dated = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    dated.check_hostname = False
    dated.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    dated.load_verify_locations(cadata=own)
    with _connected(dated, host, port) as seen:
        certificate = seen.getpeercert()
    assert certificate, "it was verified"
    return ssl.cert_time_to_seconds(str(certificate["notAfter"]))


def _connected(context: ssl.SSLContext, host: str, port: int) -> ssl.SSLSocket:
    plain = socket.create_connection((host, port), timeout=CONNECT_WAIT_S)
    try:
        return context.wrap_socket(plain, server_hostname=host)
    except BaseException:
        plain.close()
        raise
