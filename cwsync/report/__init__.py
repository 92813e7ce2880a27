"""Reports: plain functions from plans, results and problems to text. Nothing is printed here.

No text ends with a line end, and none lets a name from a tenant or a file command a terminal.
"""
