"""Makes the identities, tries everything, says each result in a line, and counts what was not as it must be."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

from deployed.account import Account
from deployed.api import Api
from verification.checks import ACCESS, REFRESH, Check, Place, all_checks, wrapped
from verification.jobs import job_checks
from verification.operator import operator_checks
from verification.roles import PATIENCE_SECONDS, PAUSE_SECONDS, Policy, policy_of_function, throwaway
from verification.stack import OTHER_GRANT, Deployed
from verification.verdict import Finding, Verdict

CONNECTIONS, OPERATOR = "connections", "operator"
POLICIES = {
    "worker": "WorkerPolicyArn",
    "token caller": "TokenRoutePolicyArn",
    OPERATOR: "OperatorPolicyArn",
}
"""Who is made, and the stack's policy that it gets."""
JOBS = {"rekey": "RekeyPolicyArn", "import": "ImportPolicyArn", "restore": "RestorePolicyArn"}
"""The same of the jobs that go through a whole table."""


@dataclass(frozen=True, slots=True)
class Verification:
    """Everything that a run needs; `say` takes its lines, `pause` waits that many seconds."""

    account: Account
    api: Api
    deployed: Deployed
    say: Callable[[str], None]
    pause: Callable[[float], None]

    def __call__(self) -> int:
        """Return the exit status: 0 where all was as it must be, 1 where anything was not, or was not proven."""
        place = self._place()
        stack = POLICIES | JOBS
        policies: dict[str, Policy] = {name: self.deployed.outputs[of] for name, of in stack.items()}
        policies[CONNECTIONS] = policy_of_function(
            self.account, self.deployed.function(CONNECTIONS), CONNECTIONS
        )
        with throwaway(self.account, policies, self.pause) as made:
            jobs = [made.pop(name) for name in JOBS]
            checks = chain(
                all_checks(place, *made.values()),
                operator_checks(place, made[OPERATOR]),
                job_checks(place, *jobs),
            )
            results = [self._try(check) for check in checks]
        wrong = results.count(False)
        self.say(f"verify-aws: {len(results)} checks, {wrong} not as they must be")
        return 1 if wrong else 0

    def _place(self) -> Place:
        kms, grant = self.account.client("kms"), self.deployed.grant
        return Place(
            account=self.account,
            deployed=self.deployed,
            api=self.api,
            own=wrapped(kms, self.deployed, grant, ACCESS),
            refresh=wrapped(kms, self.deployed, grant, REFRESH),
            foreign=wrapped(kms, self.deployed, OTHER_GRANT, ACCESS),
        )

    def _try(self, check: Check) -> bool:
        """Say how a check ended; tell whether that is how it must end, if it must end in any way."""
        finding = self._found(check)
        is_right = check.wanted in {None, finding.verdict}
        mark = "note " if check.wanted is None else "ok   " if is_right else "WRONG"
        self.say(f"{mark} {finding.verdict:8} {check.who}: {check.what} ({finding.because})")
        return is_right

    def _found(self, check: Check) -> Finding:
        """Try it once, or, where it must be allowed, until the new role's permissions are known everywhere."""
        finding, waited = check.find(), 0.0
        while (
            check.wanted is Verdict.ALLOWED
            and finding.verdict is Verdict.REFUSED
            and waited < PATIENCE_SECONDS
        ):
            self.pause(PAUSE_SECONDS)
            waited += PAUSE_SECONDS
            finding = check.find()
        return finding
