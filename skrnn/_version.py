"""The version of the package, which its build reads without importing it."""

__version__ = "0.1.0"
