"""Draws docs/rooms.svg from the includes that the code really has.

usage: python3 tools/draw_rooms.py [--check]     --check fails where the committed picture is out of date
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Where each room stands: (column, row, what it holds). A row knows only rows above it.
PLACES = {
    "core": (2.0, 0, "errors, memory, files, bits"),
    "graph": (0.5, 1, "layers, networks, counts"),
    "features": (1.5, 1, "log-mel front end"),
    "kernels": (2.5, 1, "SIMD kernels"),
    "json": (4.6, 1, "JSON, read strictly"),
    "audio": (3.6, 1, "decoding, resampling"),
    "model": (0.5, 2, "the .bittern file"),
    "exits": (1.5, 2, "entropy, rules"),
    "datasets": (3.6, 2, "folders to clips"),
    "runtime": (1.5, 3, "plan, arena, session"),
    "capi": (0.5, 4, "bittern.h"),
    "evaluation": (3.6, 4, "accuracy, reports"),
    "reproduce": (1.5, 5, "an experiment's trainings"),
    "report": (3.6, 6, "charts, HTML pages"),
    "convert": (0.5, 5, "models from Larq"),
    "training": (2.5, 5, "libtorch"),
    "cli": (2.5, 7, "bittern train, classify, ..."),
}
LIBRARY = {"core", "graph", "features", "kernels", "model", "exits", "runtime", "capi"}
WIDTH, HEIGHT, STEP_X, STEP_Y, LEFT, TOP = 168, 48, 196, 92, 16, 44


def edges():
    found = {room: set() for room in PLACES}
    for path in (ROOT / "src").rglob("*"):
        room = path.relative_to(ROOT / "src").parts[0]
        if path.suffix in {".h", ".cc"} and room in found:
            for name in re.findall(r'#\s*include\s*"(\w+)/', path.read_text()):
                if name in found and name != room:
                    found[room].add(name)
    return found


def reduced(found):
    """Without the arrows that a path through another room already tells."""
    def reach(room):
        seen, todo = set(), list(found[room])
        while todo:
            other = todo.pop()
            if other not in seen:
                seen.add(other)
                todo += found[other]
        return seen
    return {room: {o for o in others if not any(o in reach(p) for p in others if p != o)} for room, others in found.items()}


def box(room):
    column, row, _ = PLACES[room]
    return LEFT + column * STEP_X, TOP + row * STEP_Y


def draw():
    width = int(LEFT * 2 + max(column for column, _, _ in PLACES.values()) * STEP_X + WIDTH)
    height = int(TOP + max(row for _, row, _ in PLACES.values()) * STEP_Y + HEIGHT + 20)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="14">',
        "<style>",
        "  .room{fill:#fff;stroke:#345}.library{fill:#e8f1fb}.name{font-weight:bold;fill:#123}.what{font-size:11px;fill:#456}",
        "  .arrow{stroke:#678;fill:none;stroke-width:1.3}.head{fill:#678}.legend{fill:#456;font-size:12px}",
        "  @media (prefers-color-scheme:dark){.room{fill:#1d2733;stroke:#9ab}.library{fill:#20364d}.name{fill:#e6eef6}.what,.legend{fill:#a9bccd}.arrow{stroke:#8aa}.head{fill:#8aa}}",
        "</style>",
        '<defs><marker id="h" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>',
        f'<text class="legend" x="{LEFT}" y="24">An arrow: includes from. Shaded: libbittern, no third-party library at run time.</text>',
    ]
    for room, others in reduced(edges()).items():
        x, y = box(room)
        for other in sorted(others):
            ox, oy = box(other)
            out.append(f'<path class="arrow" marker-end="url(#h)" d="M{x + WIDTH / 2:.0f} {y:.0f}'
                       f'C{x + WIDTH / 2:.0f} {y - 26:.0f} {ox + WIDTH / 2:.0f} {oy + HEIGHT + 30:.0f} {ox + WIDTH / 2:.0f} {oy + HEIGHT:.0f}"/>')
    for room, (_, _, what) in PLACES.items():
        x, y = box(room)
        kind = "room library" if room in LIBRARY else "room"
        out += [f'<rect class="{kind}" x="{x:.0f}" y="{y:.0f}" width="{WIDTH}" height="{HEIGHT}" rx="6"/>',
                f'<text class="name" text-anchor="middle" x="{x + WIDTH / 2:.0f}" y="{y + 20:.0f}">{room}</text>',
                f'<text class="what" text-anchor="middle" x="{x + WIDTH / 2:.0f}" y="{y + 37:.0f}">{what}</text>']
    out.append("</svg>\n")
    return "\n".join(out)


def main() -> int:
    picture, path = draw(), ROOT / "docs" / "rooms.svg"
    if sys.argv[1:] == ["--check"]:
        if path.read_text() != picture:
            print("docs/rooms.svg is out of date: run python3 tools/draw_rooms.py")
            return 1
        return 0
    path.write_text(picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
