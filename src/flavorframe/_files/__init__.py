"""Files: where they are, which version they have, how they are read from servers and written.

- `locations`: paths and URLs in their normal form, and which of them name the same file.
- `versions`: what tells that a file has changed; it asks the file system or the server.
- `remote`: files on servers, and the credentials that servers ask for.
- `writing`: a file is written under a hidden name, and takes its place when it is whole.
- `file_sets`: several files take their places together, and a second writer is refused.
- `trust`: files that only the user can have written, for those that run code when they are loaded.
- `descriptors`: opening a file without following links that others could have changed.
- `locked_folders`: private folders of a process, which others tidy up after a kill.
- `json_numbers`: floats in JSON to their last bit, infinities and NaN included.
- `child_process`: a child process that calls functions for this one, and may crash without it.
"""
