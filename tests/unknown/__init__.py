"""What is not known stays unknown: generated blanks of everything that sources can leave out, and cuts of the future."""
