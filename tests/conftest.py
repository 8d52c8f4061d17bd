"""What every test has: an AWS account that does not exist, in a Region of its own choice, and no way out to one."""

import os

from hypothesis import HealthCheck, settings

pytest_plugins = ("tests.chromium", "tests.dynamodb_local", "tests.local_stack")

# A busy machine is no bug: nothing here is timed, examples are only counted.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

os.environ.update(
    {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
)
for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
    os.environ.pop(name, None)
