"""Rectangles, compiled: a Rosenbrock-W method whose linear systems are solved direction by direction."""
