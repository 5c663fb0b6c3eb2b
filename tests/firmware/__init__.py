"""Tests of the C firmware."""
