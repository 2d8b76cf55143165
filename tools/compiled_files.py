"""Filters file names on standard input to those that a build folder's compilation database compiles.

usage: git ls-files '*.cc' | python3 tools/compiled_files.py BUILD
"""
import json
import pathlib
import sys

build = pathlib.Path(sys.argv[1])
compiled = {pathlib.Path(entry["file"]).resolve() for entry in json.loads((build / "compile_commands.json").read_text())}
for line in sys.stdin:
    if pathlib.Path(line.strip()).resolve() in compiled:
        print(line.strip())
