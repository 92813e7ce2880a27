"""auth: try the credentials; print a signed certificate payload."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cwsync.cli.settings import Settings, group_options, with_settings
from cwsync.errors import CwsyncError, Exit, fail

if TYPE_CHECKING:
    from pydantic import SecretStr

    from cwsync.api import Certificate


@click.group("auth")
@group_options
def auth_command(**_options: object) -> None:
    """Try the credentials; print a signed certificate payload."""


@auth_command.command("check")
@with_settings("text", "json")
def check_command(settings: Settings) -> int:
    """Sign in, and say as whom."""
    import json
    from datetime import UTC

    from cwsync.cli.workspace import Workspace

    workspace = Workspace.open(settings, manifests=False)
    try:
        who = workspace.client.whoami()
    finally:
        workspace.close()
    until = who.expires_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if who.expires_at else "not said"
    if settings.format == "json":
        found = {"environment": workspace.environment, "userGuid": who.user_guid, "userId": who.user_id}
        settings.show(json.dumps({**found, "customerGuid": who.customer_guid, "expiresAt": until}, indent=2))
    else:
        settings.show(f"Signed in to {workspace.environment} as {who.user_id} (user {who.user_guid}).")
        settings.show(f"Tenant: {who.customer_guid}. The token is good until {until}.")
    return Exit.OK


@auth_command.command("payload")
@with_settings("as configured", "v2", "v1")
@click.option("--certificate", type=click.Path(path_type=Path), metavar="FILE", help="The certificate (PEM).")
@click.option("--key", type=click.Path(path_type=Path), metavar="FILE", help="The private key (PEM).")
@click.option("--passphrase-file", metavar="FILE", help="Where the key's passphrase is.")
@click.option("--passphrase-env", metavar="NAME", help="The environment variable that holds the passphrase.")
@click.option("--header", is_flag=True, help="Print the value of the Authorization header instead.")
def payload_command(
    settings: Settings,
    certificate: Path | None,
    key: Path | None,
    passphrase_file: str | None,
    passphrase_env: str | None,
    header: bool,
) -> int:
    """Print the signed JSON for POST /token/authenticate: good for one request, in format v2 or v1.

    Without --certificate and --key they are those of the environment. A passphrase that is needed and
    not given is asked for.
    """
    from cwsync.api import authorization

    passphrase = _passphrase(passphrase_file, passphrase_env)
    if certificate is not None and key is not None:
        given = _from_files(certificate, key, passphrase)
    elif certificate is None and key is None:
        given = _from_project(settings, passphrase)
    else:
        raise click.UsageError("--certificate and --key go together")
    if settings.format != "as configured":
        given = replace(given, format="v1" if settings.format == "v1" else "v2")
    settings.show(authorization(given) if header else _payload(given))
    return Exit.OK


def _payload(given: Certificate) -> str:
    """The signed payload; asks for the passphrase where the key wants one and a person is there."""
    from pydantic import SecretStr

    from cwsync.api import payload_json

    try:
        return payload_json(given, time.time(), os.urandom(100))
    except CwsyncError:
        if given.passphrase is not None or not sys.stdin.isatty():
            raise
    asked = click.prompt("The private key's passphrase", hide_input=True, err=True)
    return payload_json(replace(given, passphrase=SecretStr(asked)), time.time(), os.urandom(100))


def _passphrase(file: str | None, variable: str | None) -> SecretStr | None:
    from cwsync.secret import SecretSource

    if file is not None and variable is not None:
        raise click.UsageError("give --passphrase-file or --passphrase-env, not both")
    if file is None and variable is None:
        return None
    return SecretSource(fromFile=file, fromEnv=variable).read(Path())


def _from_files(certificate: Path, key: Path, passphrase: SecretStr | None) -> Certificate:
    from pydantic import SecretStr

    from cwsync.api import Certificate

    def content(path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise fail("CW122", f"{path} cannot be read: {error.strerror}") from None

    return Certificate(content(certificate), SecretStr(content(key).decode("utf-8", "replace")), passphrase)


def _from_project(settings: Settings, passphrase: SecretStr | None) -> Certificate:
    from cwsync.api import Certificate
    from cwsync.cli.credentials import read_credentials
    from cwsync.cli.workspace import open_project

    project = open_project(settings)
    hint = "give --certificate FILE and --key FILE"
    if project.environment.authenticate is None or project.environment.authenticate.certificate is None:
        raise fail("CW122", f"the environment {project.environment.name} has no certificate", hint=hint)
    given = read_credentials(project)
    assert isinstance(given, Certificate)
    return given if passphrase is None else replace(given, passphrase=passphrase)
