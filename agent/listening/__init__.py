"""Hearing the user: their sound in, their words out, and who has the floor."""

from agent.listening.ear import Deaf, Ear, Ears, Host, deaf

__all__ = ["Deaf", "Ear", "Ears", "Host", "deaf"]
