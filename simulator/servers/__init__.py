"""Servers that speak the sources' wire formats over TLS on loopback, fed by the simulated organisation.

One module per service. What they answer follows the source contracts, written from the other side: they import
nothing of the library, so that a mistake in a connector is not repeated here.
"""

from simulator.servers.serve import Running, serve

__all__ = ["Running", "serve"]
