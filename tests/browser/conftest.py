"""Where there is no Chromium (named in CHROMIUM, or on the path), nothing here is collected."""

from __future__ import annotations

from support.browser import chromium

collect_ignore_glob = [] if chromium() else ["test_*.py"]
