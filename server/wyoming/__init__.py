"""Wyoming over TCP: hearing, speech and answers for Home Assistant."""

from server.wyoming.tcp import listening_on, wyoming_served

__all__ = ["listening_on", "wyoming_served"]
