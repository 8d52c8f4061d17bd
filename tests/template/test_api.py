"""The HTTP API: who may call what, how often, and what its log can hold."""

import json
import re
from typing import Any

import pytest

# Route → function, authorisation. The whole outside of this project.
ROUTES = {
    "ANY /oauth/start": ("StartFunction", "NONE"),
    "ANY /oauth/callback": ("CallbackFunction", "NONE"),
    "ANY /invitations": ("InstallsFunction", "AWS_IAM"),
    "ANY /installs/{handle}/confirm": ("InstallsFunction", "AWS_IAM"),
    "ANY /connections": ("ConnectionsFunction", "AWS_IAM"),
    "ANY /connections/{grant}/{subdomain}": ("ConnectionsFunction", "AWS_IAM"),
    "ANY /connections/{grant}/{subdomain}/token": ("ConnectionsFunction", "AWS_IAM"),
}
# No path (an install's handle is in it), no protocol or request line, no header, no integration error (it quotes).
LOGGED = {
    "error.responseType",
    "httpMethod",
    "identity.sourceIp",
    "integrationLatency",
    "integrationStatus",
    "requestId",
    "requestTime",
    "responseLatency",
    "responseLength",
    "routeKey",
    "status",
}
FUNCTION_ARN = "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:"


def of_type(resources: dict[str, Any], kind: str) -> dict[str, Any]:
    """Return the properties of every resource of a type by logical id."""
    return {name: r["Properties"] for name, r in resources.items() if r["Type"] == kind}


def function_of(integration: str, resources: dict[str, Any]) -> str:
    """Return the logical id of an integration's function; `sam local start-api` needs the ARN made of its name.

    A name creates no dependency, so the integration declares it.
    """
    uri = resources[integration]["Properties"]["IntegrationUri"]["Fn::Sub"]
    assert uri.startswith(FUNCTION_ARN)
    functions = of_type(resources, "AWS::Serverless::Function").items()
    (function,) = (
        key for key, value in functions if value["FunctionName"]["Fn::Sub"] == uri.removeprefix(FUNCTION_ARN)
    )
    assert resources[integration]["DependsOn"] == function
    return function


def test_the_access_log_cannot_hold_a_query_string(resources: dict[str, Any]) -> None:
    """The log's format is JSON whose values are single variables of a closed list, none with query or path."""
    log_format = resources["ApiStage"]["Properties"]["AccessLogSettings"]["Format"]
    values = json.loads(log_format).values()
    assert all(re.fullmatch(r"\$context\.[A-Za-z.]+", value) for value in values)
    assert {value.removeprefix("$context.") for value in values} == LOGGED


def test_every_route_leads_to_its_function_with_its_authorisation(resources: dict[str, Any]) -> None:
    """Each route takes any method, targets an integration, and that is payload 2.0 of the function of the table."""
    integrations = of_type(resources, "AWS::ApiGatewayV2::Integration")
    found = {}
    for route in of_type(resources, "AWS::ApiGatewayV2::Route").values():
        target = re.fullmatch(r"integrations/\$\{(\w+)\}", route["Target"]["Fn::Sub"])
        assert target
        integration = integrations[target[1]]
        assert integration["IntegrationType"] == "AWS_PROXY"
        assert integration["PayloadFormatVersion"] == "2.0"
        found[route["RouteKey"]] = (function_of(target[1], resources), route["AuthorizationType"])
    assert found == ROUTES


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_is_throttled_by_itself(route: str, resources: dict[str, Any]) -> None:
    """Each route has a rate and a burst of its own, so that a flood on one cannot starve another."""
    settings = resources["ApiStage"]["Properties"]["RouteSettings"][route]
    assert 0 < settings["ThrottlingRateLimit"] <= settings["ThrottlingBurstLimit"]


def test_throttles_name_routes_that_exist_by_then(resources: dict[str, Any]) -> None:
    """The stage names no unknown route and waits for all: API Gateway refuses what is not there yet."""
    stage = resources["ApiStage"]
    routes = of_type(resources, "AWS::ApiGatewayV2::Route")
    assert set(stage["Properties"]["RouteSettings"]) == {route["RouteKey"] for route in routes.values()}
    assert set(stage["DependsOn"]) == set(routes)


def test_callbacks_have_more_room_than_starts(resources: dict[str, Any]) -> None:
    """A callback is never refused for want of room that a start was given: its code dies after 120 s."""
    settings = resources["ApiStage"]["Properties"]["RouteSettings"]
    start, callback = settings["ANY /oauth/start"], settings["ANY /oauth/callback"]
    assert callback["ThrottlingRateLimit"] >= start["ThrottlingRateLimit"]


def test_the_gateway_may_invoke_each_function_on_its_own_routes_only(resources: dict[str, Any]) -> None:
    """Each route has one permission, for its function, its path and this API."""
    granted = {}
    for permission in of_type(resources, "AWS::Lambda::Permission").values():
        assert permission["Principal"] == "apigateway.amazonaws.com"
        source = permission["SourceArn"]["Fn::Sub"]
        assert ":${AWS::AccountId}:${Api}/$default/*/" in source
        granted[source.split("/$default/*")[1]] = permission["FunctionName"]["Ref"]
    paths = {re.sub(r"\{\w+\}", "*", route.split()[1]): function for route, (function, _) in ROUTES.items()}
    assert granted == paths


def test_the_gateway_waits_a_little_longer_than_the_function(resources: dict[str, Any]) -> None:
    """Our own time-out comes first, so that the answer is ours; and no integration passes the gateway's 30 s."""
    for name, integration in of_type(resources, "AWS::ApiGatewayV2::Integration").items():
        function = resources[function_of(name, resources)]["Properties"]
        assert function["Timeout"] * 1000 < integration["TimeoutInMillis"] <= 30_000


def test_with_a_domain_of_ones_own_the_default_address_is_off(resources: dict[str, Any]) -> None:
    """A custom domain is mapped to the stage, and the API's own address is off exactly then."""
    assert resources["Api"]["Properties"]["DisableExecuteApiEndpoint"] == {
        "Fn::If": ["HasDomain", True, False]
    }
    assert resources["CustomDomain"]["Condition"] == "HasDomain"
    mapping = resources["CustomDomainMapping"]
    assert mapping["Condition"] == "HasDomain"
    assert mapping["Properties"]["Stage"] == {"Ref": "ApiStage"}


def test_a_domain_of_ones_own_speaks_tls_1_2_at_least(resources: dict[str, Any]) -> None:
    """No older version is offered there; the API's own address has AWS's own policy."""
    [configuration] = resources["CustomDomain"]["Properties"]["DomainNameConfigurations"]
    assert configuration["SecurityPolicy"] == "TLS_1_2"


def test_no_other_origin_may_read_an_answer(resources: dict[str, Any]) -> None:
    """The API answers no preflight and allows no origin: scripts of other sites read nothing."""
    assert "CorsConfiguration" not in resources["Api"]["Properties"]


def test_the_public_address_is_decided_once(resources: dict[str, Any], functions: dict[str, Any]) -> None:
    """PublicBaseUrl if given, else the custom domain, else the API's own; and every function reads that one value."""
    value = resources["PublicBaseUrlParameter"]["Properties"]["Value"]
    own = {"Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}"}
    domain = {"Fn::If": ["HasDomain", {"Fn::Sub": "https://${DomainName}"}, own]}
    assert value == {"Fn::If": ["HasPublicBaseUrl", {"Ref": "PublicBaseUrl"}, domain]}
    for verb in ("start", "callback", "installs", "connections"):
        variables = functions[verb]["Environment"]["Variables"]
        assert variables["PUBLIC_BASE_URL"] == {"Fn::GetAtt": ["PublicBaseUrlParameter", "Value"]}
