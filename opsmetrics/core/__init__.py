"""What everything else stands on: settings, errors, atomic files, the version. Imports nothing of ours above it."""
