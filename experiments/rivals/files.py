"""Files that appear whole or not at all."""
import json
import os


def replace(path, write):
    """write(temporary) makes the file that then takes the place of `path`."""
    temporary = path.with_name(path.name + ".new")
    write(temporary)
    os.replace(temporary, path)


def write_text(path, text):
    replace(path, lambda temporary: temporary.write_text(text))


def write_json(path, value):
    write_text(path, json.dumps(value, indent=1) + "\n")
