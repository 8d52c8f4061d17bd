"""`python -m verification STACK`, which is `make verify-aws STACK=…`: in the account of the usual AWS settings."""

import argparse
import sys
import time

from botocore.exceptions import BotoCoreError, ClientError

from cli.trouble import trouble_of
from deployed.account import Account
from deployed.api import Api
from verification.run import Verification
from verification.stack import Deployed
from zendesk_oauth.errors import ConfigurationError


def main() -> int:
    """Return the exit status; an account that cannot be looked at at all is 1 as well."""
    parser = argparse.ArgumentParser(prog="verify-aws", description=__doc__)
    parser.add_argument("stack", help="name of the deployed stack")
    parser.add_argument("--api", help="address of the API, where it is not its own or DomainName's")
    asked = parser.parse_args()
    try:
        account = Account.here()
        deployed = Deployed.read(account.client("cloudformation"), asked.stack)
        api = Api(asked.api, account.region) if asked.api else Api.of(deployed, account)
        return Verification(account, api, deployed, print, time.sleep)()
    except (ClientError, BotoCoreError, ConfigurationError, ValueError) as error:
        why = trouble_of(error) or type(error).__name__  # never the SDK's own text, which can quote a token
        sys.stderr.write(f"verify-aws: not begun or not ended: {why}\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
