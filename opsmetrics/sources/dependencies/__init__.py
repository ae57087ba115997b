"""What a repository depends on over time, what its makers released, and which of that it took (ADR 39).

Belongs here: manifests and lock files read whole, the inventory that they make up commit by commit, lists of releases
from package registries, and the lag episodes that follow. Does not belong here: git itself (``git_history``), single
changes of versions (``manifests``), and what update bots ask for (``github.update_requests``).
"""
