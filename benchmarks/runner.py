"""What a measured process runs: import a handler, show it one event as often as asked, and print its answers.

Run as `python -S runner.py MODULE EVENT [TIMES]`, with the path in PYTHONPATH. It imports next to nothing,
because whatever it does counts on both sides of a ratio and would flatter it.
The last line of its output is JSON: `answers`, a list of [seconds, answer], one for each time, and `peak_kb`, the
most memory that the process ever held, or null where the system does not tell.
"""

import json
import sys
from time import perf_counter


class Context:
    """What Lambda tells a handler of its call."""

    aws_request_id = "11111111-2222-3333-4444-555555555555"
    function_name = "measured"
    function_version = "$LATEST"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:measured"
    log_group_name = "/aws/lambda/measured"
    log_stream_name = "measured"
    memory_limit_in_mb = "512"

    def get_remaining_time_in_millis(self) -> int:
        """Return more than any handler needs, even under a counting machine that runs fifty times slower."""
        return 900_000


def peak_kb() -> int | None:
    """Return the peak of the resident set. `getrusage` would count that of whoever started this process, too."""
    try:
        with open("/proc/self/status", encoding="ascii") as file:  # noqa: PTH123 - as below
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
    except OSError:
        return None


def main() -> None:
    """Import, answer, print."""
    handler = __import__(sys.argv[1], fromlist=["handler"]).handler
    with open(sys.argv[2], encoding="utf-8") as file:  # noqa: PTH123 - pathlib would be counted as the handler's
        event = json.load(file)
    answers = []
    for _ in range(int(sys.argv[3]) if len(sys.argv) > 3 else 1):  # noqa: PLR2004 - the optional third word
        since = perf_counter()
        answer = handler(event, Context())
        answers.append([perf_counter() - since, answer])
    sys.stdout.write("\n" + json.dumps({"answers": answers, "peak_kb": peak_kb()}) + "\n")


main()
