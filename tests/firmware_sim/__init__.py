"""Tests of firmware_sim."""
