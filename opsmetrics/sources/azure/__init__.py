"""Azure Monitor logs and metrics, and Resource Graph, with Entra identities only (source contracts, A, B1, C1, E to G).

The ``.kql`` files are what is asked: checked against declared schemas by the Kusto language service and run for
real against the simulator. ``$start`` and ``$end`` are the only words filled in.
"""
