"""Fails where a room under src/ includes from a room that it must not know (docs/architecture.md, "Rooms").

usage: python3 tools/check_rooms.py [ROOT]
"""
import pathlib
import re
import sys

# Each room with the rooms it may include from, itself left out. A room stands below all that it knows.
ROOMS = {
    "core": "",
    "json": "core",
    "graph": "core",
    "features": "core",
    "kernels": "core",
    "model": "core graph features",
    "exits": "core graph",
    "runtime": "core graph features kernels model exits",
    "capi": "core graph features model exits runtime",
    "convert": "core graph features model",
    "audio": "core",
    "datasets": "core audio",
    "evaluation": "core json graph features kernels model exits runtime audio datasets",
    "reproduce": "core json graph features kernels model exits runtime audio datasets evaluation",
    "report": "core json graph features kernels model exits runtime audio datasets evaluation reproduce",
    "training": "core json graph features kernels model exits runtime audio datasets evaluation",
    "cli": "core json graph features kernels model exits runtime convert audio datasets training evaluation reproduce report",
}
# Third-party headers and the rooms that may see them.
LIBRARIES = {
    r"hwy/": "kernels features",
    r"flatbuffers/|model_generated\.h": "model",
    r"xxhash\.h": "core",
    r"sndfile\.h|sndfile\.hh|soxr\.h": "audio",
    r"torch/|ATen/|c10/|oneapi/": "training",
    r"hdf5\.h|onnx/|google/protobuf": "convert",
    r"nlohmann/": "json convert datasets training evaluation reproduce report cli",
    r"fmt/": "json convert audio datasets training evaluation reproduce report cli",
    r"duktape\.h": "report",
    r"CLI/": "cli",
}


def main() -> int:
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    problems = []
    known = list(ROOMS)
    for room, allowed in ROOMS.items():
        for other in allowed.split():
            if known.index(other) > known.index(room):
                problems.append(f"tools/check_rooms.py: {room} may not know {other}, which stands below it")
    for path in sorted((root / "src").rglob("*")):
        if path.suffix not in {".h", ".cc", ".hpp", ".c"}:
            continue
        room = path.relative_to(root / "src").parts[0]
        if room not in ROOMS:
            problems.append(f"{path}: the room {room} is not listed in tools/check_rooms.py")
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            include = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
            if not include:
                continue
            name = include.group(1)
            target = name.split("/")[0]
            if target in ROOMS and "/" in name and target != room and target not in ROOMS[room].split():
                problems.append(f"{path}:{number}: {room} includes {name}, but may only know: {ROOMS[room] or 'nothing'}")
            for pattern, rooms in LIBRARIES.items():
                if re.match(pattern, name) and room not in rooms.split():
                    problems.append(f"{path}:{number}: {name} belongs in {rooms} only")
    print("\n".join(problems) if problems else f"rooms: {len(ROOMS)} rooms, every arrow points down")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
