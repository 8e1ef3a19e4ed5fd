"""Print what setup.cfg requires, the test extra included, but for the three compiled packages that are optional."""

import configparser
import re
from pathlib import Path

OPTIONAL = {"llvmlite", "numba", "python-flint"}

config = configparser.ConfigParser()
config.read(Path(__file__).parent.parent / "setup.cfg")
wanted = config["options"]["install_requires"] + config["options.extras_require"]["test"]
for requirement in filter(None, wanted.splitlines()):
    if re.match(r"[A-Za-z0-9_.-]+", requirement).group() not in OPTIONAL:
        print(requirement)
