"""What is not run as it stands in a document, and why: as little as possible, and nothing that no document has."""

NOT_RUN = {
    "zendesk-oauth rekey": (
        _WAITS := "it waits for 70 seconds; tests/stack/test_jobs.py types it, without the wait"
    ),
    "zendesk-oauth rekey --campaign leak-2027": _WAITS,
    "zendesk-oauth doctor": (
        _USED := "what other tests leave in queues is red here; tests/commands/test_quickstart.py types it"
    ),
    ".venv/bin/zendesk-oauth doctor acme --own-account": _USED,
    **dict.fromkeys(
        (
            (
                "aws cloudformation create-change-set --stack-name zendesk-oauth --change-set-name put-back"
                " --use-previous-template --parameters file://parameters.json --deployment-mode REVERT_DRIFT"
                " --capabilities CAPABILITY_IAM CAPABILITY_AUTO_EXPAND"
            ),
            "aws cloudformation describe-change-set --stack-name zendesk-oauth --change-set-name put-back",
            "aws cloudformation execute-change-set --stack-name zendesk-oauth --change-set-name put-back",
        ),
        "the emulator compares a template with the one before, and not with what there is",
    ),
    "make demo": "tests/stack/test_deployed.py plays its script, on the stack that these tests run on",
    "make local": "tests/commands/test_quickstart.py starts it, and stops it by Ctrl-C",
    "make test": "it would run itself",
    "make check": "CI runs it; these tests are a part of it",
    **dict.fromkeys(
        ("make chaos SECONDS=180 SEED=7", "make chaos SKEW=300", "make chaos REUSE=1"),
        "it takes minutes; tests/chaos/test_chaos.py plays a short one",
    ),
    "make verify-aws STACK=zendesk-oauth": (
        "it knows the API's address on AWS alone; tests/stack/test_policies.py runs the same at the emulator's"
    ),
    "sam deploy --guided": "it asks; the document says how to deploy without, and that is run",
    "scripts/lambda-image": (
        _IN_CONTAINERS
        := "it needs a container engine; `make sam-local` runs the same against the same settings"
    ),
    ". build/local/environment": "`make local` writes that file; tests/commands/test_quickstart.py reads it",
    "make seed": _IN_CONTAINERS,
    '.tools/sam/bin/sam local invoke StartFunction -e events/start/acme.json --config-file "$PWD/build/local/sam/'
    'samconfig.toml"': _IN_CONTAINERS,
    ".tools/sam/bin/sam local invoke InstallsFunction -e events/installs/invite.confirmed.json --config-file"
    ' "$PWD/build/local/sam/samconfig.toml" --config-env confirmed': _IN_CONTAINERS,
    '.tools/sam/bin/sam local start-api --config-file "$PWD/build/local/sam/samconfig.toml"': _IN_CONTAINERS,
}
"""Commands that no shell is given, and what is there instead."""
REFUSED = {
    "aws sqs start-message-move-task": "StartMessageMoveTask is not valid for this endpoint",
}
"""Beginnings of commands that are run and that the emulator has to refuse in these words: it lacks the action."""
UNTIL = {
    ".venv/bin/python -m local.zendesk": ("stand-in for Zendesk: http://127.0.0.1:", ""),
}
"""Beginnings of commands that go on until they are stopped: what they say when they are ready, and when they end."""
ELSEWHERE = {
    r"--(stack|stack-name) zendesk-oauth(?![\w-])": r"--\1 {stack}",
    r"API=https://": "API=http://",
    r"\.execute-api\.\$AWS_REGION\.amazonaws\.com": ".execute-api.localhost:{port}",
    r"\barm64\b": "{architecture}",
    r"SCHEDULES=\d+": "SCHEDULES={schedules}",
    # Zipping takes longer than all the rest: what is deployed again is taken as the local stack has packaged it.
    r"sam deploy --no-confirm-changeset(?! --parameter-overrides Architecture)": (
        'sam deploy --config-file "$PWD/samconfig.toml"'
        ' --template-file "build/cache/packaged/$(cat .aws-sam/build/.inputs)/template.json"'
        " --no-confirm-changeset"
    ),
    r"zendesk-oauth-prod-restored": "{application}-{stage}-restored",
    r"https://acme\.zendesk\.com": "{acme}",
    r'"\$RECEIVER"': '"$(served "$RECEIVER")"',
    r"--port 8001": "--port 0",
}
"""What is different on this machine: patterns in commands, and what stands there instead."""
STACK_OF_ITS_OWN = {"docs/deploy.md"}
"""Documents whose own commands make the stack that they speak of."""
PLAYED = {"docs/quickstart.md"}
"""Documents whose commands stand between what is done in a browser: a test of their own plays both."""
GOES_ON = {"docs/cli.md": "docs/backup.md"}
"""Documents whose commands need what those of another one have made."""
