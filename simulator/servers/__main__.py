"""The process that runs the servers: ``python -m simulator.servers ORGANISATION WORK NOW SEED``."""

import sys
from datetime import datetime
from pathlib import Path

from simulator.servers.serve import run

if __name__ == "__main__":
    folder, work, now, seed = sys.argv[1:]
    run(Path(folder), Path(work), datetime.fromisoformat(now), int(seed))
