"""Manifests: located values become checked resources, and all that is wrong is said at once."""

from __future__ import annotations

from cwsync.manifest.load import Manifest, load_manifests

__all__ = ["Manifest", "load_manifests"]
