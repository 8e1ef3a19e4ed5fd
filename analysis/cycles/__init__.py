"""Periodic orbits: cycles born at Hopf points and forced by periodic dosing, with their Floquet multipliers."""

__all__ = []
