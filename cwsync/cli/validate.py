"""validate: everything that can be known without a tenant."""

from __future__ import annotations

import click

from cwsync.cli.settings import Settings, put, with_settings
from cwsync.errors import CwsyncError, Exit, exit_status


@click.command("validate")
@with_settings("text", "json", "github", "sarif")
def validate_command(settings: Settings) -> int:
    """Check cwsync.yaml and the manifests, offline: no call, no secret."""
    from cwsync.cli.workspace import Workspace

    count, environment = 0, ""
    try:
        workspace = Workspace.open(settings)
        problems = workspace.warnings
        if workspace.project.policies:
            from cwsync.plan.policies import declared_problems

            problems += tuple(declared_problems(workspace.desired, workspace.project.policies))
        count, environment = len(workspace.desired), workspace.environment
    except CwsyncError as error:
        problems = error.problems
    status = exit_status(problems)
    if settings.format == "json":
        from cwsync.report.document import problems_json

        settings.show(problems_json(problems))
    elif settings.format == "github":
        from cwsync.report.problems import problems_github

        settings.show(problems_github(problems))
    elif settings.format == "sarif":
        from cwsync.report.sarif import problems_sarif

        settings.show(problems_sarif(problems))
    else:
        if problems:
            from cwsync.report.problems import problems_text

            put(problems_text(problems, color=settings.color), err=True)
        if status is Exit.OK and not settings.quiet:
            settings.show(f"Valid: {count} resources for the environment {environment}.")
        elif not settings.quiet:
            errors = sum(problem.severity == "error" for problem in problems)
            settings.say(f"{errors} error{'s' if errors != 1 else ''}.")
    return status
