"""Features that are not ready to be the default.

They may change, or go, with any release. Importing a module of this package turns one
on, until the process ends:

- ``from skrnn.experimental import enable_triton  # noqa`` computes layers of at most
  128 hidden units on a GPU by Triton instead of cuDNN. It has never run on a GPU: it
  was tested in Triton's interpreter. See :doc:`/user_guide/gpu`.
"""
