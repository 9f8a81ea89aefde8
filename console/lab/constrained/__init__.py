"""Constrained endpoints that are installed on the lab's hosts: their files as an administrator would copy them there.

Nothing here knows who wrote the files. They are read as Windows reads them, as far as a subset of PowerShell goes:
data files, and modules whose functions are pipelines of cmdlets with checked parameters.
"""
