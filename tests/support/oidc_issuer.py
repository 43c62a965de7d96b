"""A tiny OpenID Connect provider on loopback: discovery and keys over HTTP, keys that rotate."""

from __future__ import annotations

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

AUDIENCE = "dataspoke"


class Issuer:
    """`requests` counts what was asked for, by path; `down` makes every answer a 503."""

    def __init__(self) -> None:
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.requests[self.path] = issuer.requests.get(self.path, 0) + 1
                body = json.dumps(issuer.answer(self.path)).encode()
                self.send_response(503 if issuer.down else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.name = self.url
        self.requests: dict[str, int] = {}
        self.down = False
        self.keys: dict[str, rsa.RSAPrivateKey] = {}
        self.rotate("first")

    def rotate(self, name: str) -> None:
        """From now on there is only this key."""
        self.keys = {name: rsa.generate_private_key(public_exponent=65537, key_size=2048)}

    def answer(self, path: str) -> Any:
        if path == "/.well-known/openid-configuration":
            return {"issuer": self.name, "jwks_uri": f"{self.url}/keys"}
        return {
            "keys": [
                {
                    **jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True),
                    "kid": name,
                    "use": "sig",
                    "alg": "RS256",
                }
                for name, key in self.keys.items()
            ]
        }

    def token(self, user: str = "ann", *, alg: str = "RS256", **claims: Any) -> str:
        """A good token of the newest key, but for what `claims` say; None leaves a claim out."""
        now = int(time.time())
        said = {
            "iss": self.name,
            "aud": AUDIENCE,
            "sub": f"id-of-{user}",
            "preferred_username": user,
            "iat": now,
            "exp": now + 600,
            **claims,
        }
        [(name, key)] = self.keys.items()
        said = {claim: value for claim, value in said.items() if value is not None}
        return jwt.encode(said, key, algorithm=alg, headers={"kid": name})

    def __enter__(self) -> Issuer:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
