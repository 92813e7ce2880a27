"""cwsync.yaml: environments, variables, users, guards, and where the manifests are."""

from cwsync.project.files import covers, manifest_files
from cwsync.project.loading import find_project, load_project
from cwsync.project.models import Authenticate, Basic, Certificate, Guards, Requests, project_schema
from cwsync.project.policies import Day, Firing, Policy, matches
from cwsync.project.values import Environment, Project, shown

__all__ = [
    "Authenticate",
    "Basic",
    "Certificate",
    "Day",
    "Environment",
    "Firing",
    "Guards",
    "Policy",
    "Project",
    "Requests",
    "covers",
    "find_project",
    "load_project",
    "manifest_files",
    "matches",
    "project_schema",
    "shown",
]
