"""What an UpdateItem leaves behind, as far as its expression assigns values: enough to bill it and to answer it."""

import re
from collections.abc import Mapping
from typing import Any

_SET = re.compile(r"(#\w+) = (?:if_not_exists\(#\w+, (:\w+)\)(?: \+ :\w+)?|(:\w+))")


def after(update: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes that an update leaves behind, by its key and its assignments."""
    names, values = update["ExpressionAttributeNames"], update["ExpressionAttributeValues"]
    assigned = {names[name]: values[a or b] for name, a, b in _SET.findall(update["UpdateExpression"])}
    return {**update["Key"], **assigned}
