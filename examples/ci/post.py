"""Puts cwsync's reports where a team reads them: GitHub, GitLab or Azure DevOps, whichever runs this.

    post.py comment FILE       the one comment on the pull request; a later run writes it anew
    post.py open ENV FILE      the one open issue about drift in an environment; a later run writes it anew
    post.py close ENV          says that the drift is gone, and closes the issue, where there is one
    post.py reviewed NAME      GitHub: prints the run that has the plan NAME of the merged pull request

Needs Python's standard library only, and the token of the pipeline in GITHUB_TOKEN, GITLAB_TOKEN or
SYSTEM_ACCESSTOKEN. It ends with 1 and one line of text where the forge refuses.
"""

from __future__ import annotations

import html
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

LABEL = "cwsync-drift"
GONE = "There is no drift any more."
_PAGE = 100


class CannotPostError(Exception):
    """Why nothing came of it, in words for the log."""


@dataclass(frozen=True)
class Post:
    """A comment or an issue that exists: where it is changed, and what it says."""

    path: str
    text: str


class Forge(Protocol):
    def comments(self) -> Iterator[Post]: ...
    def comment(self, text: str, old: Post | None) -> None: ...
    def issues(self, title: str) -> Iterator[Post]: ...
    def issue(self, title: str, text: str, old: Post | None) -> None: ...
    def close(self, issue: Post) -> None: ...


@dataclass(frozen=True)
class Api:
    """Requests to one address, with one header that is a secret."""

    base: str
    header: str
    secret: str

    def __call__(self, method: str, path: str, body: object = None, kind: str = "application/json") -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = Request(
            self.base + path, data, {"Content-Type": kind, "Accept": "application/json"}, method=method
        )
        request.add_unredirected_header(self.header, self.secret)
        try:
            with urlopen(request, timeout=60) as reply:
                return json.load(reply)
        except HTTPError as error:
            said = error.read(300).decode(errors="replace")
            raise CannotPostError(
                f"{method} {path.partition('?')[0]}: {error.code} {error.reason} {said}"
            ) from None
        except (URLError, ValueError) as error:
            raise CannotPostError(f"{method} {path.partition('?')[0]}: {error}") from None

    def pages(self, path: str, **query: object) -> Iterator[Any]:
        """What a list has, page by page, as GitHub and GitLab give it."""
        for page in range(1, 1000):
            found = self("GET", f"{path}?{urlencode({**query, 'per_page': _PAGE, 'page': page})}")
            yield from found
            if len(found) < _PAGE:
                return


class GitHub:
    def __init__(self) -> None:
        base = os.environ.get("GITHUB_API_URL", "https://api.github.com")
        self.api = Api(base, "Authorization", f"Bearer {_need('GITHUB_TOKEN')}")
        self.repository = f"/repos/{_need('GITHUB_REPOSITORY')}"

    def comments(self) -> Iterator[Post]:
        for each in self.api.pages(self._thread()):
            yield Post(f"{self.repository}/issues/comments/{each['id']}", each["body"] or "")

    def comment(self, text: str, old: Post | None) -> None:
        self.api("PATCH" if old else "POST", old.path if old else self._thread(), {"body": text})

    def _thread(self) -> str:
        return f"{self.repository}/issues/{_need('PULL_REQUEST')}/comments"

    def issues(self, title: str) -> Iterator[Post]:
        for each in self.api.pages(f"{self.repository}/issues", state="open", labels=LABEL):
            if each["title"] == title:
                yield Post(f"{self.repository}/issues/{each['number']}", each["body"] or "")

    def issue(self, title: str, text: str, old: Post | None) -> None:
        if old:
            self.api("PATCH", old.path, {"body": text})
        else:
            self.api("POST", f"{self.repository}/issues", {"title": title, "body": text, "labels": [LABEL]})

    def close(self, issue: Post) -> None:
        self.api("POST", f"{issue.path}/comments", {"body": GONE})
        self.api("PATCH", issue.path, {"state": "closed", "state_reason": "completed"})

    def reviewed(self, name: str) -> str:
        """The run on the last commit of the pull request that this commit has merged.

        Anybody's fork may run a workflow that uploads a file of this name: its runs are left out.
        """
        merged = self.api("GET", f"{self.repository}/commits/{_need('GITHUB_SHA')}/pulls")
        heads = [each["head"]["sha"] for each in merged if each["merged_at"]]
        found = self.api(
            "GET", f"{self.repository}/actions/artifacts?{urlencode({'name': name, 'per_page': _PAGE})}"
        )
        runs = [each["workflow_run"] for each in found["artifacts"] if not each["expired"]]
        for run in runs:  # the newest comes first
            if run["head_sha"] in heads and run["head_repository_id"] == run["repository_id"]:
                return str(run["id"])
        raise CannotPostError(
            f"no plan {name} of a pull request that was merged as {_need('GITHUB_SHA')}: make one on this branch"
            " (run the plan workflow by hand), look at it, and apply it by its run's id"
        )


class GitLab:
    def __init__(self) -> None:
        self.api = Api(_need("CI_API_V4_URL"), "PRIVATE-TOKEN", _need("GITLAB_TOKEN"))
        self.project = f"/projects/{_need('CI_PROJECT_ID')}"

    def comments(self) -> Iterator[Post]:
        for each in self.api.pages(self._notes(), sort="asc"):
            yield Post(f"{self._notes()}/{each['id']}", each["body"])

    def comment(self, text: str, old: Post | None) -> None:
        self.api("PUT" if old else "POST", old.path if old else self._notes(), {"body": text})

    def _notes(self) -> str:
        return f"{self.project}/merge_requests/{_need('CI_MERGE_REQUEST_IID')}/notes"

    def issues(self, title: str) -> Iterator[Post]:
        for each in self.api.pages(f"{self.project}/issues", state="opened", labels=LABEL):
            if each["title"] == title:
                yield Post(f"{self.project}/issues/{each['iid']}", each["description"] or "")

    def issue(self, title: str, text: str, old: Post | None) -> None:
        if old:
            self.api("PUT", old.path, {"description": text})
        else:
            new = {"title": title, "description": text, "labels": LABEL}
            self.api("POST", f"{self.project}/issues", new)

    def close(self, issue: Post) -> None:
        self.api("POST", f"{issue.path}/notes", {"body": GONE})
        self.api("PUT", issue.path, {"state_event": "close"})


class Azure:
    """Azure DevOps. An issue is a work item of the type Task, which every process has."""

    def __init__(self) -> None:
        base = _need("SYSTEM_COLLECTIONURI").rstrip("/") + "/" + quote(_need("SYSTEM_TEAMPROJECT"))
        self._api = Api(base, "Authorization", f"Bearer {_need('SYSTEM_ACCESSTOKEN')}")

    def api(self, method: str, path: str, body: object = None, kind: str = "application/json") -> Any:
        return self._api(method, f"/_apis/{path}?api-version=7.1", body, kind)

    def comments(self) -> Iterator[Post]:
        for thread in self.api("GET", self._threads())["value"]:
            for each in thread["comments"][:1]:
                yield Post(
                    f"{self._threads()}/{thread['id']}/comments/{each['id']}", each.get("content") or ""
                )

    def comment(self, text: str, old: Post | None) -> None:
        if old:
            self.api("PATCH", old.path, {"content": text})
        else:  # a thread that is closed keeps no pull request from being completed
            first = {"parentCommentId": 0, "content": text, "commentType": "text"}
            self.api("POST", self._threads(), {"comments": [first], "status": "closed"})

    def _threads(self) -> str:
        repository, number = _need("BUILD_REPOSITORY_ID"), _need("SYSTEM_PULLREQUEST_PULLREQUESTID")
        return f"git/repositories/{repository}/pullRequests/{number}/threads"

    def issues(self, title: str) -> Iterator[Post]:
        ended = ", ".join(f"'{name}'" for name in self._states("Completed", "Removed", "Resolved"))
        query = (
            "SELECT [System.Id] FROM WorkItems WHERE [System.TeamProject] = @project"
            f" AND [System.Title] = '{title.replace(chr(39), chr(39) * 2)}'"
            f" AND [System.Tags] CONTAINS '{LABEL}' AND NOT [System.State] IN ({ended}) ORDER BY [System.Id]"
        )
        for each in self.api("POST", "wit/wiql", {"query": query})["workItems"]:
            yield Post(f"wit/workitems/{each['id']}", "")

    def issue(self, title: str, text: str, old: Post | None) -> None:
        fields = {"System.Description": f"<pre>{html.escape(text)}</pre>"}
        if not old:
            fields |= {"System.Title": title, "System.Tags": LABEL}
        self._write("PATCH" if old else "POST", old.path if old else "wit/workitems/$Task", fields)

    def close(self, issue: Post) -> None:
        (done, *_) = self._states("Completed")
        self._write("PATCH", issue.path, {"System.History": GONE, "System.State": done})

    def _states(self, *categories: str) -> list[str]:
        found = self.api("GET", "wit/workitemtypes/Task/states")["value"]
        return [each["name"] for each in found if each["category"] in categories]

    def _write(self, method: str, path: str, fields: dict[str, str]) -> None:
        patch = [{"op": "add", "path": f"/fields/{name}", "value": value} for name, value in fields.items()]
        self.api(method, path, patch, "application/json-patch+json")


def comment(forge: Forge, text: str) -> str:
    """By the report's first line, which names the environment."""
    marker = text.partition("\n")[0]
    if not marker.startswith("<!-- cwsync "):
        raise CannotPostError("the file is no report of cwsync: its first line is no mark of it")
    old = next((each for each in forge.comments() if each.text.partition("\n")[0].strip() == marker), None)
    forge.comment(text, old)
    return "The comment was written anew." if old else "The comment was made."


def drift(forge: Forge, environment: str, text: str | None) -> str:
    """With a text there is drift, and without one there is none."""
    title = f"Drift in {environment}"
    old = next(forge.issues(title), None)
    if text is not None:
        forge.issue(title, text, old)
        return f'The issue "{title}" was {"written anew" if old else "opened"}.'
    if old is None:
        return "There is no drift, and no issue about it."
    forge.close(old)
    return f'The issue "{title}" was closed.'


def _need(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise CannotPostError(f"the environment variable {name} is not set")
    return value


def _forge() -> GitHub | GitLab | Azure:
    if os.environ.get("GITHUB_ACTIONS"):
        return GitHub()
    if os.environ.get("GITLAB_CI"):
        return GitLab()
    if os.environ.get("TF_BUILD"):
        return Azure()
    raise CannotPostError("this is neither GitHub Actions nor GitLab CI nor Azure Pipelines")


def main(arguments: list[str]) -> str:
    match arguments:
        case ["comment", file]:
            return comment(_forge(), Path(file).read_text(encoding="utf-8"))
        case ["open", environment, file]:
            return drift(_forge(), environment, Path(file).read_text(encoding="utf-8"))
        case ["close", environment]:
            return drift(_forge(), environment, None)
        case ["reviewed", name] if isinstance(forge := _forge(), GitHub):
            return forge.reviewed(name)
    raise CannotPostError(__doc__ or "")


if __name__ == "__main__":
    try:
        print(main(sys.argv[1:]))
    except (CannotPostError, OSError) as error:
        sys.exit(f"post.py: {error}")
