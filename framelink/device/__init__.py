"""Request and reply on a link: match, time out, retry; and finding out what a device is."""

from framelink.device.exchange import Exchange, Phase
from framelink.device.identity import Identity, identify
from framelink.device.requester import DEFAULT_TIMEOUT, FrameLine, request

__all__ = ["DEFAULT_TIMEOUT", "Exchange", "FrameLine", "Identity", "Phase", "identify", "request"]
