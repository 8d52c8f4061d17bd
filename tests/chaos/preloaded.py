"""What the server of the processes has ready before it forks: every function, built in the environment of the run.

The rule: it is imported there and nowhere else; building the functions in each process would take most of its time.
"""

import os

from tests.chaos.container import Functions, shorten_waits

shorten_waits(float(os.environ["CHAOS_SPEED"]))
FUNCTIONS = Functions()
