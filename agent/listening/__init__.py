"""Hearing the user: their sound in, their words out, and who has the floor."""

from agent.listening.ear import Deaf, Ear, Ears, Host, deaf
from agent.listening.listener import Listener
from agent.listening.organs import Organs

__all__ = ["Deaf", "Ear", "Ears", "Host", "Listener", "Organs", "deaf"]
