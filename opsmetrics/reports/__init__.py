"""What people receive: the board of the meeting, the brief, the digest; the typed table and the app's addresses.

Does not belong here: screens.
"""
