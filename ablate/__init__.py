"""`ablate`: takes a recipe (a baseline model and a list of patches), gives a ranked table of which change is worth
having.
"""

__version__ = "0.1.0"
