"""From `authenticate` in cwsync.yaml to credentials: every secret is read, and what is missing is said at once."""

from __future__ import annotations

from dataclasses import replace

from pydantic import SecretStr

from cwsync.api import Basic, Certificate, Credentials, Token
from cwsync.errors import CwsyncError, Problem
from cwsync.located import place
from cwsync.project import Project
from cwsync.secret import SecretSource


def read_credentials(project: Project) -> Credentials:
    """The credentials of the chosen environment. Raises every CW120, with its place in cwsync.yaml."""
    wanted = project.environment.authenticate
    assert wanted is not None  # the project's rules ask for it wherever the service is not the emulator
    reading = _Reading(project)
    if wanted.basic is not None:
        password = reading.read("basic", "password", wanted.basic.password)
        made: Credentials = Basic(wanted.basic.username, password)
    elif wanted.certificate is not None:
        given = wanted.certificate
        certificate = reading.read("certificate", "certificate", given.certificate)
        key = reading.read("certificate", "privateKey", given.privateKey)
        passphrase = None
        if given.passphrase is not None:
            passphrase = reading.read("certificate", "passphrase", given.passphrase)
        made = Certificate(
            certificate.get_secret_value().encode(), key, passphrase, format=given.format, header=given.header
        )
    else:
        assert wanted.token is not None
        made = Token(reading.read("token", None, wanted.token))
    if reading.problems:
        raise CwsyncError(*reading.problems)
    return made


class _Reading:
    def __init__(self, project: Project) -> None:
        self.problems: list[Problem] = []
        self._project = project

    def read(self, way: str, field: str | None, source: SecretSource) -> SecretStr:
        try:
            return source.read(self._project.root)
        except CwsyncError as error:
            path = ("environments", self._project.environment.name, "authenticate", way)
            at = place(self._project.document, (*path, field) if field else path)
            self.problems += [replace(problem, place=at) for problem in error.problems]
            return SecretStr("")
