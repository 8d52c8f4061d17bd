"""What CloudFormation answers to DescribeStacks, as XML: one stack with what it says of itself, or an error."""

from collections.abc import Mapping


def stack_xml(outputs: Mapping[str, str], parameters: Mapping[str, str]) -> str:
    """Return the answer that names one stack, whose last change has ended well."""
    parts = f"<Outputs>{_members('Output', outputs)}</Outputs>"
    parts += f"<Parameters>{_members('Parameter', parameters)}</Parameters>"
    stack = f"<member><StackStatus>UPDATE_COMPLETE</StackStatus>{parts}</member>"
    result = f"<DescribeStacksResult><Stacks>{stack}</Stacks></DescribeStacksResult>"
    return f"<DescribeStacksResponse>{result}</DescribeStacksResponse>"


def error_xml(code: str, message: str) -> str:
    """Return an error, as CloudFormation says it."""
    return f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>"


def _members(kind: str, values: Mapping[str, str]) -> str:
    return "".join(
        f"<member><{kind}Key>{name}</{kind}Key><{kind}Value>{value}</{kind}Value></member>"
        for name, value in values.items()
    )
