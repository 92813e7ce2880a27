"""Writing manifests: what a tenant has as text, new entries, changed values, and one layout for all of it.

`import --all`, `drift --accept` and `fmt` write; reading is `cwsync.manifest`.
"""
