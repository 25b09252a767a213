"""Features that are not ready to be the default.

They may change or go with any release. Importing a module of this package turns one on:

enable_triton  layers of at most 128 hidden units on a GPU, by Triton
"""
