"""Cassettes on disk.

`library` is what a run serves: it loads the `folder` into an index, and gives what is recorded to the `write_queue`.
`folder` knows which files there are and whether they changed; `loader` reads one cassette with its sidecars,
`atomic_write` writes files completely or not at all, `watcher` notices changes, and `lock` keeps a second recorder out.
`audit` checks a folder without serving it.
"""
