"""Cassettes on the disk.

`folder` is the one place that knows the files, `loader` reads them, `atomic_write` writes them whole or not at all,
`lock` keeps two recorders apart, `watcher` hears of changes. `library` keeps the index in line with the folder and
the folder with what was recorded; `unsaved` holds what could not be written yet. `audit` checks a folder.
"""
