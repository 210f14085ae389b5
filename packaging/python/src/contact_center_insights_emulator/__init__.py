"""An emulator of Google's Contact Center AI Insights API, for tests.

    with start() as emulator:
        client = emulator.client()

`start` runs the program that is part of this package; `connect` is for an emulator that runs already. With pytest there
is nothing to start: the fixtures of `pytest_plugin` are there once the package is installed.
"""

from ._admin import Admin, AdminError, Call, Nearest
from ._emulator import Emulator, EmulatorError, connect, start

__all__ = ["Admin", "AdminError", "Call", "Emulator", "EmulatorError", "Nearest", "connect", "start"]
