"""Published model families, one file each."""

from .competition import sensitive_resistant

__all__ = ["sensitive_resistant"]
