"""Who speaks in a clip, as `bittern evaluate` has it (docs/datasets.md)."""
import pathlib
import re

EXTENSIONS = {".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3"}


def speaker_of(name):
    """Who speaks, as the file's name tells it; "" where it does not."""
    stem = name
    while pathlib.PurePath(stem).suffix.lower() in EXTENSIONS:
        stem = pathlib.PurePath(stem).stem
    found = re.fullmatch(r"(?:.*_)?([0-9a-f]{8})_nohash_\d+", stem) or re.fullmatch(r"(.+)_NO_\d+", stem)
    return found.group(1) if found else ""
