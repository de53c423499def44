"""Custom resource `TlsParameter`: the TLS key and certificate that all Dask parts of a stack share.

CloudFormation cannot make a SecureString, so this function does: an EC P-256 key with a self-signed certificate, as one
JSON document `{"key": PEM, "certificate": PEM, "generation": 1}` in one parameter. It is made once; a deploy that
repeats itself keeps it. A higher `Generation` replaces it, but only while the stack is drained: parts with different
keys do not talk.
"""

import json
from datetime import datetime, timedelta
from typing import Any

from aws_lambda_powertools import Logger, Tracer
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from functions.adapters.custom_resource import reply
from functions.core.runs import now
from functions.core.tls import Act, Asked, decide
from functions.wiring import Wiring, wiring
from jobspec import DispatchError

VALID = timedelta(days=10 * 365)
"""How long a certificate holds: who wants a shorter life raises `TlsGeneration`."""

logger, tracer = Logger(), Tracer(auto_patch=False)


@tracer.capture_lambda_handler(capture_response=False)
@logger.inject_lambda_context
def handler(event: dict[str, Any], context: Any) -> None:
    """Do what CloudFormation asks, and answer it whatever happens: without an answer it waits for an hour."""
    name = str(event["ResourceProperties"].get("Name", "unnamed"))
    try:
        handle(event, wiring())
    except Exception as error:
        logger.exception("the TLS parameter could not be dealt with")
        reply(event, name, f"{type(error).__name__}: {error}")
    else:
        reply(event, name)


def handle(event: dict[str, Any], wiring: Wiring) -> Act:
    """Make, replace, remove or keep the parameter; returns which. Raises DispatchError unless drained."""
    asked = Asked.of(event)
    act = decide(asked, wiring.tls_parameter.generation(asked.name))
    match act:
        case Act.MAKE:
            wiring.tls_parameter.make(asked.name, document(asked.name, asked.generation, now()))
        case Act.REPLACE if not wiring.drained():
            raise DispatchError("a new TLS key cuts running workers off: drain first (`dispatch drain`), then deploy")
        case Act.REPLACE:
            wiring.tls_parameter.replace(asked.name, document(asked.name, asked.generation, now()))
        case Act.REMOVE:
            wiring.tls_parameter.remove(asked.name)
        case Act.KEEP:
            pass
    return act


def document(name: str, generation: int, made_at: datetime) -> str:
    """A new key and its certificate, good from a day before `made_at` because clocks differ."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name.strip("/")[:64])])
    public = key.public_key()
    identifier = x509.SubjectKeyIdentifier.from_public_key(public)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(made_at - timedelta(days=1))
        .not_valid_after(made_at + VALID)
        # It signs itself and nothing else. Python 3.13 checks by the letter of RFC 5280, hence all of these.
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_USAGE, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]), False)
        .add_extension(identifier, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    shown = certificate.public_bytes(Encoding.PEM).decode()
    return json.dumps({"key": pem.decode(), "certificate": shown, "generation": generation})


_USAGE = x509.KeyUsage(
    digital_signature=True,
    key_cert_sign=True,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
