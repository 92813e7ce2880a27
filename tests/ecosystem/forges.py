"""Doubles of GitHub, GitLab and Azure DevOps behind HTTP: the few calls that post.py makes, as their references say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Json = dict[str, Any]
TOKEN = "made-up-token"


@dataclass
class Issue:
    title: str
    text: str
    labels: str
    open: bool = True
    comments: list[str] = field(default_factory=list)


@dataclass
class Forge:
    """What is in it, and what was asked of it. `secret` is the header that must carry the token."""

    url: str = ""
    comments: dict[int, str] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    down: bool = False
    secret: tuple[str, str] = ("Authorization", f"Bearer {TOKEN}")

    @property
    def environ(self) -> dict[str, str]:
        """What the forge's runner tells a job."""
        raise NotImplementedError

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> Any:
        """The JSON of a reply; None for 404."""
        raise NotImplementedError

    @property
    def open_issues(self) -> list[Issue]:
        return [issue for issue in self.issues.values() if issue.open]

    def _page(self, found: list[Json], query: dict[str, str]) -> list[Json]:
        size, page = int(query.get("per_page", 20)), int(query.get("page", 1))
        return found[(page - 1) * size : page * size]

    def _commented(self, number: int | None, text: str) -> Json:
        number = max(self.comments, default=0) + 1 if number is None else number
        self.comments[number] = text
        return {"id": number}

    def _opened(self, title: str, text: str, labels: str) -> Json:
        number = len(self.issues) + 1
        self.issues[number] = Issue(title, text, labels)
        return {"id": number}


class GitHub(Forge):
    def __init__(self) -> None:
        super().__init__()
        self.artifacts: list[Json] = []
        self.merged: dict[str, list[Json]] = {}

    @property
    def environ(self) -> dict[str, str]:
        return {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.url,
            "GITHUB_REPOSITORY": "acme/cloudworks",
            "GITHUB_SHA": "c0ffee",
            "GITHUB_TOKEN": TOKEN,
            "PULL_REQUEST": "7",
        }

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> Any:
        match method, path.removeprefix("/repos/acme/cloudworks").strip("/").split("/"):
            case "GET", ["issues", "7", "comments"]:
                found = [{"id": number, "body": text} for number, text in self.comments.items()]
                return self._page(found, query)
            case "POST", ["issues", "7", "comments"]:
                return self._commented(None, body["body"])
            case "PATCH", ["issues", "comments", number]:
                return self._commented(int(number), body["body"])
            case "GET", ["issues"]:
                return self._page(
                    [
                        {"number": number, "title": one.title, "body": one.text}
                        for number, one in self.issues.items()
                        if one.open == (query["state"] == "open") and one.labels == query["labels"]
                    ],
                    query,
                )
            case "POST", ["issues"]:
                return self._opened(body["title"], body["body"], ",".join(body["labels"]))
            case "PATCH", ["issues", number]:
                issue = self.issues[int(number)]
                issue.text = body.get("body", issue.text)
                issue.open = body.get("state", "open") == "open"
                return {}
            case "POST", ["issues", number, "comments"]:
                self.issues[int(number)].comments.append(body["body"])
                return {}
            case "GET", ["commits", commit, "pulls"]:
                return self.merged.get(commit, [])
            case "GET", ["actions", "artifacts"]:
                return {"artifacts": [one for one in self.artifacts if one["name"] == query["name"]]}
        return None

    def keep(self, name: str, run: int, head: str, fork: bool = False) -> None:
        """An artifact, as a run on a commit has uploaded it; the newest comes first."""
        of = {"id": run, "head_sha": head, "repository_id": 1, "head_repository_id": 2 if fork else 1}
        self.artifacts.insert(0, {"name": name, "expired": False, "workflow_run": of})

    def merge(self, head: str) -> None:
        """The pull request whose last commit is `head`, as the commit that jobs run on."""
        pull = {"head": {"sha": head}, "merged_at": "2030-01-07T00:00:00Z"}
        self.merged["c0ffee"] = [{"head": {"sha": "0ther"}, "merged_at": None}, pull]


class GitLab(Forge):
    def __init__(self) -> None:
        super().__init__(secret=("PRIVATE-TOKEN", TOKEN))

    @property
    def environ(self) -> dict[str, str]:
        return {
            "GITLAB_CI": "true",
            "CI_API_V4_URL": f"{self.url}/api/v4",
            "CI_PROJECT_ID": "42",
            "CI_MERGE_REQUEST_IID": "7",
            "GITLAB_TOKEN": TOKEN,
        }

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> Any:
        match method, path.removeprefix("/api/v4/projects/42").strip("/").split("/"):
            case "GET", ["merge_requests", "7", "notes"]:
                found = [{"id": number, "body": text} for number, text in self.comments.items()]
                return self._page(found if query["sort"] == "asc" else found[::-1], query)
            case "POST", ["merge_requests", "7", "notes"]:
                return self._commented(None, body["body"])
            case "PUT", ["merge_requests", "7", "notes", number]:
                return self._commented(int(number), body["body"])
            case "GET", ["issues"]:
                return self._page(
                    [
                        {"iid": number, "title": one.title, "description": one.text}
                        for number, one in self.issues.items()
                        if one.open == (query["state"] == "opened") and one.labels == query["labels"]
                    ],
                    query,
                )
            case "POST", ["issues"]:
                return self._opened(body["title"], body["description"], body["labels"])
            case "PUT", ["issues", number]:
                issue = self.issues[int(number)]
                issue.text = body.get("description", issue.text)
                issue.open = body.get("state_event") != "close"
                return {}
            case "POST", ["issues", number, "notes"]:
                self.issues[int(number)].comments.append(body["body"])
                return {}
        return None


class Azure(Forge):
    @property
    def environ(self) -> dict[str, str]:
        return {
            "TF_BUILD": "True",
            "BUILD_REASON": "PullRequest",
            "SYSTEM_COLLECTIONURI": f"{self.url}/acme/",
            "SYSTEM_TEAMPROJECT": "Cloud Works",
            "BUILD_REPOSITORY_ID": "r1",
            "SYSTEM_PULLREQUEST_PULLREQUESTID": "7",
            "SYSTEM_ACCESSTOKEN": TOKEN,
        }

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> Any:
        assert query["api-version"]
        match method, path.removeprefix("/acme/Cloud Works/_apis/").split("/"):
            case "GET", ["git", "repositories", "r1", "pullRequests", "7", "threads"]:
                threads = [{"id": n, "comments": [{"id": 1, "content": t}]} for n, t in self.comments.items()]
                return {"value": [{"id": 1000, "comments": []}, *threads]}
            case "POST", ["git", "repositories", "r1", "pullRequests", "7", "threads"]:
                return self._commented(None, body["comments"][0]["content"])
            case "PATCH", [
                "git",
                "repositories",
                "r1",
                "pullRequests",
                "7",
                "threads",
                number,
                "comments",
                "1",
            ]:
                return self._commented(int(number), body["content"])
            case "GET", ["wit", "workitemtypes", "Task", "states"]:
                states = {"To Do": "Proposed", "Doing": "InProgress", "Done": "Completed"}
                return {"value": [{"name": name, "category": of} for name, of in states.items()]}
            case "POST", ["wit", "wiql"]:
                return {
                    "workItems": [
                        {"id": n} for n, one in self.issues.items() if self._meant(body["query"], one)
                    ]
                }
            case "POST", ["wit", "workitems", "$Task"]:
                new = self._fields(body)
                return self._opened(new["System.Title"], new["System.Description"], new["System.Tags"])
            case "PATCH", ["wit", "workitems", number]:
                issue, changes = self.issues[int(number)], self._fields(body)
                issue.text = changes.get("System.Description", issue.text)
                issue.open = changes.get("System.State") != "Done"
                issue.comments += [changes["System.History"]] if "System.History" in changes else []
                return {}
        return None

    def _fields(self, patch: list[Json]) -> dict[str, str]:
        assert all(one["op"] == "add" for one in patch)
        return {one["path"].removeprefix("/fields/"): one["value"] for one in patch}

    def _meant(self, query: str, issue: Issue) -> bool:
        """Of the query language what is asked here: a title, a tag, and states that it does not have."""
        title = re.search(r"\[System\.Title\] = '((?:[^']|'')*)'", query)
        tag = re.search(r"\[System\.Tags\] CONTAINS '([^']*)'", query)
        states = re.search(r"NOT \[System\.State\] IN \(([^)]*)\)", query)
        assert title
        assert tag
        assert states
        state = "To Do" if issue.open else "Done"
        return (
            issue.title == title[1].replace("''", "'")
            and tag[1] in issue.labels
            and f"'{state}'" not in states[1]
        )


@contextmanager
def running(forge: Forge) -> Iterator[None]:
    """The forge behind HTTP, at `forge.url`."""

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            parts = urlsplit(self.path)
            size = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(size)) if size else None
            path, query = unquote(parts.path), {key: found[0] for key, found in parse_qs(parts.query).items()}
            forge.asked.append(f"{self.command} {path}")
            header, value = forge.secret
            if forge.down or self.headers.get(header) != value:
                return self._reply(503 if forge.down else 401, {"message": "no"})
            found = forge.answer(self.command, path, query, body)
            return self._reply(
                404 if found is None else 200, {"message": "nothing here"} if found is None else found
            )

        do_GET = do_POST = do_PATCH = do_PUT = _do

        def _reply(self, status: int, body: object) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *arguments: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    forge.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
