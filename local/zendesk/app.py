"""The web application: every route of the stand-in in one place.

The rule: only loopback names are answered, so that no web page can reach it under a name of its own.
"""

from flask import Flask, Response, jsonify, request

from local.zendesk import pages
from local.zendesk.accounts import NoSuchAccountError
from local.zendesk.agent import agent
from local.zendesk.api import api
from local.zendesk.control import control
from local.zendesk.oauth import oauth
from local.zendesk.standin import StandIn

_ANY_METHOD = ["GET", "POST", "PUT", "DELETE"]


def create_app(standin: StandIn) -> Flask:
    """Return the application of one stand-in."""
    app = Flask(__name__, template_folder=str(pages.TEMPLATES), static_folder=None)
    app.config["TRUSTED_HOSTS"] = ["127.0.0.1", "localhost", "host.docker.internal"]
    app.register_blueprint(control(standin))
    app.register_blueprint(oauth(standin))
    app.register_blueprint(api(standin))
    app.register_blueprint(agent(standin))
    app.register_error_handler(NoSuchAccountError, lambda _: pages.no_such_account())

    @app.route("/_elsewhere", methods=_ANY_METHOD)
    def elsewhere() -> Response:
        standin.seen.at_another_host(request.method)
        return jsonify(access_token="from-another-host", token_type="bearer")  # noqa: S106  # bait

    return app
